"""Logs as one JSON object a line, written by a thread of their own so that no request waits for a pipe."""

import atexit
import logging
import queue
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener

import orjson

from dynamic_api.web.access_log import Entry


class JsonFormatter(logging.Formatter):
    """One JSON object for each record; a record of requests becomes a line for each of them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines."""
        entries: list[Entry] | None = getattr(record, "requests", None)
        if entries is not None:
            return "\n".join(_line(_request(entry)) for entry in entries)
        values: dict[str, object] = {
            "at": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return _line(values)


class _InProcessHandler(QueueHandler):
    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Leave the record as it is: the listener is a thread of this process and formats it."""
        return record


def log_to_stderr() -> None:
    """Send every record of the process through one queue to standard error; flushed when the process ends.

    Does so once, however often it is called: a process that serves is told by the command and by its application.
    """
    if any(isinstance(handler, _InProcessHandler) for handler in logging.getLogger().handlers):
        return
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    output = logging.StreamHandler()
    output.setFormatter(JsonFormatter())
    listener = QueueListener(lines, output)
    logging.basicConfig(level=logging.INFO, handlers=[_InProcessHandler(lines)], force=True)
    # httpx logs each call to a partner with its whole address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    listener.start()
    atexit.register(listener.stop)


def _request(entry: Entry) -> dict[str, object]:
    return {
        "at": _moment(entry.at),
        "level": "info",
        "logger": "coursewright.requests",
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "ms": round(entry.milliseconds, 1),
        "client_ip": entry.client_ip,
        "request_id": entry.request_id,
    }


def _line(values: dict[str, object]) -> str:
    return orjson.dumps(values, default=str, option=orjson.OPT_UTC_Z).decode()


def _moment(seconds: float) -> datetime:
    """To the millisecond, which is how orjson then writes it."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)

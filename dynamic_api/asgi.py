"""The application for an ASGI server; the only import with side effects: it reads settings and tunes the process."""

import gc
import sys

from dynamic_api.app import create_app
from dynamic_api.core.read_settings import load_settings
from dynamic_api.gateways import open_gateways
from dynamic_api.traces import traced
from dynamic_api.web.logs import log_to_stderr


def _tune_interpreter() -> None:
    # What is loaded lives as long as the process, and a request leaves next to nothing that only the garbage collector
    # finds: to search all of it every 700 objects costs a tenth of the answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # A commit waits for the disk in a thread, and then for the interpreter: half a millisecond at most, not five.
    sys.setswitchinterval(0.0005)


log_to_stderr()
_settings = load_settings()
app = traced(create_app(_settings, open_gateways(_settings)), _settings)
_tune_interpreter()

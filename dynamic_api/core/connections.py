"""Whether PostgreSQL has room for the connections of an installation."""

from sqlalchemy import text

from dynamic_api.core.database import make_plain_engine
from dynamic_api.core.settings import Settings

_ASK = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, "
    "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())"
)


class TooManyConnections(Exception):
    """The server would refuse some of them; the message says what to change."""


async def check_connections(settings: Settings, processes: int) -> str | None:
    """The sum of what these processes may open, in a sentence; None where no PostgreSQL counts connections of ours.

    A pooler has room for more clients than the server has connections, and a limit of its own, which it does not tell.
    Raises TooManyConnections.
    """
    if settings.database_pooler or not settings.database_url.startswith("postgresql"):
        return None
    engine = make_plain_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            limit, others = (await connection.execute(_ASK)).one()
    finally:
        await engine.dispose()
    wanted = processes * settings.database_connections
    if wanted + others > limit:
        raise TooManyConnections(
            f"PostgreSQL allows {limit} connections and {others} are open already, but {processes} processes may open "
            f"{settings.database_connections} each. Lower COURSEWRIGHT_DATABASE_CONNECTIONS or --workers, or raise "
            "max_connections of the server."
        )
    return f"{processes} × {settings.database_connections} connections fit beside {others} others into {limit}"

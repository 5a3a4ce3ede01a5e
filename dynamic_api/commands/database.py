"""The command db copy."""

import asyncio

import click
from sqlalchemy.exc import ArgumentError

from dynamic_api.backups.copy import copy_database
from dynamic_api.backups.database import BackupRefused
from dynamic_api.commands.report import DATABASE_FAULTS, CommandRefused, database_refusal, settings_or_refusal
from dynamic_api.migrations.schema import SchemaUnfit


@click.command(epilog="Example: coursewright db copy postgresql+asyncpg://school@localhost/school")
@click.argument("target", metavar="ADDRESS")
@click.option("--from", "source", metavar="ADDRESS", help="The database to copy; that of the settings, unless given.")
def copy(target: str, source: str | None) -> None:
    """Copy everything into another database, such as from SQLite to PostgreSQL, and compare row by row.

    Stop the service first. The source is only read. If it is interrupted, run it again: it goes on. At the end, set
    COURSEWRIGHT_DATABASE_URL to the new address and start the service.
    """
    source = source or settings_or_refusal().database_url
    click.echo("The service has to be stopped: what is sold from now on stays in the old database.")
    try:
        copied = asyncio.run(copy_database(source, target, say=click.echo))
    except (BackupRefused, SchemaUnfit) as error:
        raise CommandRefused(str(error)) from error
    except KeyboardInterrupt:
        raise CommandRefused("Interrupted. Run the same command again: it goes on where it was.") from None
    except ArgumentError:
        raise CommandRefused(f"“{target}” is no address of a database.") from None
    except DATABASE_FAULTS as error:
        words = database_refusal(error).message.replace("COURSEWRIGHT_DATABASE_URL", "the two addresses")
        raise CommandRefused(words) from error
    rows = sum(each.rows for each in copied)
    click.echo(f"{rows} rows of {len(copied)} tables are the same in both. Now set COURSEWRIGHT_DATABASE_URL.")

"""The commands `import customers` and `import laravel`: people who bought elsewhere."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from dynamic_api.commands.report import CommandRefused, Report, operator_command
from dynamic_api.moving_in.customers import TableRefused, read_customers
from dynamic_api.moving_in.laravel import LaravelRefused, read_laravel
from dynamic_api.moving_in.old_school import move_in
from dynamic_api.moving_in.purchases import import_purchase
from dynamic_api.service import Service

_BATCH = 100  # purchases of one transaction
_SHOWN = 30

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be imported, and write nothing.")
_course_names = click.option(
    "--course-name", "names", multiple=True, metavar="THEIRS=OURS", help="A course that is called otherwise here."
)


@operator_command("sales.csv --course bread --dry-run", name="import customers")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--course", help="What everybody in the file bought, where it does not say.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="What a column is, such as email=Mail.")
@_course_names
@click.option("--invite", is_flag=True, help="Email everybody without an account a link to their course.")
@_dry_run
async def customers(
    service: Service,
    file: Path,
    course: str | None,
    columns: tuple[str, ...],
    names: tuple[str, ...],
    invite: bool,
    dry_run: bool,
) -> Report:
    """Import buyers from a table, as Gumroad, Teachable or Podia export it. Who proves an address gets its courses."""
    catalog, now = service.catalog.current, service.clock()
    content = await asyncio.to_thread(file.read_bytes)
    try:
        table = read_customers(
            content,
            catalog,
            course=catalog.course(course) if course else None,
            columns=_pairs(columns),
            names=_pairs(names),
            now=now,
        )
    except TableRefused as error:
        raise CommandRefused(f"{file}: {error}") from error
    new = 0
    for start in range(0, len(table.purchases) if not dry_run else 0, _BATCH):
        async with service.database.transaction() as db:
            for purchase in table.purchases[start : start + _BATCH]:
                new += await import_purchase(db, purchase, "customers", now=now, invite=invite)
    lines = [f"{len(table.purchases)} purchases in the file; {table.skipped} rows were refunded, unpaid or double."]
    lines.append("Nothing was written." if dry_run else f"{new} are new here.")
    lines += _problems(table.problems)
    data = {"purchases": len(table.purchases), "new": new, "skipped": table.skipped, "problems": table.problems}
    return Report(lines, data, failed=bool(table.problems))


@operator_command("mysql://reader:…@127.0.0.1/school --dry-run", name="import laravel")
@click.argument("dsn")
@_course_names
@_dry_run
async def laravel(service: Service, dsn: str, names: tuple[str, ...], dry_run: bool) -> Report:
    """Import accounts, orders, gifts, access and progress from the Laravel video course platform. It is only read."""
    try:
        old = await read_laravel(dsn)
    except LaravelRefused as error:
        raise CommandRefused(str(error)) from error
    report = await move_in(service, old, _pairs(names), dry_run=dry_run)
    would = "would be " if dry_run else ""
    lines = [
        f"{report.accounts} accounts, {report.orders} orders, {report.entitlements} courses without an order and "
        f"{report.lessons} lessons in progress {would}new here.",
        "Passwords stay good: they are accepted as they are, and kept in today’s form from the next sign-in on.",
        *_problems(report.problems),
    ]
    return Report(lines, asdict(report))


def _pairs(written: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in written:
        key, sign, value = each.partition("=")
        if not sign:
            raise CommandRefused(f"Write “{each}” as NAME=VALUE.")
        pairs[key] = value
    return pairs


def _problems(problems: list[str]) -> list[str]:
    shown = [f"  {each}" for each in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        shown.append(f"  … and {len(problems) - _SHOWN} more; --json has all.")
    return ["", "Not carried:", *shown] if problems else []

"""What `coursewright diff` and `coursewright publish` ask of the installation. They run without one as well."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import func, select

from dynamic_api.app import create_service
from dynamic_api.catalog.source import check_no_stream
from dynamic_api.catalog.sync import check_manifest
from dynamic_api.checkout.offer import product_id
from dynamic_api.commands.report import DATABASE_FAULTS, CommandRefused, database_refusal
from dynamic_api.core.models import Course, CourseProgress, Entitlement, Installation
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import Settings, SettingsInvalid
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.payment_errors import PaymentsUnavailable
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from dynamic_api.service import Service
from sitegen.catalog.manifest import Manifest, ManifestRefused

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Counted:
    """By course: how many own it, and how many of them are in the middle of it. `unknown` says why nobody counted."""

    people: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unknown: str = ""


def look_for_upgrade(load: Callable[[], Settings] = load_settings) -> list[str]:
    """What this version says of the settings and the database of this machine, in sentences. Never fails."""
    try:
        settings = load()
    except SettingsInvalid as error:
        return [f"Settings: {sentence}" for sentence in str(error).splitlines()]
    try:
        asyncio.run(check_schema(settings.database_url))
    except SchemaUnfit as error:
        return [f"Database: {error}"]
    except DATABASE_FAULTS as error:
        return [f"Database: {database_refusal(error).message}"]
    return ["Settings and database are those of this version."]


def count_people(load: Callable[[], Settings] = load_settings) -> Counted:
    """Who is affected by a change. Never fails: a difference can be read without."""
    try:
        return Counted(asked(_count, load()))
    except (SettingsInvalid, SchemaUnfit, CommandRefused) as error:
        return Counted(unknown=str(error).splitlines()[0])


def prepare(manifest: Manifest, load: Callable[[], Settings] = load_settings) -> str:
    """Make sure that a catalogue can be sold and used, before its pages are published; says what was done.

    Raises CommandRefused where Stripe or the database refuses it, or cannot be asked.
    """
    try:
        products = asked(lambda service: _prepare(service, manifest), load())
    except SettingsInvalid as error:
        return f"Stripe and the database were not asked, since this machine has no settings: {error}".split("\n")[0]
    except (SchemaUnfit, ManifestRefused, PaymentsUnavailable) as error:
        raise CommandRefused(f"{error} Nothing was published.") from error
    known = "the course for sale" if products == 1 else f"the {products} courses for sale"
    return f"Stripe knows {known}, and the database accepts the catalogue."


def asked(ask: Callable[[Service], Awaitable[Answer]], settings: Settings) -> Answer:
    """What the installation answers; opened for it, and closed again. Raises SchemaUnfit, CommandRefused."""

    async def run() -> Answer:
        service = create_service(settings, open_gateways(settings))
        try:
            await check_schema(settings.database_url)
            return await ask(service)
        except DATABASE_FAULTS as error:
            raise database_refusal(error) from error
        finally:
            await service.close()

    return asyncio.run(run())


async def _count(service: Service) -> dict[str, tuple[int, int]]:
    people = Entitlement.user_id.distinct()
    query = (
        select(Course.key, func.count(people), func.count(CourseProgress.user_id.distinct()))
        .join(Entitlement, Entitlement.course_id == Course.id)
        .outerjoin(
            CourseProgress,
            (CourseProgress.course_id == Course.id)
            & (CourseProgress.user_id == Entitlement.user_id)
            & CourseProgress.completed_at.is_(None),
        )
        .where(Entitlement.revoked_at.is_(None))
        .group_by(Course.key)
    )
    async with service.database.reading() as db:
        return {key: (owners, learning) for key, owners, learning in await db.execute(query)}


async def _prepare(service: Service, manifest: Manifest) -> int:
    if service.settings.stream_base_url is None:
        check_no_stream(manifest)
    async with service.database.reading() as db:
        await check_manifest(db, manifest)
        installation = (await db.get_one(Installation, 1)).key
    sold = [course for course in manifest.catalog.at(service.clock()).published if course.price]
    names = {product_id(installation, course.id): course.title for course in sold}
    await service.gateways.payments.keep_products(names)
    return len(names)

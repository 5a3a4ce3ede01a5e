"""What `coursewright reviews pull` asks of the installation, and the command newsletter."""

import csv
import io
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from dynamic_api.commands.publishing import asked
from dynamic_api.commands.report import CommandRefused, Report, operator_command
from dynamic_api.core.models import Course, Entitlement, NewsReader, Review
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.settings import SettingsInvalid
from dynamic_api.migrations.schema import SchemaUnfit
from dynamic_api.newsletter.readers import unsubscribe_link
from dynamic_api.service import Service


def pull_reviews() -> Sequence[Mapping[str, object]]:
    """Every review that learners wrote here, with the id of its course. Raises CommandRefused."""
    try:
        return asked(_reviews, load_settings())
    except (SettingsInvalid, SchemaUnfit) as error:
        raise CommandRefused(str(error)) from error


async def _reviews(service: Service) -> Sequence[Mapping[str, object]]:
    still_theirs = (
        select(Entitlement.id)
        .where(
            Entitlement.user_id == Review.user_id,
            Entitlement.course_id == Review.course_id,
            Entitlement.revoked_at.is_(None),
        )
        .exists()
    )
    statement = (
        select(Review, Course.key.label("course"), still_theirs.label("is_owner"))
        .join(Course, Course.id == Review.course_id)
        .order_by(Review.created_at, Review.id)
    )
    async with service.database.reading() as db:
        return [
            {
                "id": review.public_id,
                "course": course,
                "name": review.name,
                "stars": review.stars,
                "text": review.text,
                "day": review.updated_at.date(),
                "is_owner": is_owner,
            }
            for review, course, is_owner in await db.execute(statement)
        ]


@operator_command("")
async def newsletter(service: Service) -> Report:
    """Write who wants news, as CSV: address, since when, and the link that ends it.

    Give the link to the program you send with, as the address of its “unsubscribe”: one click ends it (RFC 8058).
    """
    async with service.database.reading() as db:
        readers = list(await db.scalars(select(NewsReader).order_by(NewsReader.id)))
    rows = [
        {
            "email": each.email.spelling,
            "since": each.confirmed_at.date().isoformat(),
            "unsubscribe": unsubscribe_link(service.settings, service.settings.site_url, each.id),
        }
        for each in readers
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["email", "since", "unsubscribe"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Report(text.getvalue().rstrip("\n").split("\n"), rows)

"""What the operator should know by email, because nobody else can mend it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.messages import OperatorNotice, queue_message


async def tell_operator(db: AsyncSession, about: str, sentence: str, *, now: datetime) -> None:
    """Write to the school's own address, once a day for each thing that it is about."""
    message = OperatorNotice(id=f"operator.{about}.{now:%Y%m%d}", sentence=sentence[:1000])
    await queue_message(db, message, now=now)

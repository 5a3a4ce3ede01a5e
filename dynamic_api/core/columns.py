"""Kinds of columns that every database stores alike."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Enum, Integer, TypeDecorator

# Minor units: a course of 22 million rupiah is more than four bytes hold. SQLite's integers have room anyway.
AMOUNT = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite would return it without a time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments without a time zone: they mean something else on another machine."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC, whatever the driver returns."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_text(values: type[StrEnum], length: int) -> Enum:
    """A text column whose values are an enum's."""
    return Enum(values, native_enum=False, length=length, values_callable=lambda enum: [each.value for each in enum])


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The constraint that a column holds one of them."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(each.value) for each in values)})", name=column)

"""What every table has in common."""

from datetime import datetime
from typing import NewType

from sqlalchemy import JSON, MetaData
from sqlalchemy.orm import DeclarativeBase

from dynamic_api.core.columns import UTCDateTime

OrderId = NewType("OrderId", int)  # the row's number; never leaves the service
Json = dict[str, object]


class Base(DeclarativeBase):
    """Names constraints, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, Json: JSON}  # noqa: RUF012 - read by SQLAlchemy

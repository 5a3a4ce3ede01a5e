"""SQL that the two databases write differently: moments as the API prints them, and JSON made by the database.

A learner's answer holds hundreds of moments and rows. Formatting them in the database costs a tenth of doing it here,
and lets one statement return a whole course.
"""

from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, String, TableValuedAlias, bindparam, column, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def rows_from_arrays(columns: Iterable[ColumnElement[object]]) -> TableValuedAlias:
    """Rows that are given to PostgreSQL as an array for each column: any number of them in one statement."""
    given = list(columns)
    arrays = func.unnest(*(bindparam(each.key, type_=ARRAY(each.type)) for each in given))
    return arrays.table_valued(*(column(str(each.key), each.type) for each in given)).render_derived(name="given")


class timestamp_text(FunctionElement[str]):
    """A moment as text, as `clock.timestamp` writes it; None stays None."""

    type = String()
    inherit_cache = True
    name = "timestamp_text"


@compiles(timestamp_text, "sqlite")
def _sqlite_timestamp(element: timestamp_text, compiler: SQLCompiler, **how: object) -> str:
    column = compiler.process(element.clauses, **how)
    return f"(substr({column}, 1, 10) || 'T' || substr({column}, 12, 8) || '+00:00')"


@compiles(timestamp_text, "postgresql")
def _postgresql_timestamp(element: timestamp_text, compiler: SQLCompiler, **how: object) -> str:
    column = compiler.process(element.clauses, **how)
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""


class json_object(FunctionElement[str]):
    """A JSON object as text: alternately a name, as a literal, and its value."""

    type = String()
    inherit_cache = True
    name = "json_object"


@compiles(json_object, "sqlite")
def _sqlite_object(element: json_object, compiler: SQLCompiler, **how: object) -> str:
    return f"json_object({compiler.process(element.clauses, **how)})"


@compiles(json_object, "postgresql")
def _postgresql_object(element: json_object, compiler: SQLCompiler, **how: object) -> str:
    return f"json_build_object({compiler.process(element.clauses, **how)})"


class json_by_key(FunctionElement[str]):
    """All rows as one JSON object: key → value. The value may be JSON itself."""

    type = String()
    inherit_cache = True
    name = "json_by_key"


@compiles(json_by_key, "sqlite")
def _sqlite_by_key(element: json_by_key, compiler: SQLCompiler, **how: object) -> str:
    return f"json_group_object({compiler.process(element.clauses, **how)})"


@compiles(json_by_key, "postgresql")
def _postgresql_by_key(element: json_by_key, compiler: SQLCompiler, **how: object) -> str:
    return f"json_object_agg({compiler.process(element.clauses, **how)})"


class lines_by_key(FunctionElement[str]):
    """All rows as lines `key:value`. The value must not contain a line break; JSON does not."""

    type = String()
    inherit_cache = True
    name = "lines_by_key"


@compiles(lines_by_key, "sqlite")
def _sqlite_lines(element: lines_by_key, compiler: SQLCompiler, **how: object) -> str:
    key, value = (compiler.process(each, **how) for each in element.clauses)
    return f"group_concat({key} || ':' || {value}, char(10))"


@compiles(lines_by_key, "postgresql")
def _postgresql_lines(element: lines_by_key, compiler: SQLCompiler, **how: object) -> str:
    key, value = (compiler.process(each, **how) for each in element.clauses)
    return f"string_agg({key} || ':' || {value}, chr(10))"

"""Checks a parsed file against its shape, and describes every difference for a person."""

import re
import types
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sitegen.catalog import course_file
from sitegen.catalog.currencies import is_currency
from sitegen.catalog.faults import Fault, did_you_mean
from sitegen.catalog.money import minor_unit_digits
from sitegen.catalog.text_files import Stamp, stamp_of
from sitegen.catalog.yaml_source import Key, YamlSource, read_yaml

Shape = TypeVar("Shape", bound=BaseModel)

_MOST = 100  # faults that are told of one file; more help nobody

_read: dict[tuple[type[BaseModel], Path], tuple[Stamp, tuple[YamlSource, BaseModel | None]]] = {}

_PATTERNS = {
    course_file.IDENTIFIER: "Use lower-case letters, digits and single hyphens, such as “first-steps”.",
    course_file.VIDEO_ID: "A Stream video id is 32 characters of 0-9 and a-f; copy it from the Stream dashboard.",
    course_file.HLS_KEY: "Name the folder as “coursewright media transcode” printed it.",
    course_file.COLOUR: "Write a colour like “#1f5f8b”, in quotes.",
    r"^[A-Z]{2}$": "Write the country as two capital letters, such as DE.",
    r"^(/[^\s/]\S*|/|https://\S+|mailto:\S+)$": (
        "Write an address such as https://school.example/page or mailto:me@school.example, or a page such as /about/."
    ),
    r"^[a-z]{2,3}(-[A-Z]{2})?$": "Write a language such as de, fr or pt-BR.",
    r"^[A-Z]{3}$": "Write the currency as three capital letters, such as EUR.",
    r"^https?://[^/\s]+$": "Write the address without a path, such as https://school.example.",
    r"^\S[^\r\n]*$": "Use a single line of text; longer texts go into a Markdown field.",
}


def read_shape(shape: type[Shape], path: Path) -> tuple[YamlSource, Shape | None]:
    """A file, and its typed value if it has the shape. What did not change is not read twice."""
    try:
        stamp = stamp_of(path)
    except FileNotFoundError:
        source = read_yaml(path)
        return source, check_shape(shape, source)
    known = known_shape(shape, path, stamp)
    if known is None:
        source = read_yaml(path)
        known = remember_shape(shape, path, stamp, (source, check_shape(shape, source)))
    source, value = known
    return replace(source, faults=list(source.faults)), value


def known_shape(shape: type[Shape], path: Path, stamp: Stamp) -> tuple[YamlSource, Shape | None] | None:
    """What was read from a file in that state; None where it was not read."""
    known = _read.get((shape, path))
    return known[1] if known is not None and known[0] == stamp else None  # type: ignore[return-value]  # of that shape


def remember_shape(
    shape: type[Shape], path: Path, stamp: Stamp, value: tuple[YamlSource, Shape | None]
) -> tuple[YamlSource, Shape | None]:
    """Keep in memory what was read from a file in that state; returns it."""
    _read[shape, path] = stamp, value
    return value


def check_shape(shape: type[Shape], source: YamlSource) -> Shape | None:
    """The file as a typed value; or None, with every difference added to the source's faults."""
    if source.faults and source.data is None:
        return None
    if not isinstance(source.data, dict):
        problem = "This file is empty." if source.data is None else "This file is no group of fields."
        source.faults.append(source.fault((), problem, "See “coursewright docs fields” for a complete one."))
        return None
    try:
        return shape.model_validate(source.data)
    except ValidationError as error:
        errors = _distinct(error.errors(include_url=False), source)
        source.faults += (_fault(shape, details, source) for details in errors[:_MOST])
        if len(errors) > _MOST:
            more = f"There are {len(errors) - _MOST} more faults in this file."
            source.faults.append(source.fault((), more, "Mend those above first."))
        return None


def _distinct(errors: list[ErrorDetails], source: YamlSource) -> list[ErrorDetails]:
    """One error for each place: a value that fits no member of a union would be reported once for each member."""
    seen: dict[tuple[object, ...], ErrorDetails] = {}
    for error in errors:
        named = tuple(part for part in error["loc"] if part in source.place_of(error["loc"]))
        key = (*named, error["loc"][-1] if error["type"] == "missing" else "")
        if key not in seen or (error["type"] == "literal_error" and isinstance(error["input"], str)):
            seen[key] = error
    inner = {key[:-1] for key in seen}
    # A group of fields with faults of its own is not also reported as a word that it could have been.
    return [
        error
        for key, error in seen.items()
        if not (
            error["type"] == "literal_error"
            and isinstance(error["input"], dict)
            and any(other[: len(key) - 1] == key[:-1] and other != key[:-1] for other in inner)
        )
    ]


def _fault(shape: type[BaseModel], error: ErrorDetails, source: YamlSource) -> Fault:
    loc: Sequence[Key] = error["loc"]
    kind = error["type"]
    context = error.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    got = _describe(error["input"])
    if kind == "extra_forbidden":
        known = _known_keys(shape, loc[:-1])
        return source.fault(loc, f"“{name}” is an unknown field.", did_you_mean(name, known), at_key=True)
    if kind == "missing":
        example = _example(shape, loc)
        remedy = f"Add a line “{name}: {example}”." if example else f"Add “{name}”; see “coursewright docs fields”."
        return source.fault(loc[:-1], f"“{name}” is missing.", remedy, at_key=False)
    label = _label(loc, source)
    if source.place_of(loc)[-1:] == ("price",) and isinstance(error["input"], (str, int, float)):
        return source.fault(source.place_of(loc), f"{label} cannot be {got}.", _price_remedy(error["input"]))
    if kind == "string_type":
        if isinstance(error["input"], (int, float, bool)):
            remedy = f'Put it in quotes: "{_yaml(error["input"])}".'
        else:
            remedy = "Write it as plain text after the colon."
        return source.fault(loc, f"{label} must be text, not {got}.", remedy)
    if kind == "string_pattern_mismatch":
        remedy = _PATTERNS.get(str(context.get("pattern")), "See “coursewright docs fields”.")
        return source.fault(loc, f"{label} is not valid: “{error['input']}”.", remedy)
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        least, most = _limits(shape, loc)
        found = f"{label} is {_describe(error['input'])}"
        return source.fault(loc, f"{found}, and may be {least} to {most}.", "Write a number between them.")
    if kind == "string_too_short":
        return source.fault(loc, f"{label} is empty.", "Write something, or delete the line.")
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "")
        word = error["input"] if isinstance(error["input"], str) else ""
        choices = [choice.strip() for choice in expected.replace(" or ", ", ").split(",")]
        hint = did_you_mean(word, choices) if word else f"Write one of: {', '.join(choices)}."
        return source.fault(loc, f"{label} cannot be {got}.", hint)
    if kind in ("int_type", "int_from_float"):
        return source.fault(loc, f"{label} must be a whole number, not {got}.", _number_remedy(error["input"], name))
    if kind == "bool_type":
        return source.fault(loc, f"{label} must be true or false, not {got}.", "Write true or false, without quotes.")
    if kind == "list_type":
        return source.fault(loc, f"{label} must be a list, not {got}.", "Start each entry on its own line with “- ”.")
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return source.fault(loc, f"{label} must be a group of fields, not {got}.", "Indent its fields under it.")
    if kind == "value_error":
        return source.fault(
            loc, f"{label} cannot be read: {got}.", _sentence(str(error["msg"]).removeprefix("Value error, "))
        )
    return source.fault(loc, f"{label}: {error['msg']}.", "See “coursewright docs fields”.")


_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "kr": "SEK", "Fr.": "CHF"}
_AMOUNT = re.compile(r"\d[\d., ']*")
_CODE = re.compile(r"\b[A-Z]{3}\b")


def _price_remedy(written: str | int | float) -> str:
    """The line to write instead of a price as one says it: `49,00 €`, `$49`, `1.299,00 EUR`."""
    text = str(written)
    code = _CODE.search(text)
    currency = code[0] if code else next((code for sign, code in _SIGNS.items() if sign in text), "EUR")
    found = _AMOUNT.search(text)
    if isinstance(written, bool) or found is None or not is_currency(currency):
        return "Write “price: free”, or “price: {amount: 4900, currency: EUR}”."
    digits = minor_unit_digits(currency)
    number = re.sub(r"[ ']", "", found[0]).rstrip(".,")
    whole, mark, rest = number, "", ""
    if match := re.fullmatch(r"(.*)([.,])(\d{1,2})", number):
        whole, mark, rest = match[1], match[2], match[3]
    whole = re.sub(r"[.,]", "", whole)
    if not whole.isdigit() or len(whole) > 9:
        return "Write “price: free”, or “price: {amount: 4900, currency: EUR}”."
    amount = round(float(f"{whole}.{rest or 0}") * 10**digits) if mark else int(whole) * 10**digits
    return f"Write “price: {{amount: {amount}, currency: {currency}}}”, in the smallest unit of the currency."


def _limits(shape: type[BaseModel], loc: Sequence[Key]) -> tuple[str, str]:
    """The smallest and the largest number that a field takes, in words."""
    model = _model_at(shape, loc[:-1])
    rules = model.model_fields[str(loc[-1])].metadata if model and str(loc[-1]) in model.model_fields else []
    least = next((str(each.ge) for each in rules if hasattr(each, "ge")), "0")
    most = next((str(each.le) for each in rules if hasattr(each, "le")), "any number")
    return least, most


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


def _number_remedy(value: object, name: str) -> str:
    if name == "amount" and isinstance(value, float):
        return f"Amounts are in minor units: for {value:.2f} write {round(value * 100)}."
    return "Use digits only, without quotes, decimal point or unit."


def _label(loc: Sequence[Key], source: YamlSource) -> str:
    place = source.place_of(loc)
    names = [str(part) for part in place if isinstance(part, str)]
    return f"“{names[-1]}”" if names else "This file"


def _describe(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a group of fields"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"“{value}”" if len(value) <= 60 else "a longer text"
    return _yaml(value)


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, list, tuple, Annotated):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []


def _model_at(shape: type[BaseModel], loc: Sequence[Key]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = shape
    for part in loc:
        if model is None or not isinstance(part, str) or part not in model.model_fields:
            continue
        inner = _models_in(model.model_fields[part].annotation)
        model = inner[0] if inner else None
    return model


def _known_keys(shape: type[BaseModel], loc: Sequence[Key]) -> list[str]:
    model = _model_at(shape, loc)
    return list(model.model_fields) if model else []


def _example(shape: type[BaseModel], loc: Sequence[Key]) -> str | None:
    model = _model_at(shape, loc[:-1])
    field = model.model_fields.get(str(loc[-1])) if model else None
    example = field.examples[0] if field and field.examples else None
    return str(example) if isinstance(example, (str, int)) else None

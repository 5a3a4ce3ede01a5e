"""A table of customers, as other platforms export it → purchases.

Headers are those of Gumroad (its open code), of Teachable and Podia as far as they are known, and their common words;
others are named with `--map`.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from dynamic_api.catalog.courses import CatalogCourse, CourseCatalog
from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.states import OrderState
from dynamic_api.moving_in.purchases import ImportedGift, Purchase
from sitegen.catalog.money import minor_unit_digits

FIELDS: dict[str, tuple[str, ...]] = {
    "email": ("purchase email", "email", "email address", "customer email", "buyer email", "student email", "e-mail",
              "user_email"),
    "name": ("buyer name", "name", "full name", "customer name", "student name", "customer", "user_name"),
    "course": ("item name", "course", "course name", "course_name", "product", "product name", "items", "offer title"),
    "date": ("purchase date", "date", "purchased at", "created at", "created_at", "joined", "enrolled at", "paid at",
             "order date", "purchased_at", "started_at", "sale date"),
    "amount": ("sale price ($)", "sale price", "amount", "final price", "price", "total", "charge", "revenue",
               "amount paid"),
    "currency": ("currency", "sale currency"),
    "id": ("purchase id", "id", "order id", "sale id", "transaction id", "invoice #", "order number", "order_id"),
    "refunded": ("fully refunded?", "refunded", "refunded?", "is refunded", "refunded at"),
    "disputed": ("disputed?",),
    "dispute_won": ("dispute won?",),
    "recipient": ("giftee email", "recipient email"),
    "status": ("status", "order status", "payment status"),
}  # fmt: skip
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y", "%B %d, %Y", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%m/%d/%y")
_NO = {"", "0", "no", "false", "n", "-", "none", "null"}
_UNPAID = {"failed", "canceled", "cancelled", "pending", "unpaid", "declined", "void", "expired", "incomplete"}


class TableRefused(Exception):
    """The file is no table of customers; the message says what is missing."""


@dataclass
class CustomerTable:
    """What a file says. `problems` are rows that cannot be used, and why; `skipped` were refunded or never paid."""

    purchases: list[Purchase] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: int = 0


def read_customers(
    content: bytes,
    catalog: CourseCatalog,
    *,
    course: CatalogCourse | None,
    columns: Mapping[str, str],
    names: Mapping[str, str],
    now: datetime,
) -> CustomerTable:
    """`course` is what all rows bought, where the table does not say. `names` are other platforms' titles → our slugs.

    Raises TableRefused.
    """
    rows, header = _rows(content)
    places = _places(header, columns)
    if "email" not in places:
        known = ", ".join(FIELDS["email"][:4])
        raise TableRefused(f"No column is the email address. Known: {known}. Name yours: --map email=COLUMN.")
    if course is None and "course" not in places:
        raise TableRefused("No column is the course. Name yours: --map course=COLUMN, or say --course SLUG.")
    found = CustomerTable()
    reader = _Reader(catalog, course, {_plain(key): value for key, value in names.items()}, now, found)
    for number, row in rows:
        values = {name: row[place].strip() for name, place in places.items() if place < len(row)}
        if any(cell.strip() for cell in row) and not row[0].strip().lower().startswith("totals"):
            reader.read(number, values)
    return found


def _rows(content: bytes) -> tuple[list[tuple[int, list[str]]], list[str]]:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    lines = text.splitlines()
    if not lines:
        raise TableRefused("The file is empty.")
    counts = {sign: lines[0].count(sign) for sign in ",;\t|"}
    delimiter = max(counts, key=lambda sign: counts[sign])
    try:
        table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise TableRefused(f"This is no table: {error}.") from None
    return [(number, row) for number, row in enumerate(table[1:], start=2) if row], table[0]


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    known = {_plain(cell): place for place, cell in reversed(list(enumerate(header)))}
    places = {}
    for name, aliases in FIELDS.items():
        wanted = columns.get(name)
        if wanted is not None:
            if _plain(wanted) not in known:
                raise TableRefused(f"There is no column “{wanted}”. There are: {', '.join(header)}.")
            places[name] = known[_plain(wanted)]
        elif (place := next((known[alias] for alias in aliases if alias in known), None)) is not None:
            places[name] = place
    if unknown := columns.keys() - FIELDS.keys():
        raise TableRefused(f"“{min(unknown)}” is no field. Known: {', '.join(FIELDS)}.")
    return places


@dataclass
class _Reader:
    catalog: CourseCatalog
    course: CatalogCourse | None
    names: Mapping[str, str]
    now: datetime
    found: CustomerTable
    seen: set[str] = field(default_factory=set)

    def read(self, number: int, values: Mapping[str, str]) -> None:
        try:
            buyer = Email.parse(values["email"])
            recipient = Email.parse(values["recipient"]) if values.get("recipient") else None
        except (EmailInvalid, KeyError):
            self._problem(number, f"“{values.get('email', '')}” is not an email address")
            return
        course = self._course(values.get("course", ""))
        if course is None:
            self._problem(
                number, f"there is no course “{values.get('course', '')}”: name it with --course-name OLD=SLUG"
            )
            return
        is_lost = _is_yes(values.get("disputed")) and not _is_yes(values.get("dispute_won"))
        is_unpaid = values.get("status", "").lower() in _UNPAID
        if _is_yes(values.get("refunded")) or is_lost or is_unpaid or values.get("status", "").lower() == "refunded":
            self.found.skipped += 1
            return
        bought_at = _date(values.get("date", ""))
        if values.get("date") and bought_at is None:
            self._problem(number, f"“{values['date']}” is no date that is known")
            return
        currency = (values.get("currency") or "USD").upper()
        amount = _amount(values.get("amount", ""), currency)
        if amount is None:
            self._problem(number, f"“{values.get('amount')}” is no amount of {currency}")
            return
        # The same person and course at the same moment is one purchase, where the table has no number for it.
        key = values.get("id") or f"{buyer.key} {course.definition.id} {values.get('date', '')}"
        if (unique := f"{key} {course.id}") in self.seen:
            self.found.skipped += 1
            return
        self.seen.add(unique)
        gift = (
            ImportedGift(recipient, recipient.spelling, values.get("name", "") or "A friend", "") if recipient else None
        )
        self.found.purchases.append(
            Purchase(
                key=f"{key} {course.definition.id}",
                buyer=buyer,
                course_ids=(course.id,),
                amounts=(amount,),
                currency=currency,
                bought_at=min(bought_at or self.now, self.now),
                state=OrderState.PAID,
                gift=gift,
            )
        )

    def _course(self, written: str) -> CatalogCourse | None:
        plain = _plain(written)
        if plain in self.names:
            return self.catalog.find_course(self.names[plain])
        for course in self.catalog.courses:
            if plain and plain in (_plain(course.definition.title), course.definition.slug, course.definition.id):
                return course
        return self.course

    def _problem(self, number: int, what: str) -> None:
        self.found.problems.append(f"line {number}: {what}")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().strip("\ufeff").lower()


def _is_yes(value: str | None) -> bool:
    return (value or "").strip().lower() not in _NO


def _date(text: str) -> datetime | None:
    text = text.strip().removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = next((found for form in _DATES if (found := _strptime(text, form))), None)  # type: ignore[assignment]
    if moment is None:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - UTC is put in by the caller
    except ValueError:
        return None


def _amount(text: str, currency: str) -> int | None:
    """Minor units: “$1,234.50”, “1.234,50 €”, “49”; nothing is 0."""
    digits = re.sub(r"[^\d.,-]", "", text)
    if not digits:
        return 0 if not re.search(r"\d", text) else None
    if re.search(r",\d{1,2}$", digits):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        value = Decimal(digits.replace(",", "")).scaleb(minor_unit_digits(currency))
    except (InvalidOperation, KeyError, ValueError):
        return None
    return int(value) if 0 <= value < 10**10 and value == value.to_integral_value() else None

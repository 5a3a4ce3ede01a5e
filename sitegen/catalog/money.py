"""Money and durations as text for people."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency

from sitegen.catalog import currencies
from sitegen.catalog.words import Words


def minor_unit_digits(currency: str) -> int:
    """How many digits of an amount are after the decimal point."""
    return currencies.currency(currency).digits


@lru_cache(maxsize=4096)
def format_money(amount: int, currency: str, language: str = "en") -> str:
    """4900, EUR → “€49”; 4950 → “€49.50”. Whole amounts are shown without decimals."""
    digits = minor_unit_digits(currency)
    value = Decimal(amount).scaleb(-digits)
    locale = Locale.parse(language, sep="-")
    if digits and value == value.to_integral_value():
        pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
        return format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)
    return format_currency(value, currency, locale=locale)


def format_duration(seconds: int, say: Words) -> str:
    """400 → “7 min”; 4800 → “1 h 20 min”; under a minute in seconds."""
    if seconds < 60:
        return say("{seconds} s", seconds=seconds)
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return say("{minutes} min", minutes=minutes)
    if not minutes:
        return say("{hours} h", hours=hours)
    return say("{hours} h {minutes} min", hours=hours, minutes=minutes)


def format_clock(seconds: int) -> str:
    """400 → “6:40”."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def iso_duration(seconds: int) -> str:
    """400 → “PT6M40S” (ISO 8601)."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{rest}S" if rest else "")

"""How Stripe counts each currency: one table for what is shown, charged, rounded and refused.

ISO 4217 and browsers disagree with it for some (ISK, UGX, MGA, HUF …), so neither is asked.
https://docs.stripe.com/currencies
"""

from typing import NamedTuple

from babel.numbers import list_currencies


class Currency(NamedTuple):
    """`digits` of an amount are after the decimal point; amounts are multiples of `step`, from `least` to `most`.

    `least` is known for currencies that Stripe settles in. For others it depends on a rate of the day, and is 1 step.
    """

    digits: int
    step: int
    least: int
    most: int


_ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905
_THREE_DECIMAL = ("BHD", "JOD", "KWD", "OMR", "TND")
_WHOLE_UNITS = ("ISK", "UGX")  # sent as if they had two decimals, which must be 00
_LEAST = {
    50: "USD ARS AUD BRL CAD CHF COP EUR IDR ILS INR NZD PHP RUB SGD ZAR JPY KRW",
    30: "GBP",
    200: "AED MYR PLN RON",
    250: "DKK",
    300: "NOK SEK",
    400: "HKD",
    1000: "MXN THB",
    1500: "CZK",
    17500: "HUF",
}
_MOST = 99_999_999
_LARGER = {"INR": 999_999_999, "COP": 9_999_999_999, "IDR": 999_999_999_999}


def is_currency(code: str) -> bool:
    """Whether the code is one of ISO 4217's."""
    return code in list_currencies()


def currency(code: str) -> Currency:
    """What Stripe takes in a currency, amounts in its minor units."""
    digits = 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMAL else 2
    step = 10 if code in _THREE_DECIMAL else 100 if code in _WHOLE_UNITS else 1
    least = next((amount for amount, codes in _LEAST.items() if code in codes.split()), step)
    return Currency(digits, step, least, _LARGER.get(code, _MOST))

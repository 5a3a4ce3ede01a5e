"""What stands beside a price about taxes, by what the seller says and the seller's country."""

from typing import Literal

from sitegen.catalog.words import Sentence, Words

Taxes = Literal["included", "added", "none"]

# What the tax on sales is called, by ISO 3166's code of the country; in all others it is VAT.
_GST = frozenset({"AU", "IN", "MV", "MY", "NZ", "PG", "SG"})
_SALES_TAX = frozenset({"CA", "US"})  # Canada has several, by province
_CONSUMPTION_TAX = frozenset({"JP"})

_NOTES: dict[str, dict[Taxes, str]] = {
    "VAT": {
        "included": Sentence("including VAT"),
        "added": Sentence("plus VAT"),
        "none": Sentence("no VAT is charged"),
    },
    "GST": {
        "included": Sentence("including GST"),
        "added": Sentence("plus GST"),
        "none": Sentence("no GST is charged"),
    },
    "sales tax": {
        "included": Sentence("including sales tax"),
        "added": Sentence("plus sales tax where it applies"),
        "none": Sentence("no sales tax is charged"),
    },
    "consumption tax": {
        "included": Sentence("including consumption tax"),
        "added": Sentence("plus consumption tax"),
        "none": Sentence("no consumption tax is charged"),
    },
}


def tax_note(country: str, taxes: Taxes, words: Words) -> str:
    """The note in the page's language."""
    return words.in_own(_NOTES[_kind(country)][taxes])


def _kind(country: str) -> str:
    if country in _GST:
        return "GST"
    if country in _SALES_TAX:
        return "sales tax"
    return "consumption tax" if country in _CONSUMPTION_TAX else "VAT"

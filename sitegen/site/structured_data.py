"""schema.org descriptions, as pure functions. `to_json` is the only way they reach a page."""

import json
from collections.abc import Mapping

from sitegen import urls
from sitegen.catalog.money import iso_duration, minor_unit_digits
from sitegen.catalog.public import PublicCatalog, PublicCourse


def course(public: PublicCatalog, item: PublicCourse, site_url: str) -> dict[str, object]:
    """A Course with its offer (https://schema.org/Course)."""
    address = site_url + urls.course(item.slug)
    described: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Course",
        "name": item.title,
        "description": item.summary,
        "url": address,
        "provider": {"@type": "Organization", "name": public.site.name, "url": site_url},
        "inLanguage": public.site.language,
        "hasCourseInstance": {
            "@type": "CourseInstance",
            "courseMode": "Online",
            "courseWorkload": iso_duration(item.duration or 60),
            "instructor": {"@type": "Person", "name": item.instructor.name},
        },
    }
    if not item.is_for_sale:
        return described
    if item.price:
        digits = minor_unit_digits(item.price.currency)
        described["offers"] = {
            "@type": "Offer",
            "category": "Paid",
            "price": f"{item.price.amount / 10**digits:.{digits}f}",
            "priceCurrency": item.price.currency,
            "url": address,
        }
    else:
        described["offers"] = {"@type": "Offer", "category": "Free", "price": "0", "priceCurrency": "EUR"}
    return described


def course_list(public: PublicCatalog, site_url: str) -> dict[str, object]:
    """The catalogue as an ItemList (https://developers.google.com/search/docs/appearance/structured-data/course)."""
    return {
        "@context": "https://schema.org",
        "@type": "ItemList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "url": site_url + urls.course(item.slug)}
            for number, item in enumerate(public.courses, start=1)
        ],
    }


def to_json(described: Mapping[str, object]) -> str:
    """JSON that cannot end the script element around it."""
    text = json.dumps(described, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

"""schema.org descriptions, as pure functions. `to_json` is the only way they reach a page.

What search engines require of each type: https://developers.google.com/search/docs/appearance/structured-data
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sitegen import urls
from sitegen.catalog.model import Instructor, Site
from sitegen.catalog.money import iso_duration, minor_unit_digits
from sitegen.catalog.public import PublicCatalog, PublicCourse, PublicLesson
from sitegen.content.load import Post
from sitegen.site.page import Crumb

Described = dict[str, object]


def organization(site: Site, site_url: str) -> Described:
    """The school."""
    described: Described = {
        "@type": "Organization",
        "@id": f"{site_url}/#school",
        "name": site.name,
        "url": f"{site_url}/",
        "email": site.contact_email,
        "description": site.description,
    }
    if site.logo:
        described["logo"] = site_url + site.logo.address
    if site.social:
        described["sameAs"] = [each.link for each in site.social]
    if site.seller:
        described["legalName"] = site.seller.name
        described["address"] = {
            "@type": "PostalAddress",
            "streetAddress": site.seller.address,
            "addressCountry": site.seller.country,
        }
        if site.seller.vat_id:
            described["vatID"] = site.seller.vat_id
    return described


def website(site: Site, site_url: str) -> Described:
    """The site."""
    return {
        "@type": "WebSite",
        "@id": f"{site_url}/#site",
        "name": site.name,
        "url": f"{site_url}/",
        "inLanguage": site.language,
        "publisher": {"@id": f"{site_url}/#school"},
    }


def person(teacher: Instructor, site_url: str) -> Described:
    """A teacher."""
    described: Described = {
        "@type": "Person",
        "name": teacher.name,
        "url": site_url + urls.teacher(teacher.id),
        "worksFor": {"@id": f"{site_url}/#school"},
    }
    if teacher.role:
        described["jobTitle"] = teacher.role
    if teacher.photo:
        described["image"] = site_url + teacher.photo.address
    return described


def course(public: PublicCatalog, item: PublicCourse, site_url: str, picture: str) -> Described:
    """A Course with its offer, its teacher, and what learners of this school say of it."""
    address = site_url + urls.course(item.slug)
    described: Described = {
        "@type": "Course",
        "@id": f"{address}#course",
        "name": item.title,
        "description": item.description,
        "url": address,
        "provider": {"@type": "Organization", "name": public.site.name, "sameAs": f"{site_url}/"},
        "inLanguage": item.language or public.site.language,
        "hasCourseInstance": {
            "@type": "CourseInstance",
            "courseMode": "Online",
            **({"courseWorkload": iso_duration(item.duration)} if item.duration else {}),
            "instructor": {
                "@type": "Person",
                "name": item.instructor.name,
                "url": site_url + urls.teacher(item.instructor.id),
            },
        },
    }
    if picture:
        described["image"] = [site_url + picture]
    if item.level != "all":
        described["educationalLevel"] = item.level.capitalize()
    if item.tags:
        described["about"] = list(item.tags)
    # Search engines want the site's own users: what was written elsewhere, and what the creator chose, is left out.
    own = [review for review in item.reviews if review.verified]
    if own:
        described["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(sum(review.stars for review in own) / len(own), 2),
            "ratingCount": len(own),
            "bestRating": 5,
            "worstRating": 1,
        }
        described["review"] = [
            {
                "@type": "Review",
                "author": {"@type": "Person", "name": review.name},
                "datePublished": review.day.isoformat(),
                "reviewBody": review.text,
                "reviewRating": {"@type": "Rating", "ratingValue": review.stars, "bestRating": 5, "worstRating": 1},
            }
            for review in own[:10]
        ]
    if not item.is_for_sale:
        return described
    if item.price:
        digits = minor_unit_digits(item.price.currency)
        described["offers"] = {
            "@type": "Offer",
            "category": "Paid",
            "price": f"{item.price.amount / 10**digits:.{digits}f}",
            "priceCurrency": item.price.currency,
            "availability": "https://schema.org/InStock",
            "url": address,
        }
    else:
        described["offers"] = {"@type": "Offer", "category": "Free", "price": "0", "priceCurrency": "EUR"}
    return described


def course_list(courses: Sequence[PublicCourse], site_url: str) -> Described:
    """Courses as an ItemList."""
    return {
        "@type": "ItemList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "url": site_url + urls.course(item.slug)}
            for number, item in enumerate(courses, start=1)
        ],
    }


def questions(item: PublicCourse) -> Described:
    """The course's questions as an FAQPage."""
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": each.question,
                "acceptedAnswer": {"@type": "Answer", "text": each.answer_html},
            }
            for each in item.questions
        ],
    }


def video(
    item: PublicCourse, lesson: PublicLesson | None, url: str, site_url: str, *, since: datetime, picture: str
) -> Described:
    """A free video: the introduction, or a preview lesson. `since` is when its course was first published."""
    return {
        "@type": "VideoObject",
        "name": lesson.title if lesson else item.title,
        "description": (lesson.summary if lesson else None) or item.description,
        "thumbnailUrl": [site_url + picture],
        "uploadDate": since.isoformat(),
        "duration": iso_duration((lesson.duration if lesson else item.intro_duration) or 0),
        "embedUrl": site_url + url,
        "isAccessibleForFree": True,
    }


def article(post: Post, site: Site, site_url: str, picture: str, changed: datetime | None) -> Described:
    """A post."""
    authors = [{"@type": "Person", "name": name} for name in post.authors]
    described: Described = {
        "@type": "BlogPosting",
        "headline": post.title[:110],
        "description": post.summary,
        "datePublished": post.date.isoformat(),
        "author": authors or [{"@type": "Organization", "name": site.name, "url": f"{site_url}/"}],
        "publisher": {"@type": "Organization", "name": site.name, "url": f"{site_url}/"},
        "mainEntityOfPage": site_url + post.address,
    }
    if picture:
        described["image"] = [site_url + picture]
    if changed is not None:
        described["dateModified"] = changed.isoformat()
    return described


def breadcrumb(crumbs: Sequence[Crumb], site_url: str) -> Described:
    """Where a page is: the same as the visible one."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": number, "name": name, "item": site_url + address}
            for number, (name, address) in enumerate(crumbs, start=1)
        ],
    }


def to_json(described: Sequence[Mapping[str, object]]) -> str:
    """JSON that cannot end the script element around it."""
    text = json.dumps({"@context": "https://schema.org", "@graph": list(described)}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

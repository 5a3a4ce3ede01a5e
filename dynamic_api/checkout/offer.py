"""What is sold together on one payment page. Everything sold today is one course."""

from dataclasses import dataclass

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.gateways.checkout_page import CheckoutLine
from dynamic_api.orders.create import Item
from sitegen.catalog.model import Price


def product_id(installation: str, course: str) -> str:
    """What a course is called at Stripe. Two installations that sell through one account never share a product."""
    return f"coursewright_{installation}_{course}"


@dataclass(frozen=True)
class OfferedCourse:
    """A course, and its price within the offer."""

    course: CatalogCourse
    price: Price

    def product_id(self, installation: str) -> str:
        """What it is called at Stripe."""
        return product_id(installation, self.course.definition.id)


@dataclass(frozen=True)
class Offer:
    """Courses that are bought at once, all in one currency. Never empty."""

    courses: tuple[OfferedCourse, ...]

    @property
    def course_ids(self) -> tuple[int, ...]:
        """Their ids."""
        return tuple(each.course.id for each in self.courses)

    @property
    def price(self) -> Price:
        """What all of them cost."""
        return Price(amount=sum(each.price.amount for each in self.courses), currency=self.courses[0].price.currency)

    @property
    def slug(self) -> str:
        """The course whose page a buyer came from."""
        return self.courses[0].course.definition.slug

    def items(self, installation: str) -> list[Item]:
        """As lines of an order."""
        return [
            Item(each.course.id, each.price.amount, product_id=each.product_id(installation)) for each in self.courses
        ]

    def checkout_lines(self, installation: str) -> tuple[CheckoutLine, ...]:
        """As lines of a payment page."""
        return tuple(
            CheckoutLine(each.product_id(installation), each.course.definition.title, each.price.amount, quantity=1)
            for each in self.courses
        )


def offer_of(course: CatalogCourse) -> Offer:
    """A course by itself, at the catalogue's price."""
    if course.definition.price is None:
        raise ValueError("a free course is not bought")
    return Offer((OfferedCourse(course, course.definition.price),))

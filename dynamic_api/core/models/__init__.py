"""The whole schema. Constraints carry the rules; code only explains them."""

from dynamic_api.core.models.base import Base, Json, OrderId
from dynamic_api.core.models.catalog import CatalogRow, CatalogState, Course, Lesson, Module, Resource
from dynamic_api.core.models.orders import Entitlement, Gift, ImportedOrder, Order, OrderLine
from dynamic_api.core.models.people import AccessToken, OneTimeLink, User, WebSession
from dynamic_api.core.models.progress import CourseProgress, Progress
from dynamic_api.core.models.voices import NewsReader, Review
from dynamic_api.core.models.work import AuditEntry, Installation, Job, WebhookEvent

__all__ = [
    "AccessToken",
    "AuditEntry",
    "Base",
    "CatalogRow",
    "CatalogState",
    "Course",
    "CourseProgress",
    "Entitlement",
    "Gift",
    "ImportedOrder",
    "Installation",
    "Job",
    "Json",
    "Lesson",
    "Module",
    "NewsReader",
    "OneTimeLink",
    "Order",
    "OrderId",
    "OrderLine",
    "Progress",
    "Resource",
    "Review",
    "User",
    "WebSession",
    "WebhookEvent",
]

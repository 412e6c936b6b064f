from apps.crm.models.activities import Note, Task
from apps.crm.models.consents import Consent
from apps.crm.models.deals import Deal, Pipeline, Stage
from apps.crm.models.imports import Import, ImportRow, ImportRowError
from apps.crm.models.orders import Order
from apps.crm.models.people import Company, Contact, ContactTag, Tag
from apps.crm.models.privacy import PrivacyRequest
from apps.crm.models.retention import RetentionRule
from apps.crm.models.segments import Segment, SegmentChange, SegmentMember

__all__ = [
    "Company",
    "Consent",
    "Contact",
    "ContactTag",
    "Deal",
    "Import",
    "ImportRow",
    "ImportRowError",
    "Note",
    "Order",
    "Pipeline",
    "PrivacyRequest",
    "RetentionRule",
    "Segment",
    "SegmentChange",
    "SegmentMember",
    "Stage",
    "Tag",
    "Task",
]

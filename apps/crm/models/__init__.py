from apps.crm.models.imports import Import, ImportRow, ImportRowError
from apps.crm.models.orders import Order
from apps.crm.models.people import Company, Consent, Contact, ContactTag, Tag

__all__ = [
    "Company",
    "Consent",
    "Contact",
    "ContactTag",
    "Import",
    "ImportRow",
    "ImportRowError",
    "Order",
    "Tag",
]

"""The events that crm tells to webhook endpoints (tenants/outbound)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants.outbound import Event

_MOVED: dict[str, Any] = {
    "segment": {"id": "01900000-0000-7000-8000-000000000001", "name": "Big spenders"},
    "contacts": ["01900000-0000-7000-8000-000000000002"],
}
EVENTS = (
    Event(
        "segment.entered", _("Contacts have come into a segment: up to 400 in an event."), _MOVED
    ),
    Event("segment.left", _("Contacts have gone out of a segment: up to 400 in an event."), _MOVED),
)

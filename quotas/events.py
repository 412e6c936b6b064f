"""The events that quotas tells to webhook endpoints (tenants/outbound)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants.outbound import Event

_USAGE: dict[str, Any] = {
    "meter": "contacts",
    "unit": "contact",
    "limit": 5_000,
    "used": 4_010,
    "hard": True,
    "billed": False,
    "period_starts_at": None,
    "resets_at": None,
    "upgrade_to": "growth",
    "forecast": {
        "runs_out_on": "2026-11-23",
        "earliest_on": "2026-11-21",
        "latest_on": "2026-11-26",
    },
}
EVENTS = (
    Event(
        "usage.threshold_reached",
        _(
            "A meter's usage has reached a part of its limit; lower ones passed at once are in passed."
        ),
        {**_USAGE, "percent": 80, "passed": [50]},
    ),
    Event(
        "usage.limit_reached",
        _("A meter's limit is used up."),
        {**_USAGE, "used": 5_000, "percent": 100, "passed": [90]},
    ),
    Event(
        "usage.forecast",
        _("At the present pace a meter's limit will be reached before its period ends."),
        _USAGE,
    ),
    Event(
        "spend_cap.reached",
        _(
            "Usage above the included has come to 80 or 100 % of the spend cap; stopped are meters that the rest does not pay for."
        ),
        {
            "percent": 80,
            "cap": {"amount": 5_000, "currency": "USD"},
            "spent": {"amount": 4_000, "currency": "USD"},
            "stopped": [],
            "period_starts_at": "2026-11-01T00:00:00Z",
            "resets_at": "2026-12-01T00:00:00Z",
        },
    ),
)

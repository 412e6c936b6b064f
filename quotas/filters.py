"""What the ledger's list can be narrowed by."""

from config.filters import StrictFilterSet, text_filter
from quotas.models import UsageEvent

_MOMENT = ["gte", "gt", "lte", "lt"]


class UsageEventFilter(StrictFilterSet):
    key = text_filter()

    class Meta:
        model = UsageEvent
        fields = {
            "meter": ["exact"],
            "kind": ["exact"],
            "corrects": ["exact"],
            "is_late": ["exact"],
            "occurred_at": _MOMENT,
            "recorded_at": _MOMENT,
            "period_start": ["exact", *_MOMENT],
        }

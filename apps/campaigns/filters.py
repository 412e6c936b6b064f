"""What the list of campaigns can be narrowed by."""

from django_filters import rest_framework as filters

from apps.campaigns.models import Campaign, Recipient
from config.filters import StrictFilterSet


class CampaignFilter(StrictFilterSet):
    """`?search=` looks into the name, whatever its case and accents."""

    search = filters.CharFilter(
        field_name="name", lookup_expr="unaccent__icontains", max_length=200
    )

    class Meta:
        model = Campaign
        fields = {
            "status": ["exact"],
            "type": ["exact"],
            "created_at": ["gte", "gt", "lte", "lt"],
            "starts_at": ["gte", "gt", "lte", "lt"],
            "ends_at": ["gte", "gt", "lte", "lt"],
        }


class RecipientFilter(StrictFilterSet):
    class Meta:
        model = Recipient
        fields = {"state": ["exact"], "contact_id": ["exact"]}

"""What the tests of campaigns' addresses share."""

from datetime import datetime

from apps.campaigns.models import Campaign
from config.needs import Meter
from quotas import ledger
from tenants.isolation import tenant_context
from tests.factories_campaigns import CampaignFactory

URL = "/api/v1/campaigns"
WISH = {"name": "Spring", "type": "email", "budget": {"amount": 150_000, "currency": "USD"}}
BLANK = {"name": ["This field may not be blank."]}
VERBS = ("schedule", "activate", "pause", "resume", "complete", "cancel")


def made(tenant, **fields) -> Campaign:
    with tenant_context(tenant):
        return CampaignFactory(**fields)


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def used(tenant, now) -> int:
    """Campaigns counted against the tenant's plan."""
    found = {each.meter: each.used for each in ledger.usage(tenant_id=tenant.id, now=now)}
    return found[Meter.CAMPAIGNS]

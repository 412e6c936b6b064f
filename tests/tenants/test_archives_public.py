"""Which rows of public go into an archive, decided table by table."""

from contextlib import closing

import pytest

from tenants.archives.public_data import open_columns, public_tables
from tenants.engine.owner import owner_connection

pytestmark = pytest.mark.django_db


def test_which_public_rows_are_exported_is_decided_here():
    # A new table of public fails here: decide whether it holds a secret (tenants/archives/public_data.py).
    with closing(owner_connection()) as owner:
        exported = {table.name: set(open_columns(table)) for table in public_tables(owner)}
    assert exported == {
        "billing_billedusage": {"tenant_id", "meter", "period_start", "period_end", "units"},
        "billing_invitation": {
            "id", "tenant_id", "email", "role", "invited_by_id", "created_at", "sent_at",
            "expires_at", "accepted_at", "ended_at", "custom_role_id",
        },
        "billing_scaling": {"tenant_id", "scaled_at", "shares"},
        "billing_taxprofile": {
            "tenant_id", "name", "country", "tax_id", "address", "city", "region", "postal_code",
            "tax_id_verified_at", "updated_at",
        },
        "quotas_apicallshare": {"tenant_id", "period_start", "app", "caller", "calls"},
        "quotas_grant": {
            "tenant_id", "source", "plan", "features", "limits", "rates", "ladder",
            "feature_ladder", "priority", "granted_at", "expires_at", "adds", "anchored_at",
            "interval", "granted_by", "reason", "budget_unit", "weights",
        },
        "quotas_hold": {"tenant_id", "code", "held_at"},
        "quotas_alertsetting": {"tenant_id", "meter", "by_mail", "by_webhook", "extra_percents",
                                "roles", "quiet_hours"},
        "quotas_spend": {"tenant_id", "period_start", "spent", "carried", "since"},
        "quotas_spendcap": {"tenant_id", "amount", "unit", "set_by", "set_at"},
        "quotas_usagealert": {"id", "tenant_id", "meter", "period_start", "percent", "limit",
                              "used", "is_told", "told_at"},
        "quotas_usageday": {"tenant_id", "meter", "day", "period_start", "used"},
        "quotas_usageevent": {
            "tenant_id", "id", "recorded_at", "meter", "key", "kind", "quantity", "period_start",
            "occurred_at", "is_late", "properties", "value", "corrects", "reason",
            "app", "member_id", "campaign_id",
        },
        "quotas_usagetotal": {
            "tenant_id", "meter", "period_start", "used", "last_at", "carried",
        },
        "quotas_usagevalue": {"tenant_id", "meter", "period_start", "digest", "times"},
        "tenants_customrole": {
            "id", "tenant_id", "name", "description", "permissions", "created_at",
        },
        "tenants_domain": {
            "id", "domain", "is_primary", "tenant_id", "verified_at", "created_at",
        },
        "tenants_retiredslug": {"slug", "until", "tenant_id"},
        "tenants_trailhead": {*("tenant_id", "number", "digest", "reached_at"),
                              *("pruned_number", "pruned_digest", "pruned_before")},
        "tenants_trailpending": {"tenant_id", "id", "recorded_at", "body"},
        "tenants_webhookendpoint": {"id", "tenant_id", "url", "description", "events",
                                    "disabled_reason", "disabled_at", "failing_since", "created_at"},
    }  # fmt: skip

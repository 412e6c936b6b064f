"""Close, and restore inside the window: the state leads back to where it was."""

from datetime import timedelta

import pytest

from config.errors import ValidationFailed
from tenants import life, services
from tenants.life.refusals import RestoreTooLate, TenantNotOpen
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def test_a_closed_tenant_refuses_work_and_keeps_usage_and_plan_reachable(acme, api, now):
    client = api(acme)
    closed = life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)

    refused = client.get("/api/v1/contacts", status=403)
    client.get("/api/v1/usage")
    client.get("/api/v1/subscription")

    assert (refused["code"], refused["reason"]) == ("tenant_closing", "Moving on.")
    assert closed.erase_after == now + timedelta(days=30)


@pytest.mark.parametrize("former", ["active", "suspended"])
def test_restoring_inside_the_window_leads_back_to_the_former_state(acme, api, now, former):
    if former == "suspended":
        services.suspend(tenant_id=acme.id, reason="unpaid")
    life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)
    inside = now + timedelta(days=30, seconds=-1)
    restored = life.restore(tenant_id=acme.id, by="console", now=inside)

    assert (restored.status, restored.closing_reason, restored.erase_after) == (former, "", None)
    assert restored.suspended_reason == ("unpaid" if former == "suspended" else "")
    api(acme).get("/api/v1/contacts", status=200 if former == "active" else 403)


def test_closing_and_restoring_twice_change_nothing_more(acme, now):
    first = life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)
    again = life.close(tenant_id=acme.id, reason="Other.", by="x", now=now + timedelta(days=3))
    assert (again.erase_after, again.closing_reason) == (first.erase_after, "Moving on.")

    life.restore(tenant_id=acme.id, by="console", now=now)
    assert life.restore(tenant_id=acme.id, by="console", now=now).status == "active"


def test_there_is_no_way_back_from_the_end_of_the_window_on(acme, now):
    life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)
    with pytest.raises(RestoreTooLate):
        life.restore(tenant_id=acme.id, by="console", now=now + timedelta(days=30))


@pytest.mark.parametrize("status", [Tenant.Status.PROVISIONING, Tenant.Status.CLOSED])
def test_only_an_open_tenant_is_closed(acme, now, status):
    Tenant.objects.filter(pk=acme.pk).update(status=status)
    with pytest.raises(TenantNotOpen):
        life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)


def test_closing_needs_a_reason(acme, now):
    with pytest.raises(ValidationFailed):
        life.close(tenant_id=acme.id, reason="  ", by="console", now=now)


def test_a_closing_tenant_is_not_suspended_out_of_its_window(acme, now):
    life.close(tenant_id=acme.id, reason="Moving on.", by="console", now=now)
    with pytest.raises(TenantNotOpen):
        services.suspend(tenant_id=acme.id, reason="unpaid")

"""Every act that a trail should tell is told, with what changed, in the transaction of the act."""

import io
from datetime import timedelta

import pytest

from billing.services import changes, extras
from billing.services.extras import Extra, Source
from config.needs import Meter
from tenants import hosts, life, services, shares
from tenants.isolation import tenant_context
from tenants.models import TrailPending
from tests import factories
from tests.billing.paying import paying
from tests.tenants.endings import own_files  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_files")]


def told(tenant) -> list[tuple[str, dict, dict]]:
    """(action, before, after) of what has been recorded, the making of members left out."""
    rows = TrailPending.objects.filter(tenant_id=tenant.pk).order_by("recorded_at", "id")
    return [
        (row.body["action"], row.body["before"], row.body["after"])
        for row in rows
        if row.body["action"] != "member.added"
    ]


def actions(tenant) -> list[str]:
    return [action for action, _before, _after in told(tenant)]


def test_the_life_of_a_tenant(acme, now):
    services.suspend(tenant_id=acme.pk, reason="Unpaid")
    services.resume(tenant_id=acme.pk)
    services.resume(tenant_id=acme.pk)  # changes nothing, and is not told
    shares.scale(tenant_id=acme.pk, by_hand={"worker_slots": 9}, now=now)
    hosts.rename(tenant_id=acme.pk, slug="acme-two", now=now)
    extras.give(
        tenant_id=acme.pk, extra=Extra(Source.GIFT, "x", adds={Meter.EMAILS: 5}), by="me",
        reason="Sorry", now=now,
    )  # fmt: skip
    extras.withdraw(tenant_id=acme.pk, source=Source.GIFT, key="x", by="me", reason="Enough")
    changes.change_plan(tenant_id=acme.pk, plan="free", now=now)
    life.close(tenant_id=acme.pk, reason="Over", by="me", now=now)
    life.restore(tenant_id=acme.pk, by="me", now=now)

    found = {action: (before, after) for action, before, after in told(acme)}

    assert [*found] == [
        "tenant.suspended", "tenant.resumed", "tenant.scaled", "tenant.renamed",
        "entitlement.given", "entitlement.withdrawn", "plan.changed", "tenant.closed",
        "tenant.restored",
    ]  # fmt: skip
    assert len(told(acme)) == len(found)
    assert found["tenant.scaled"] == ({"worker_slots": 4}, {"worker_slots": 9})
    assert found["tenant.renamed"] == ({"slug": "acme"}, {"slug": "acme-two"})
    assert found["plan.changed"] == ({"plan": "growth"}, {"plan": "free"})
    assert found["entitlement.given"][1]["reason"] == "Sorry"


def test_keys_domains_alerts_webhooks_and_exports(acme, api):
    client = api(acme)
    key = client.post("/api/v1/api-keys", {"name": "k", "scopes": ["read"]})
    client.delete(f"/api/v1/api-keys/{key['id']}")
    client.delete(f"/api/v1/api-keys/{key['id']}")  # again changes nothing
    domain = client.post("/api/v1/domains", {"domain": "shop.example.com"})
    client.delete(f"/api/v1/domains/{domain['id']}")
    client.put("/api/v1/usage/alerts/emails", {"quiet_hours": 3})
    hook = client.post(
        "/api/v1/webhook-endpoints",
        {"url": "https://example.com/h", "events": ["usage.threshold_reached"]},
    )
    client.patch(f"/api/v1/webhook-endpoints/{hook['id']}", {"is_enabled": False})
    client.post(f"/api/v1/webhook-endpoints/{hook['id']}/rotate", status=200)
    client.delete(f"/api/v1/webhook-endpoints/{hook['id']}")
    client.post("/api/v1/exports", status=202)
    client.post("/api/v1/exports", status=202)  # the one that is queued

    assert actions(acme) == [
        "api_key.created", "api_key.revoked", "domain.claimed", "domain.removed", "alerts.changed",
        "webhook_endpoint.created", "webhook_endpoint.changed", "webhook_endpoint.secret_rotated",
        "webhook_endpoint.deleted", "export.requested",
    ]  # fmt: skip
    [(before, after)] = [each[1:] for each in told(acme) if each[0] == "alerts.changed"]
    assert (before["quiet_hours"], after["quiet_hours"]) == (48, 3)
    changed = {"disabled_reason": ""}, {"disabled_reason": "by_hand"}
    assert ("webhook_endpoint.changed", *changed) in told(acme)


def test_seats_changes_of_what_is_paid_coupons_and_the_spend_cap(acme, api, now):
    paying(acme, at=now)
    client = api(acme)
    seat = client.post("/api/v1/seats", {"email": "ana@guests.test", "role": "editor"})
    client.delete(f"/api/v1/seats/{seat['id']}")
    member = factories.MemberFactory(tenant=acme, role="member")
    client.delete(f"/api/v1/seats/{member.pk}")
    client.post(
        "/api/v1/subscription/preview", {"plan": "scale", "coupon": "WELCOME20"}, status=200
    )
    client.post("/api/v1/subscription/change", {"seats": 25}, status=200)
    client.post("/api/v1/coupons/redeem", {"code": "WELCOME20"})
    client.put("/api/v1/spend-cap", {"cap": {"amount": 500, "currency": "USD"}})
    client.put("/api/v1/spend-cap", {"cap": None})

    found = {action: (before, after) for action, before, after in told(acme)}

    assert [*found] == [
        "member.invited", "invitation.ended", "member.removed", "plan.change_requested",
        "entitlement.given", "coupon.redeemed", "spend_cap.changed",
    ]  # fmt: skip
    assert found["member.invited"] == ({}, {"role": "editor"})
    assert found["member.removed"] == ({"role": "member"}, {})
    assert found["plan.change_requested"] == ({"seats": 20}, {"seats": 25})
    assert found["spend_cap.changed"] == ({"amount": 500, "unit": "USD"}, {})


def test_what_is_deleted_imported_and_set_in_motion(acme, api, now):
    client = api(acme)
    with tenant_context(acme):
        made = {
            "contacts": factories.ContactFactory().pk,
            "companies": factories.CompanyFactory().pk,
            "orders": factories.OrderFactory().pk,
            "tags": factories.TagFactory().pk,
            "segments": factories.SegmentFactory().pk,
            "deals": factories.DealFactory().pk,
            "pipelines": factories.PipelineFactory().pk,
            "notes": factories.NoteFactory().pk,
            "tasks": factories.TaskFactory().pk,
            "briefs": factories.BriefFactory().pk,
            "pieces": factories.PieceFactory().pk,
            "templates": factories.TemplateFactory().pk,
            "campaigns": factories.CampaignFactory().pk,
        }
        moved = factories.CampaignFactory(name="Spring").pk
    for noun, pk in made.items():
        client.delete(f"/api/v1/{noun}/{pk}")
    starts_at = (now + timedelta(days=1)).isoformat()
    client.post(f"/api/v1/campaigns/{moved}/schedule", {"starts_at": starts_at}, status=200)
    file = io.BytesIO(b"email\na@x.test\n")
    file.name = "people.csv"
    job = client.upload("/api/v1/imports", {"file": file})
    client.post(f"/api/v1/imports/{job['id']}/cancel", status=200)
    client.post(f"/api/v1/imports/{job['id']}/resume", status=202)

    assert actions(acme) == [
        "contact.deleted", "company.deleted", "order.deleted", "tag.deleted", "segment.deleted",
        "deal.deleted", "pipeline.deleted", "note.deleted", "task.deleted",
        "brief.deleted", "piece.deleted", "template.deleted", "campaign.deleted", "campaign.moved",
        "import.started", "import.cancelled", "import.resumed",
    ]  # fmt: skip
    assert ("campaign.moved", {"status": "draft"}, {"status": "scheduled"}) in told(acme)
    for refused in ("contacts", "tags", "campaigns"):
        client.delete(f"/api/v1/{refused}/{made[refused]}", status=404)
    assert len(actions(acme)) == 17

"""Every address of a tenant, asked by acme with globex's ids: not a byte of globex's, and nothing of it changed."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import URLPattern
from django.utils import timezone

from apps.campaigns.services.mailing.unsubscribing import token_of
from billing.services.grants import entitle
from config.checks import routes
from tenants.isolation import tenant_context
from tests import factories

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a-of-globex"
VERBS = ("get", "post", "put", "patch", "delete")

# What of globex's stands behind each noun. A new noun with an id must be placed here.
FOREIGN: dict[str, Callable[[], Any]] = {
    "contacts": lambda: factories.ContactFactory(first_name=CANARY),
    "companies": lambda: factories.CompanyFactory(name=CANARY),
    "orders": lambda: factories.OrderFactory(external_id=CANARY),
    "tags": lambda: factories.TagFactory(name=CANARY),
    "deals": lambda: factories.DealFactory(name=CANARY),
    "pipelines": lambda: factories.PipelineFactory(name=CANARY),
    "notes": lambda: factories.NoteFactory(text=CANARY),
    "tasks": lambda: factories.TaskFactory(title=CANARY),
    "segments": lambda: factories.SegmentFactory(name=CANARY),
    "imports": lambda: factories.ImportFactory(file_name=f"{CANARY}.csv"),
    "privacy-requests": lambda: factories.PrivacyRequestFactory(note=CANARY),
    "campaigns": lambda: factories.CampaignFactory(name=CANARY),
    "briefs": lambda: factories.BriefFactory(objective=CANARY),
    "templates": lambda: factories.TemplateFactory(name=CANARY),
    "pieces": lambda: factories.PieceFactory(title=CANARY),
    "audit-events": lambda: factories.TrailEventFactory(object_id=CANARY),
}
# Nouns of the square's tables, whose rows of globex are made with the tenant itself.
SHARED = {
    *("api-keys", "credits", "domains", "exports", "invitations", "invoices", "members", "roles"),
    *("sso-domains", "usage-events", "webhook-deliveries", "webhook-endpoints"),
}
# The same of nouns with ids that no list shows.
UNLISTED = {"credit-notes", "me", "seats", "unsubscribe"}
# Words in addresses that are no tenant's data.
WORDS = {"code": "not_found", "format": "json", "meter": "contacts", "name": "x", "slug": "x"}


def tenant_routes() -> list[tuple[str, URLPattern]]:
    return [
        (path, pattern)
        for path, pattern in routes(settings.ROOT_URLCONF)
        if not path.startswith("static/")
    ]


def spelled(route: str) -> tuple[str, list[str]]:
    """A route's pattern as `/a/{name}/b`, and the names."""
    text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", route)
    text = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)
    text = text.replace("^", "").replace("\\Z", "").replace("$", "").replace("\\.", ".")
    return "/" + text, re.findall(r"\{(\w+)\}", text)


def noun_of(address: str) -> str:
    parts = address.removeprefix("/api/v1/").removeprefix("/").split("/")
    return parts[0]


@pytest.fixture
def planted(globex) -> dict[str, str]:
    """One row of each noun in globex, each with the canary; noun -> id."""
    from tests.client import member_of

    with tenant_context(globex):
        ids = {noun: str(make().pk) for noun, make in FOREIGN.items()}
        named = {"campaign_id": UUID(ids["campaigns"]), "contact_id": UUID(ids["contacts"])}
        ids["unsubscribe"] = token_of(**named)
    member = member_of(globex)
    member.person.name = CANARY
    member.person.save()
    key = factories.ApiKeyFactory(tenant=globex, name=CANARY, created_by_id=member.id)
    entitle(tenant_id=globex.id, plan="growth", now=timezone.now())  # its own plan has no domains
    claim = factories.DomainClaimFactory(tenant=globex, domain=f"{CANARY}.example.com")
    sso_domain = factories.SsoDomainFactory(tenant=globex, domain=f"{CANARY}.example.net")
    export = factories.ArchiveFactory(tenant=globex, status="failed", error=CANARY)
    endpoint = factories.WebhookEndpointFactory(tenant=globex, description=CANARY)
    delivery = factories.WebhookDeliveryFactory(endpoint=endpoint, body=CANARY)
    event = factories.UsageEventFactory(tenant_id=globex.id, reason=CANARY)
    factories.UsageKeyFactory(tenant_id=globex.id, event_id=event.id, recorded_at=event.recorded_at)
    guest = factories.InvitationFactory(tenant=globex, email=f"{CANARY}@guests.test")
    sign_in = factories.SignInFactory(member=member, user_agent=CANARY)
    bill = factories.InvoiceFactory(tenant_id=globex.id, reference=CANARY)
    note = factories.CreditNoteFactory(tenant_id=globex.id, invoice=bill, reason=CANARY)
    role = factories.CustomRoleFactory(tenant=globex, name=f"{CANARY}"[:32], description=CANARY)
    credit = factories.CreditMovementFactory(tenant_id=globex.id, note=CANARY)
    shared = {
        "invoices": bill.pk, "credit-notes": note.pk, "credits": credit.pk,
        "members": member.pk, "api-keys": key.pk, "domains": claim.pk, "exports": export.pk,
        "webhook-endpoints": endpoint.pk, "webhook-deliveries": delivery.pk,
        "usage-events": event.key, "seats": guest.pk, "invitations": guest.pk, "roles": role.pk,
        "me": sign_in.pk, "sso-domains": sso_domain.pk,
    }  # fmt: skip
    return ids | {noun: str(pk) for noun, pk in shared.items()}


@pytest.mark.parametrize("route", [path for path, _ in tenant_routes()])
def test_an_address_asked_with_anothers_ids_shows_and_changes_nothing_of_theirs(
    route, acme, globex, api, planted
):
    address, names = spelled(route)
    noun = noun_of(address)
    filled = dict(WORDS)
    if set(names) - set(WORDS):
        assert noun in FOREIGN or noun in SHARED | UNLISTED, f"place {route!r} in FOREIGN"
        filled |= {name: planted[noun] for name in names if name not in WORDS}
    client = api(acme)
    before = contents(globex)

    for verb in VERBS:
        send = getattr(client.client, verb)
        options = {} if verb == "get" else {"content_type": "application/json", "data": "{}"}
        answer = send(address.format(**filled), **options)
        body = answer.getvalue() if answer.streaming else answer.content
        assert CANARY.encode() not in body, (verb, address)
        assert CANARY not in str(answer.headers), (verb, address)
        if filled.keys() - WORDS.keys():
            assert answer.status_code in {400, 403, 404, 405, 415}, (
                verb,
                address,
                answer.status_code,
            )

    assert contents(globex) == before


def contents(tenant) -> dict[str, list[Any]]:
    """Every row of a tenant's schema, by table."""
    from django.db import connection

    with tenant_context(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = current_schema() ORDER BY 1"
        )
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            found[table] = cursor.fetchall()
    return found


def test_the_canaries_were_there_to_be_found(globex, api, planted):
    """The other tests could fail: globex itself reads what acme may not."""
    client = api(globex)
    seen = []
    for noun in (*FOREIGN, *SHARED):
        answer = client.client.get(f"/api/v1/{noun}")
        if CANARY.encode() in answer.content:
            seen.append(noun)
    assert sorted(seen) == sorted([*FOREIGN, *SHARED])


def test_a_token_and_a_key_of_another_tenant_open_nothing(acme, globex, api, planted):
    from tests.client import Api

    made = api(globex).post("/api/v1/api-keys", {"name": "k", "scopes": ["read"]})
    key = Api(acme, {"Authorization": f"Api-Key {made['key']}"})
    token = Api(acme, {"Authorization": api(globex).authorization})

    assert key.get("/api/v1/contacts", status=403)["code"] == "api_key_invalid"
    assert token.get("/api/v1/contacts", status=401)["code"] == "token_invalid"

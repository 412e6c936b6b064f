"""Domains of their own: proved by a TXT record, looked up at a real name server, and only then answering."""

import io
import json
import time
from datetime import timedelta

import dns.rcode
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from billing.services.grants import entitle
from config.errors import NotFound
from tenants import domains
from tenants.models import Domain, DomainClaim
from tenants.tasks import tidy_hosts
from tests.tenants.name_server import NameServer

pytestmark = pytest.mark.django_db
SHOP = "shop.example.com"


@pytest.fixture
def name_server(settings):
    with NameServer() as running:
        settings.PLAZA_DNS_SERVERS = [running.address]
        yield running


@pytest.fixture
def claimed(api, name_server):
    """`claimed(tenant, domain)`: the domain, claimed over HTTP."""

    def claim(tenant, domain=SHOP):
        return api(tenant).post("/api/v1/domains", {"domain": domain})

    return claim


@pytest.fixture
def proved(api, claimed, name_server):
    """`proved(tenant, domain)`: the same, with its record in the DNS, and verified."""

    def prove(tenant, domain=SHOP):
        made = claimed(tenant, domain)
        name_server.says(made["record"]["name"], [made["record"]["value"]])
        return api(tenant).post(f"/api/v1/domains/{made['id']}/verify", status=200)

    return prove


def asked(host: str, path: str = "/api/v1/me"):
    return Client().get(path, headers={"Host": host})


def slug_at(host: str, tenant, api) -> str:
    """Whose host it is, asked with that tenant's token."""
    answer = Client().get(
        "/api/v1/me", headers={"Host": host, "Authorization": api(tenant).authorization}
    )
    return answer.json()["tenant"]["slug"] if answer.status_code == 200 else answer.json()["code"]


def test_a_domain_answers_once_its_record_is_found_and_not_before(acme, api, claimed, name_server):
    made = claimed(acme)
    record = made["record"]

    assert (made["domain"], made["status"], made["verified_at"]) == (SHOP, "pending", None)
    assert (record["type"], record["name"]) == ("TXT", f"_plaza.{SHOP}")
    assert asked(SHOP).json()["code"] == "unknown_host"
    refused = api(acme).post(f"/api/v1/domains/{made['id']}/verify", status=409)
    assert (refused["code"], refused["record"]) == ("domain_not_proved", record)
    assert asked(SHOP).json()["code"] == "unknown_host"

    name_server.says(record["name"], ["v=spf1 -all", record["value"]])
    verified = api(acme).post(f"/api/v1/domains/{made['id']}/verify", status=200)

    assert (verified["status"], verified["expires_at"]) == ("verified", None)
    assert slug_at(SHOP, acme, api) == "acme"
    assert asked("SHOP.Example.com.:8000").status_code == 401
    assert asked(f"www.{SHOP}").status_code == 404
    assert asked(SHOP, "/login").status_code == 200
    assert Domain.objects.get(tenant=acme, is_primary=True).domain == "acme.plaza.localhost"


def test_verifying_again_asks_nobody_and_changes_nothing(acme, api, proved, name_server):
    first = proved(acme)
    asked_before = len(name_server.asked)
    second = api(acme).post(f"/api/v1/domains/{first['id']}/verify", status=200)

    assert (second, len(name_server.asked)) == (first, asked_before)


def test_a_record_behind_an_alias_counts(acme, api, claimed, name_server):
    made = claimed(acme)
    name_server.aliases[made["record"]["name"]] = "proofs.example.net"
    name_server.says("proofs.example.net", [made["record"]["value"]])

    assert api(acme).post(f"/api/v1/domains/{made['id']}/verify", status=200)["verified_at"]


@pytest.mark.parametrize("values", [[], ["plaza-proof="], ["PLAZA"], ["x" * 300]])
def test_another_record_proves_nothing(acme, api, claimed, name_server, values):
    made = claimed(acme)
    name_server.says(made["record"]["name"], [*values, made["record"]["value"] + "x"])
    refused = api(acme).post(f"/api/v1/domains/{made['id']}/verify", status=409)

    assert refused["code"] == "domain_not_proved"


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, None])
def test_a_name_server_that_fails_is_503_within_the_bound(acme, api, claimed, name_server, rcode):
    made = claimed(acme)
    name_server.rcode = rcode
    began = time.monotonic()
    refused = api(acme).post(f"/api/v1/domains/{made['id']}/verify", status=503)

    assert refused["code"] == "name_servers_away"
    assert time.monotonic() - began < 6
    assert DomainClaim.objects.get().verified_at is None


def test_each_tenant_has_its_own_proof_and_anothers_is_worth_nothing(
    acme, globex, api, claimed, name_server, now
):
    entitle(tenant_id=globex.id, plan="growth", now=now)
    ours, theirs = claimed(acme), claimed(globex)
    name_server.says(ours["record"]["name"], [ours["record"]["value"]])

    assert ours["record"]["value"] != theirs["record"]["value"]
    refused = api(globex).post(f"/api/v1/domains/{theirs['id']}/verify", status=409)
    assert refused["code"] == "domain_not_proved"
    api(globex).post(f"/api/v1/domains/{ours['id']}/verify", status=404)
    assert api(acme).post(f"/api/v1/domains/{ours['id']}/verify", status=200)["verified_at"]


def test_a_proved_domain_goes_over_only_with_proof_and_after_the_former_lost_its(
    acme, globex, api, claimed, proved, name_server, now
):
    entitle(tenant_id=globex.id, plan="growth", now=now)
    first = proved(acme)
    second = claimed(globex)
    verify = f"/api/v1/domains/{second['id']}/verify"

    assert api(globex).post(verify, status=409)["code"] == "domain_not_proved"
    both = [first["record"]["value"], second["record"]["value"]]
    name_server.says(second["record"]["name"], both)
    assert api(globex).post(verify, status=409)["code"] == "domain_taken"
    assert slug_at(SHOP, acme, api) == "acme"

    name_server.says(second["record"]["name"], both[1:])
    api(globex).post(verify, status=200)

    assert (slug_at(SHOP, globex, api), slug_at(SHOP, acme, api)) == ("globex", "token_invalid")
    assert api(acme).get("/api/v1/domains")["results"][0]["status"] == "pending"
    assert [d.tenant_id for d in Domain.objects.filter(domain=SHOP)] == [globex.pk]


def test_a_removed_domain_is_nobody_s(acme, api, proved):
    made = proved(acme)
    api(acme).delete(f"/api/v1/domains/{made['id']}")

    assert asked(SHOP).json()["code"] == "unknown_host"
    assert api(acme).get("/api/v1/domains")["results"] == []
    api(acme).delete(f"/api/v1/domains/{made['id']}", status=404)


def test_unproved_claims_are_forgotten_after_7_days_and_proved_ones_stay(acme, proved, now):
    long_ago = now - timedelta(days=8)
    proved(acme)
    DomainClaim.objects.update(created_at=long_ago)
    domains.add(tenant_id=acme.id, name="old.example.com", now=long_ago)
    domains.add(tenant_id=acme.id, name="new.example.com", now=now)

    assert tidy_hosts() == 1
    assert sorted(claim.domain for claim in DomainClaim.objects.all()) == [
        "new.example.com",
        SHOP,
    ]
    assert asked(SHOP).status_code == 401


def test_claiming_twice_is_claiming_once(acme, api, claimed):
    first = claimed(acme)
    second = api(acme).post("/api/v1/domains", {"domain": f" {SHOP.upper()}. "}, status=200)

    assert first == second


def test_a_tenant_has_at_most_25_domains(acme, api, monkeypatch):
    monkeypatch.setattr(domains, "MOST_DOMAINS", 2)
    for number in range(2):
        api(acme).post("/api/v1/domains", {"domain": f"shop-{number}.example.com"})
    refused = api(acme).post("/api/v1/domains", {"domain": SHOP}, status=409)

    assert (refused["code"], refused["limit"]) == ("too_many_domains", 2)


def test_the_plan_and_the_role_decide_who_has_domains(acme, globex, api):
    refused = api(globex).post("/api/v1/domains", {"domain": SHOP}, status=403)
    assert (refused["code"], refused["upgrade_to"]) == ("feature_not_in_plan", "growth")
    for role in ("billing", "editor", "member", "read_only"):
        assert api(acme, role).get("/api/v1/domains", status=403)["code"] == "permission_denied"
    assert api(acme, "admin").get("/api/v1/domains")["results"] == []


def test_a_domain_can_be_removed_after_a_downgrade(acme, api, proved, now):
    made = proved(acme)
    entitle(tenant_id=acme.id, plan="free", now=now)

    assert asked(SHOP).status_code == 401  # nothing is taken away by a downgrade
    api(acme).delete(f"/api/v1/domains/{made['id']}")
    assert asked(SHOP).status_code == 404


def test_the_database_keeps_an_unproved_domain_from_answering(acme):
    with pytest.raises(IntegrityError), transaction.atomic():
        Domain.objects.create(tenant=acme, domain=SHOP, is_primary=False, proof="plaza-proof=x")


def told(*arguments: str) -> list[dict]:
    out = io.StringIO()
    call_command("tenant", "domain", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["results"]


def test_the_command_adds_verifies_lists_and_removes(acme, name_server):
    added = told("add", "acme", SHOP)[0]
    with pytest.raises(CommandError, match="domain_not_proved"):
        told("verify", "acme", SHOP)
    name_server.says(added["record"]["name"], [added["record"]["value"]])

    assert told("verify", "acme", SHOP)[0]["status"] == "verified"
    assert [(row["domain"], row["status"]) for row in told("list", "acme")] == [(SHOP, "verified")]
    assert told("remove", "acme", SHOP) == [{"domain": SHOP, "status": "removed"}]
    assert told("list", "acme") == []
    with pytest.raises(CommandError, match="Say which domain"):
        told("add", "acme")
    with pytest.raises(NotFound):
        domains.claim_named(tenant_id=acme.id, name=SHOP)

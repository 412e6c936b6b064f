"""The ground of the benchmark `mailing`: `python -m tests.bench.mailing_ground seed|peer|send …`."""

import io
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.management import call_command
from django.db import connection, transaction

from apps.campaigns.models import Mailing
from apps.campaigns.services import campaigns, lifecycle
from apps.campaigns.services.lifecycle import Verb
from apps.campaigns.services.mailing import letters, sending
from apps.campaigns.services.mailing.letters import LetterWish
from apps.content.services import templates
from quotas import entitlements
from tenants.isolation import owner_context, square_context, tenant_context
from tenants.models import Tenant
from tests.drills.ground import made_tenant

HTML = '<p>Hello {{ first_name|default:"friend" }} of {{ company|default:"nowhere" }}.</p>' * 20
_PEOPLE = """
INSERT INTO crm_contact (id, email, first_name, last_name, fields)
SELECT ('0190' || lpad(to_hex(n), 28, '0'))::uuid, 'c' || n || '@bench.example', 'Ada', 'Byron', '{}'
  FROM generate_series(1, %s) AS n
"""
_WORDS = """
INSERT INTO crm_consent (id, contact_id, channel, purpose, status, source, proof, recorded_at)
SELECT id, id, 'email', 'marketing', 'granted', 'bench', '', now() FROM crm_contact
"""


def seed(count: int) -> dict[str, Any]:
    """A tenant with so many contacts that have consented, and a campaign that is ready to go."""
    call_command("database", "prepare", stdout=io.StringIO())
    call_command("fleet", "migrate", stdout=io.StringIO())
    tenant, now = made_tenant("mailing"), datetime.now(UTC)
    with square_context(), transaction.atomic():
        entitlements.grant(
            tenant_id=tenant.pk, source="bench", plan="", features=(), priority=100,
            limits={"emails": None, "contacts": None}, rates={}, ladder={}, feature_ladder={},
            now=now,
        )  # fmt: skip
    with tenant_context(tenant):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PEOPLE, [count])
            cursor.execute(_WORDS)
        template = templates.create(
            fields={
                "name": "Bench", "kind": "email", "subject": 'For {{ first_name|default:"you" }}',
                "body": HTML, "variables": ["first_name", "company"],
            },
            by_id=None, now=now,
        )  # fmt: skip
        campaign = campaigns.create(
            fields={
                "name": "Bench", "type": "email", "budget_minor": 1, "budget_currency": "USD",
                "target_audience": {"everyone": True},
            },
            by_id=None, now=now,
        )  # fmt: skip
        letters.write(
            campaign_id=campaign.pk, wish=LetterWish(template.pk, sender_name="Bench"), now=now
        )
    with owner_context(), connection.cursor() as cursor:
        for table in ("crm_contact", "crm_consent"):
            cursor.execute(f'ANALYZE "{tenant.schema_name}".{table}')
    return {}


def peer(count: int) -> dict[str, Any]:
    """One letter, written once, by Django's backend over one connection to so many addresses."""
    with get_connection("django.core.mail.backends.smtp.EmailBackend") as carrier:
        letter = EmailMultiAlternatives("For Ada", HTML, to=["p@peer.example"], connection=carrier)
        letter.attach_alternative(HTML, "text/html")
        began = time.perf_counter()
        for _each in range(count):
            letter.send()
        return _told(count, time.perf_counter() - began)


def send() -> dict[str, Any]:
    """What the task does, until nobody waits."""
    with square_context():
        tenant = Tenant.objects.get(slug="mailing")
    with tenant_context(tenant):
        campaign_id = Mailing.objects.get().pk
        now = datetime.now(UTC)
        began = time.perf_counter()
        lifecycle.move(campaign_id=campaign_id, verb=Verb.ACTIVATE, by_id=None, now=now)
        chosen = 0.0
        while sending.advance(campaign_id=campaign_id, now=datetime.now(UTC)):
            if not chosen and Mailing.objects.get().chosen_at is not None:
                chosen = time.perf_counter() - began
        seconds = time.perf_counter() - began
        return _told(Mailing.objects.get().sent, seconds) | {"choosing": chosen}


def _told(count: int, seconds: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"rate": count / seconds, "mib": peak}


if __name__ == "__main__":
    words: dict[str, Callable[..., dict[str, Any]]] = {"seed": seed, "peer": peer, "send": send}
    print(json.dumps(words[sys.argv[1]](*map(int, sys.argv[2:]))))

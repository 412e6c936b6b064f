"""A campaign's letter from its template to the recipients' mail server, over real SMTP."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string
from email.policy import default
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.test import Client

from apps.campaigns.models import Recipient, SendBatch
from apps.campaigns.services.mailing import batches, recovering, sending
from apps.campaigns.services.mailing.journals import Journal, Mark
from apps.crm.models import Consent
from config.needs import Meter
from quotas import ledger
from tenants.isolation import tenant_context
from tenants.services import host_of
from tests.factories import ConsentFactory, ContactFactory, TagFactory
from tests.standins.mail import MailStandin

URL = "/api/v1/campaigns"
BODY = '<p>Hola {{ first_name|default:"friend" }} of {{ company|default:"somewhere" }}.</p>'
TEMPLATE = {
    "name": "Spring", "kind": "email", "subject": 'For {{ first_name|default:"you" }}',
    "body": BODY, "variables": ["first_name", "company"],
}  # fmt: skip
WISH = {
    "name": "Spring", "type": "email", "budget": {"amount": 1, "currency": "USD"},
    "target_audience": {"tags": ["vip"]},
}  # fmt: skip


@pytest.fixture
def sink(settings: Any, tmp_path: Any) -> Iterator[MailStandin]:
    """A mail server of the test's own."""
    with MailStandin() as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.smtp_port
        settings.PLAZA_SPOOL = tmp_path
        yield running


def letters_in(sink: MailStandin) -> list[Any]:
    found = httpx.get(f"{sink.url}/messages", trust_env=False).json()["messages"]
    raw = [httpx.get(f"{sink.url}/messages/{one['id']}/raw", trust_env=False).text for one in found]
    return sorted(
        (message_from_string(each, policy=default) for each in raw), key=lambda m: m["To"]
    )


def people(tenant: Any, count: int, *, tag: str = "vip", status: str = "granted") -> list[Any]:
    with tenant_context(tenant):
        vip = TagFactory(name=tag)
        made = [ContactFactory(email=f"p{n}@example.test") for n in range(count)]
        for contact in made:
            contact.tags.add(vip)
            ConsentFactory(contact=contact, channel="email", purpose="marketing", status=status)
    return made


def prepared(client: Any) -> UUID:
    template = client.post("/api/v1/templates", TEMPLATE)["id"]
    campaign = UUID(client.post(URL, WISH)["id"])
    wish = {"template_id": template, "sender_name": "Acme", "reply_to": "hi@acme.test"}
    client.put(f"{URL}/{campaign}/letter", wish)
    return campaign


def sent_off(tenant: Any, campaign: UUID, now: Any) -> None:
    with tenant_context(tenant):
        while sending.advance(campaign_id=campaign, now=now):
            pass


def states(tenant: Any) -> dict[str, int]:
    with tenant_context(tenant):
        found: dict[str, int] = {}
        for state in Recipient.objects.values_list("state", flat=True):
            found[state] = found.get(state, 0) + 1
    return found


def test_a_campaign_writes_once_to_each_of_its_audience_that_has_consented(acme, api, sink, now):
    client = api(acme)
    ana, ben, cid = people(acme, 3)
    with tenant_context(acme):
        ConsentFactory(contact=cid, channel="email", purpose="marketing", status="withdrawn")
        ContactFactory(email="untagged@example.test")
    campaign = prepared(client)
    assert client.get(f"{URL}/{campaign}/audience") == {"reached": 2}

    client.post(f"{URL}/{campaign}/activate", status=200)
    sent_off(acme, campaign, now + timedelta(seconds=5))

    told = client.get(f"{URL}/{campaign}/mailing")
    counts = {name: told[name] for name in ("recipients", "sent", "failed", "skipped", "in_doubt")}
    assert counts == {"recipients": 2, "sent": 2, "failed": 0, "skipped": 0, "in_doubt": 0}
    assert client.get(f"{URL}/{campaign}/status")["status"] == "completed"
    letters = letters_in(sink)
    assert [letter["To"] for letter in letters] == [ana.email, ben.email]
    first = letters[0]
    assert first["Subject"] == "For Ada"
    assert first["From"] == "Acme <acme@plaza.localhost>"
    assert first["Reply-To"] == "hi@acme.test"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    way_out = first["List-Unsubscribe"].strip("<>")
    html = first.get_body(("html",)).get_content()
    assert "<p>Hola Ada of somewhere.</p>" in html
    assert f'href="{way_out}"' in html
    assert first.get_body(("plain",)).get_content().startswith("Hola Ada of somewhere.")
    used = {each.meter: each.used for each in ledger.usage(tenant_id=acme.id, now=now)}
    assert used[Meter.EMAILS] == 2
    listed = client.get(f"{URL}/{campaign}/recipients?state=sent")["results"]
    assert sorted(row["contact_id"] for row in listed) == sorted([str(ana.pk), str(ben.pk)])


def test_one_click_unsubscribes_and_the_next_letter_is_not_written(acme, api, sink, now):
    client = api(acme)
    people(acme, 1)
    first = prepared(client)
    client.post(f"{URL}/{first}/activate", status=200)
    sent_off(acme, first, now + timedelta(seconds=5))
    way_out = letters_in(sink)[0]["List-Unsubscribe"].strip("<>")
    path = "/unsubscribe/" + way_out.rpartition("/")[2]
    reader = Client(headers={"Host": host_of("acme")})

    assert reader.get(path).status_code == 200
    with tenant_context(acme):
        assert Consent.objects.filter(status="withdrawn").count() == 0
    for _twice in range(2):
        answer = reader.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200, answer.content
    with tenant_context(acme):
        found = Consent.objects.filter(status="withdrawn").values_list("source", "proof")
        assert list(found) == [("unsubscribe link", f"campaign {first}")]
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    assert reader.post(forged).status_code == 404
    assert Client(headers={"Host": host_of("globex")}).post(path).status_code == 404


def test_who_withdraws_between_choice_and_letter_gets_none_and_costs_nothing(acme, api, sink, now):
    client = api(acme)
    ana, ben = people(acme, 2)
    campaign = prepared(client)
    client.post(f"{URL}/{campaign}/activate", status=200)
    later = now + timedelta(seconds=5)
    with tenant_context(acme):
        assert sending.advance(campaign_id=campaign, now=later)
        ConsentFactory(contact=ben, channel="email", purpose="marketing", status="withdrawn")
    sent_off(acme, campaign, later)

    assert [letter["To"] for letter in letters_in(sink)] == [ana.email]
    assert states(acme) == {"sent": 1, "skipped": 1}
    used = {each.meter: each.used for each in ledger.usage(tenant_id=acme.id, now=now)}
    assert used[Meter.EMAILS] == 1


def test_a_killed_process_s_letters_are_settled_by_its_journal_and_none_is_sent_twice(
    acme, api, sink, now
):
    client = api(acme)
    people(acme, 4)
    campaign = prepared(client)
    client.post(f"{URL}/{campaign}/activate", status=200)
    begun = now + timedelta(seconds=5)
    with tenant_context(acme):
        sending.advance(campaign_id=campaign, now=begun)
        held = batches.take(campaign_id=campaign, most=10, now=begun)
        assert held is not None
        journal = Journal(held.batch.pk, held.batch.quantity)
        for place, mark in enumerate((Mark.ACCEPTED, Mark.HANDED_OVER, Mark.REFUSED)):
            journal.mark(place, mark)

        late = begun + timedelta(seconds=61)
        assert recovering.settle_left_behind(now=late) == 0, "its process lives"
        journal.close(is_settled=False)  # as the end of the process does
        assert recovering.settle_left_behind(now=late) == 1
        assert recovering.settle_left_behind(now=late) == 0
        assert SendBatch.objects.count() == 0
        assert batches.settle(held=held, fates={}, now=late) is False
    assert states(acme) == {"sent": 1, "in_doubt": 1, "failed": 1, "waiting": 1}

    sent_off(acme, campaign, late)
    assert [letter["To"] for letter in letters_in(sink)] == ["p3@example.test"]
    told = client.get(f"{URL}/{campaign}/mailing")
    counts = {name: told[name] for name in ("recipients", "sent", "failed", "skipped", "in_doubt")}
    assert counts == {"recipients": 4, "sent": 2, "failed": 1, "skipped": 0, "in_doubt": 1}
    used = {each.meter: each.used for each in ledger.usage(tenant_id=acme.id, now=now)}
    assert used[Meter.EMAILS] == 3, "the refused one costs nothing"


def test_a_campaign_pauses_where_the_plan_s_emails_end_and_goes_on_after(acme, api, sink, now):
    client = api(acme)
    people(acme, 3)
    campaign = prepared(client)
    left = ledger.remaining(tenant_id=acme.id, meter=Meter.EMAILS, now=now)
    assert left is not None
    _used_up(acme, left - 2, now)
    client.post(f"{URL}/{campaign}/activate", status=200)
    sent_off(acme, campaign, now + timedelta(seconds=5))

    told = client.get(f"{URL}/{campaign}/status")
    assert (told["status"], told["history"][0]["reason"]) == ("paused", "clock: quota_exceeded")
    assert len(letters_in(sink)) == 2
    assert states(acme) == {"sent": 2, "waiting": 1}


def _used_up(tenant: Any, quantity: int, now: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        ledger.consume(
            tenant_id=tenant.id, meter=Meter.EMAILS, quantity=quantity, key="before", now=now
        )


def test_a_letter_must_have_a_value_for_everybody_and_an_audience_that_can_be_reached(acme, api):
    client = api(acme)
    gap = {**TEMPLATE, "body": "<p>{{ first_name }}</p>", "variables": ["first_name"]}
    template = client.post("/api/v1/templates", gap)["id"]
    campaign = client.post(URL, {**WISH, "target_audience": {"who": "all"}})["id"]
    wish = {"template_id": template, "sender_name": "Acme"}
    answer = client.put(f"{URL}/{campaign}/letter", wish, status=400)
    assert answer["errors"] == {
        "template_id": [
            'Not everybody has a value for “first_name”: write {{ first_name|default:"…" }}.'
        ]
    }
    whole = client.post("/api/v1/templates", TEMPLATE)["id"]
    client.put(f"{URL}/{campaign}/letter", {**wish, "template_id": whole})
    refused = client.post(f"{URL}/{campaign}/activate", status=400)
    assert set(refused["errors"]) == {"target_audience"}
    assert client.get(f"{URL}/{campaign}/status")["status"] == "draft"

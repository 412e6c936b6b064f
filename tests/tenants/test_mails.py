"""Mails: promised once, claimed once, in the reader's language, and never a header of somebody's making."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from config.models import OutboxMessage
from tenants import mails
from tenants.isolation import square_context
from tenants.mails.posting import resend_due, send
from tenants.mails.tasks import send_mail
from tenants.models import Mail, Person, Tenant
from tests import factories
from tests.client import member_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def posted(tenant, key="k", roles=("owner",)) -> int:
    facts = {"url": "https://hooks.example.com/<x>", "reason": "gone"}
    return mails.post(
        tenant_id=tenant.pk, roles=roles, kind="webhook_endpoint_disabled", key=key, facts=facts
    )


def test_each_member_of_the_roles_gets_one_mail_whoever_asks_again(acme, globex):
    for role in ("owner", "admin", "member"):
        member_of(acme, role)
    member_of(globex)
    assert [posted(acme, roles=("owner", "admin")), posted(acme, roles=("owner", "admin"))] == [
        2,
        0,
    ]
    assert OutboxMessage.objects.filter(task="tenants.send_mail").count() == 2
    for row in Mail.objects.all():
        assert [send(mail_id=row.pk, now=NOON), send(mail_id=row.pk, now=NOON)] == [True, False]
    assert sorted(message.to for message in mail.outbox) == [
        ["admin@acme.test"],
        ["owner@acme.test"],
    ]


@pytest.mark.parametrize(
    ("person", "tenant", "subject"),
    [
        ("en", "es", "A webhook endpoint was switched off"),
        ("es", "en", "Se desactivó un destino de webhooks"),
        ("", "es", "Se desactivó un destino de webhooks"),
        ("fr", "en", "A webhook endpoint was switched off"),
    ],
)
def test_a_mail_is_in_the_persons_language_then_the_tenants(acme, person, tenant, subject):
    member_of(acme)
    Person.objects.filter(email="owner@acme.test").update(locale=person)
    Tenant.objects.filter(pk=acme.pk).update(locale=tenant)
    posted(acme)
    send(mail_id=Mail.objects.get().pk, now=NOON)
    assert mail.outbox[0].subject == subject


def test_a_mail_is_text_and_html_of_one_content_with_a_link_to_the_tenant(acme):
    Tenant.objects.filter(pk=acme.pk).update(organisation="A <b> & Co\r\nBcc: x@y.test")
    member_of(acme)
    posted(acme)
    send(mail_id=Mail.objects.get().pk, now=NOON)
    message: Any = mail.outbox[0]
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert "We no longer send events to https://hooks.example.com/<x>." in message.body
    assert "We no longer send events to https://hooks.example.com/&lt;x&gt;." in html
    assert "http://acme.plaza.localhost:8000/docs" in message.body
    assert 'href="http://acme.plaza.localhost:8000/docs"' in html
    assert message.message()["Bcc"] is None
    assert message.recipients() == ["owner@acme.test"]


def test_who_has_left_or_is_shut_out_gets_nothing(acme):
    left, out = member_of(acme, "owner"), member_of(acme, "admin")
    posted(acme, roles=("owner", "admin"))
    left.delete()
    Person.objects.filter(pk=out.person_id).update(is_active=False)
    assert [send(mail_id=row.pk, now=NOON) for row in Mail.objects.all()] == [False, False]
    assert (mail.outbox, Mail.objects.count()) == ([], 0)


def test_a_mail_server_that_is_away_loses_nothing(acme, settings):
    member_of(acme)
    posted(acme)
    row = Mail.objects.get()
    Mail.objects.update(created_at=NOON)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send_mail(mail_id=str(row.pk)) is False
    Mail.objects.update(claimed_at=NOON)
    assert resend_due(now=NOON + timedelta(minutes=9)) == 0
    assert resend_due(now=NOON + timedelta(minutes=10)) == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send(mail_id=row.pk, now=NOON + timedelta(minutes=10)) is True
    assert resend_due(now=NOON + timedelta(minutes=30)) == 0


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_with_one_mail_send_it_once(acme):
    row = factories.MailFactory(tenant=acme, person=member_of(acme).person)

    def work(_: int) -> bool:
        try:
            with square_context():
                return send(mail_id=row.pk, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        sent = list(pool.map(work, range(16)))
    assert (sent.count(True), len(mail.outbox)) == (1, 1)

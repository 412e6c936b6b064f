"""Forgotten passwords and new e-mail addresses: one link, one use, and nobody learns who exists."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.identity import proofs, tokens
from tenants.identity.people import create_person
from tenants.models import MailedProof, Person
from tests.tenants.identity.people import PASSWORD, browser, join, program, sign_in, told

pytestmark = pytest.mark.django_db
NEW = "market-square-at-dawn"
SQUARE = Client(headers={"Host": "plaza.localhost"})


def ask(web: Client, email: str, **headers: str) -> Any:
    return web.post(
        "/api/v1/auth/password-reset",
        {"email": email},
        content_type="application/json",
        headers=headers,
    )


def choose(web: Client, token: str, password: str = NEW) -> Any:
    return web.post(
        "/api/v1/auth/password-reset/confirm",
        {"token": token, "password": password},
        content_type="application/json",
    )


def delivered() -> list[str]:
    """What a worker does with the promises; the addresses in the mails, oldest first."""
    mail.outbox.clear()
    for row in MailedProof.objects.filter(used_at=None).order_by("pk"):
        proofs.send(proof_id=row.pk, now=timezone.now())
    bodies = [str(message.body) for message in mail.outbox]
    return [found[0] for body in bodies if (found := re.search(r"https?://\S+", body))]


def token_of(url: str) -> str:
    return url.partition("token=")[2]


def test_a_link_by_mail_sets_a_new_password_once_and_ends_every_sign_in(acme, globex, owner):
    email = owner.person.email
    web = browser(acme)
    web.post("/login", {"email": email, "password": PASSWORD})
    pair = tokens.issue(member=owner, now=timezone.now())
    bob = join(acme, email="bob@example.test")
    bobs = tokens.issue(member=bob, now=timezone.now())

    assert ask(program(acme), f" {email.upper()} ").status_code == 202
    (url,) = delivered()

    assert mail.outbox[0].to == [email]
    assert url.startswith("http://acme.plaza.localhost:8000/password-reset/confirm?token=")
    assert token_of(url) not in str(MailedProof.objects.values())
    weak = choose(program(acme), token_of(url), "password123")
    assert (told(weak), list(weak.json()["errors"])) == ((400, "validation_failed"), ["password"])
    assert told(choose(program(globex), token_of(url))) == (410, "mailed_link_invalid")
    assert told(choose(SQUARE, token_of(url))) == (410, "mailed_link_invalid")
    assert choose(program(acme), token_of(url)).status_code == 204
    assert told(choose(program(acme), token_of(url))) == (410, "mailed_link_invalid")

    assert web.get("/").status_code == 302
    asked = program(acme, f"Bearer {pair.access}").get("/api/v1/me")
    assert told(asked) == (401, "token_invalid")
    assert told(sign_in(acme, email)) == (401, "invalid_credentials")
    assert sign_in(acme, email, NEW).status_code == 200
    assert program(acme, f"Bearer {bobs.access}").get("/api/v1/me").status_code == 200


def test_who_may_not_have_a_link_gets_the_same_answer_by_the_same_statements_and_no_mail(
    acme, globex, owner
):
    join(globex, email="stranger@example.test")
    create_person(email="operator@example.test", password=PASSWORD, kind="operator")
    asleep = join(acme, email="asleep@example.test")
    Person.objects.filter(pk=asleep.person_id).update(is_active=False)
    emails = [owner.person.email, "nobody@example.test", "stranger@example.test"]
    emails += ["operator@example.test", "asleep@example.test"]

    answers, statements = [], []
    ask(program(acme), "warm@example.test")
    for email in emails:
        with CaptureQueriesContext(connection) as seen:
            answers.append(ask(program(acme), email))
        # What a statement carries differs, not which it is.
        told_each = [re.sub(r"'[^']*'(::\w+)?|NULL|\d+", "?", row["sql"]) for row in seen]
        statements.append(told_each)

    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert [rows == statements[0] for rows in statements] == [True] * len(emails)
    assert len(delivered()) == 1
    assert mail.outbox[0].to == [owner.person.email]


def test_the_link_leads_home_whatever_host_was_asked_with(acme, owner):
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Host": "evil.example",
        "Forwarded": "host=evil",
    }
    ask(program(acme), owner.person.email, **forged, Origin="https://evil.example")
    ask(SQUARE, owner.person.email, **forged)
    refused = ask(Client(headers={"Host": "evil.example"}), owner.person.email)

    assert refused.status_code == 404
    at_acme, at_square = delivered()
    assert at_acme.startswith("http://acme.plaza.localhost:8000/password-reset/confirm?token=")
    assert at_square.startswith("http://plaza.localhost:8000/password-reset/confirm?token=")
    assert not any("evil" in str(message.message()) for message in mail.outbox)
    assert choose(SQUARE, token_of(at_square)).status_code == 204
    # The other link is void with it.
    assert told(choose(program(acme), token_of(at_acme))) == (410, "mailed_link_invalid")


def test_a_link_is_good_for_an_hour_and_the_newest_copy_of_it_alone(acme, owner):
    ask(program(acme), owner.person.email)
    (first,), (second,) = delivered(), delivered()
    assert told(choose(program(acme), token_of(first))) == (410, "mailed_link_invalid")
    assert told(choose(program(acme), "")) == (400, "validation_failed")
    MailedProof.objects.update(expires_at=timezone.now())
    assert told(choose(program(acme), token_of(second))) == (410, "mailed_link_invalid")
    assert delivered() == []
    assert proofs.forget_old(now=timezone.now() + timedelta(hours=2)) == 1


def test_resets_are_limited_by_account_and_by_address(acme, globex, owner, still_clock):
    statuses = [ask(program(acme), "ada@example.test").status_code for _ in range(5)]
    statuses.append(ask(program(globex), "ADA@example.test").status_code)
    assert statuses == [202] * 5 + [429]
    unknown = [ask(program(acme), "nobody@example.test").status_code for _ in range(6)]
    assert unknown == [202] * 5 + [429]
    others = [ask(SQUARE, f"a{index}@example.test").status_code for index in range(20)]
    # Twelve were counted for the address already, the refused ones too.
    assert others == [202] * 18 + [429] * 2


def test_an_e_mail_is_changed_by_the_link_at_the_new_address_and_the_old_one_is_told(acme, owner):
    asked = program(acme, f"Bearer {tokens.issue(member=owner, now=timezone.now()).access}")

    def wish(email: str, present: str = PASSWORD) -> Any:
        facts = {"email": email, "present_password": present}
        return asked.post("/api/v1/me/email", facts, content_type="application/json")

    join(acme, email="bob@example.test")
    assert told(wish("new@example.test", "wrong")) == (403, "wrong_password")
    assert wish("bob@example.test").status_code == wish("New@Example.test").status_code == 202
    assert Person.objects.get(pk=owner.person_id).email == "ada@example.test"
    taken, url = delivered()
    assert [message.to for message in mail.outbox] == [["bob@example.test"], ["new@example.test"]]

    def confirm(link: str) -> Any:
        body = {"token": token_of(link)}
        path = "/api/v1/auth/email-change/confirm"
        return program(acme).post(path, body, content_type="application/json")

    assert told(confirm(taken)) == (409, "email_taken")
    assert confirm(url).status_code == 204
    assert told(confirm(url)) == (410, "mailed_link_invalid")
    assert Person.objects.get(pk=owner.person_id).email == "new@example.test"
    mail.outbox.clear()
    proofs.tell_former_address(proof_id=MailedProof.objects.get(other_email="ada@example.test").pk)
    assert mail.outbox[0].to == ["ada@example.test"]
    assert "n•••@example.test" in str(mail.outbox[0].body)


def test_a_password_is_changed_by_who_knows_the_present_one(acme, owner):
    pair = tokens.issue(member=owner, now=timezone.now())
    asked = program(acme, f"Bearer {pair.access}")

    def change(present: str, password: str) -> Any:
        facts = {"present_password": present, "password": password}
        return asked.post("/api/v1/me/password", facts, content_type="application/json")

    assert told(change("wrong", NEW)) == (403, "wrong_password")
    assert told(change(PASSWORD, "qwertyuiop")) == (400, "validation_failed")
    assert change(PASSWORD, NEW).status_code == 204
    assert told(asked.get("/api/v1/me")) == (401, "token_invalid")
    assert sign_in(acme, owner.person.email, NEW).status_code == 200


def test_the_pages_lead_from_sign_in_to_a_new_password_at_the_tenant_and_on_the_square(acme, owner):
    assert b'href="/password-reset"' in browser(acme).get("/login").content
    for web in (browser(acme), browser()):
        assert web.get("/password-reset").status_code == 200
        assert web.post("/password-reset", {"email": "no"}).status_code == 400
        assert web.post("/password-reset", {"email": owner.person.email}).status_code == 200
        (url,) = delivered()
        path = url.partition(":8000")[2]
        assert web.get(path).status_code == web.get(path).status_code == 200
        wish = {"token": token_of(url), "password": "short"}
        assert web.post("/password-reset/confirm", wish).status_code == 400
        wish["password"] = NEW
        assert b"Your password was changed" in web.post("/password-reset/confirm", wish).content
        assert web.post("/password-reset/confirm", wish).status_code == 410
    assert sign_in(acme, owner.person.email, NEW).status_code == 200

"""The drill `isolation`: one tenant asks every address for another's; not a byte of it, and nothing of it changed."""

import logging
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from django.conf import settings
from django.core import mail
from django.test import Client

from config.needs import Role
from quotas.models import Hold
from tenants.identity.keys import create_key
from tenants.identity.tokens import issue
from tenants.isolation import square_context, tenant_context
from tenants.models import ApiKey, AttemptCount, Member, Tenant
from tenants.services import host_of
from tests import factories
from tests.client import Api, member_of
from tests.drills.ground import Ground, rows_of
from tests.drills.outcome import Outcome
from tests.drills.questions import Question, Spoils, askers
from tests.portal.browser import signed_in
from tests.test_isolation import CANARY, FOREIGN

TENANTS = 2
_MEND_EACH = 30
_LOOK_EACH = 200
_SCOPES = ("read", "write")
_SHARED = ("api-keys", "members")


@dataclass(slots=True)
class Sender:
    """Who asks, of which host."""

    host: str
    headers: dict[str, str]
    cookies: dict[str, str]
    label: str


def run(ground: Ground, n: int) -> Outcome:
    """`n` requests, each address in turn."""
    outcome, dice = Outcome("isolation"), ground.chance("isolation")
    own, other = ground.tenants[:2]
    raid = Raid(own, other)
    _they_are_there(outcome, raid)
    asked = askers(dice, raid.spoils)
    before = rows_of(other)
    seen: Counter[int] = Counter()
    for name in ("django.request", "django.security"):  # they tell what each wrong request did
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for turn in range(n):
        if turn % _MEND_EACH == 0:
            raid.mend()
        sender = raid.sender(dice)
        square = sender.host.partition(":")[0] == settings.PLAZA_DOMAIN
        question = asked["square" if square else "stall"].ask(turn)
        with outcome.timed():
            answer = raid.send(question, sender)
        outcome.n += 1
        seen[answer.status_code] += 1
        _judge(outcome, raid, question, sender, answer)
        if turn % _LOOK_EACH == _LOOK_EACH - 1 or turn == n - 1:
            before = _unchanged(outcome, other, before, turn)
    outcome.remarks.append(f"answers: {dict(sorted(seen.items()))}")
    if seen[200] < n / 20:
        outcome.vain.append("hardly any request was served")
    return outcome


def _key(tenant: Tenant, member: Member, *, name: str) -> tuple[ApiKey, str]:
    return create_key(tenant_id=tenant.pk, name=name, scopes=_SCOPES, created_by_id=member.pk)


def _cursor_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["cursor"][0]


class Raid:
    """The attacker's tenant with its credentials, and what it has got of the other's."""

    def __init__(self, own: Tenant, other: Tenant) -> None:
        self.own, self.other = own, other
        self.now = datetime.now(UTC)
        self.browser = Client(raise_request_exception=False)
        with tenant_context(other):
            ids = [str(make().pk) for make in FOREIGN.values()]
            factories.ContactFactory.create_batch(3, last_name=CANARY)
        with square_context():
            member = member_of(other)
            member.person.name = CANARY
            member.person.save()
            key, raw = _key(other, member, name=CANARY)
        ids += [str(member.pk), str(member.person_id), str(key.pk), str(other.pk)]
        api = Api.signed_in(other)
        page = api.get("/api/v1/contacts?limit=1")
        self.spoils = Spoils(
            ids=ids,
            words=[
                other.slug,
                other.schema_name,
                member.person.email,
                host_of(other.slug),
                str(other.pk),
            ],
            cursors=[_cursor_of(page["next"])],
        )
        with square_context():
            refresh = issue(member=member, now=self.now).refresh
        self.spoils.words.append(refresh)
        session = signed_in(other).client.cookies
        self.theirs = {
            "token": {"Authorization": api.authorization},
            "key": {"Authorization": f"Api-Key {raw}"},
            "session": {name: morsel.value for name, morsel in session.items()},
        }
        self.ours: dict[str, dict[str, str]] = {}

    def mend(self) -> None:
        """Undo what the attacker has done to itself, so that it stays worth answering."""
        client = redis.Redis.from_url(settings.REDIS_URL)
        client.flushdb()
        client.close()
        with square_context():
            Tenant.objects.filter(pk=self.own.pk).update(
                status=Tenant.Status.ACTIVE, suspended_reason="", slug=self.own.slug
            )
            Hold.objects.filter(tenant_id=self.own.pk).delete()
            AttemptCount.objects.all().delete()  # signing in again and again is what the drill does
            member = member_of(self.own)
            Member.objects.filter(pk=member.pk).update(role=Role.OWNER)
            token = issue(member=member, now=datetime.now(UTC)).access
            _, raw = _key(self.own, member, name="own")
        self.ours = {
            "token": {"Authorization": f"Bearer {token}"},
            "key": {"Authorization": f"Api-Key {raw}"},
            "session": {
                name: morsel.value for name, morsel in signed_in(self.own).client.cookies.items()
            },
        }
        with tenant_context(self.own):
            self.spoils.own_ids = [
                str(factories.ContactFactory().pk),
                str(self.own.pk),
                str(member.pk),
            ]
        self.browser.cookies.clear()

    def sender(self, dice: random.Random) -> Sender:
        """A host, credentials and headers. Never the other's credentials where they would be right."""
        own, other = host_of(self.own.slug), host_of(self.other.slug)
        hosts = [own.upper(), f"{own}.", f"{own}:8000", f"{other}.{own}", f"{own}@{other}", other]
        hosts += [f"api.{settings.PLAZA_DOMAIN}", settings.PLAZA_DOMAIN, other]
        host = own if dice.random() < 0.8 else dice.choice(hosts)
        kind = dice.choices(["token", "key", "session", ""], [6, 2, 1, 1])[0]
        is_stolen = host == own and dice.random() < 0.25
        given = (self.theirs if is_stolen else self.ours).get(kind, {})
        headers, cookies = ({}, given) if kind == "session" else (dict(given), {})
        headers |= dice.choices(
            [
                {},
                {"X-Tenant": dice.choice([self.other.slug, str(self.other.pk), self.own.slug])},
                {"X-Forwarded-Host": other, "Forwarded": f"host={other}", "X-Host": other},
                {"Idempotency-Key": "drill", "Accept": "text/html"},
            ],
            [6, 2, 1, 1],
        )[0]
        return Sender(host, headers, cookies, f"{'stolen' if is_stolen else 'own'} {kind}")

    def send(self, question: Question, sender: Sender) -> Any:
        self.browser.cookies.clear()
        for name, value in sender.cookies.items():
            self.browser.cookies[name] = value
        headers = {**sender.headers, "Host": sender.host}
        options: dict[str, Any] = {"query_params": question.query, "headers": headers}
        if question.content_type == "multipart":
            return getattr(self.browser, question.method.lower())(
                question.path, question.body,
                **({} if question.method == "POST" else {"content_type": "text/plain"}), **options,
            )  # fmt: skip
        return self.browser.generic(
            question.method, question.path, question.body or "",
            content_type=question.content_type or "application/octet-stream", **options,
        )  # fmt: skip


def _judge(outcome: Outcome, raid: Raid, question: Question, sender: Sender, answer: Any) -> None:
    body = answer.getvalue() if answer.streaming else answer.content
    told = f"{sender.label} at {sender.host}: {question} -> {answer.status_code}"
    if CANARY.encode() in body or CANARY in f"{answer.headers}{answer.cookies}":
        outcome.leak(told)
    if answer.status_code == 500:
        outcome.lose(f"{told} {_failure(answer)}")
    theirs = member_of(raid.other).person.email if mail.outbox else ""
    for message in mail.outbox:
        if CANARY in str(message.message()) and message.recipients() != [theirs]:
            outcome.leak(f"{told}: a mail to {message.recipients()}")
    mail.outbox.clear()


def _failure(answer: Any) -> str:
    kind, error, _ = getattr(answer, "exc_info", None) or (type(None), "", None)
    return f"{kind.__name__}: {str(error)[:200]}"


def _unchanged(
    outcome: Outcome, other: Tenant, before: dict[str, Any], turn: int
) -> dict[str, Any]:
    after = rows_of(other)
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if changed:
        outcome.leak(f"before request {turn}: the other's {changed} changed")
    return after


def _they_are_there(outcome: Outcome, raid: Raid) -> None:
    """The other tenant itself reads what the attacker may not: the drill could fail."""
    client = Api.signed_in(raid.other).client
    for noun in (*FOREIGN, *_SHARED):
        if CANARY.encode() not in client.get(f"/api/v1/{noun}").content:
            outcome.vain.append(f"the other tenant does not see its own {noun}")

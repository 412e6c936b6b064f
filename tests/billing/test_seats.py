"""Seats: reserved by inviting, kept by accepting, freed by removing; never one more than there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from billing.models import Invitation
from billing.services import invitations, seats
from billing.services.buying import invite_buying
from billing.services.invitations import Acceptance, token_of
from billing.services.seats import Guest, expire_invitations
from billing.tasks import send_invitation
from config.needs import Meter, Role
from quotas import ledger
from tenants.models import Member, Person, Tenant
from tenants.services import host_of
from tests.billing.paying import invoices, paying, told
from tests.billing.test_at_once import at_once
from tests.client import member_of
from tests.portal.browser import Browser

pytestmark = pytest.mark.django_db
PASSWORD = "a-market-square-42"


def taken(tenant: Tenant, now: Any) -> int:
    return seats.seats_of(tenant.id, now=now).taken


def invite(tenant: Tenant, now: Any, email: str = "ana@guests.test", role: str = "member") -> Any:
    guest = Guest(email=email, role=Role(role))
    return seats.invite(tenant_id=tenant.id, guest=guest, by=member_of(tenant), now=now)


def test_an_invitation_takes_a_seat_and_its_acceptance_takes_no_other(api, globex, now):
    asked = api(globex).post("/api/v1/seats", {"email": "Ana@Guests.test", "role": "editor"})
    row = Invitation.objects.get()
    assert (asked["id"], row.email, row.role) == (str(row.pk), "ana@guests.test", "editor")
    assert api(globex).get("/api/v1/seats") | {"invitations": 0} == {
        "allowed": 5, "paid": 0, "taken": 1, "pending": None, "left": 4, "invitations": 0,
    }  # fmt: skip

    wish = {"token": token_of(row), "password": PASSWORD, "name": "Ana"}
    met = api(globex).anonymous(globex).post("/api/v1/seats/accept", wish)

    assert met == {"member_id": str(row.pk), "email": "ana@guests.test", "role": "editor"}
    assert Member.objects.get(pk=row.pk).person.check_password(PASSWORD)
    assert taken(globex, now) == 1
    assert api(globex).get("/api/v1/seats")["invitations"] == []


def test_the_mail_tells_the_link_in_the_tenants_language(globex, now):
    Tenant.objects.filter(pk=globex.pk).update(locale="es")
    row = invite(globex, now)

    assert send_invitation(invitation_id=str(row.pk)) is True

    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert message.to == ["ana@guests.test"]
    assert message.subject == "Le han invitado a Globex Inc."
    assert f"/invitation?token={token_of(row)}" in message.body
    assert message.body.endswith("Plaza le envió esto porque Globex Inc. le ha invitado\n")
    seats.free(tenant_id=globex.id, seat_id=row.pk, by=member_of(globex), now=now)
    assert send_invitation(invitation_id=str(row.pk)) is False


def test_inviting_again_keeps_the_seat_and_ends_the_older_link(globex, now):
    older = token_of(invite(globex, now))
    again = invite(globex, now + timedelta(days=1), role="editor")

    assert (Invitation.objects.count(), taken(globex, now)) == (1, 1)
    assert refused(globex, older, now) == "invitation_invalid"
    assert refused(globex, token_of(again), now + timedelta(days=8)) == "invitation_invalid"
    assert refused(globex, token_of(again), now + timedelta(days=7)) == ""


def refused(tenant: Tenant, token: str, now: Any, password: str = PASSWORD) -> str:
    return code_of(
        lambda: invitations.accept(
            tenant_id=tenant.id, acceptance=Acceptance(token, password), now=now
        )
    )


def code_of(act: Any) -> str:
    from config.errors import DomainError

    try:
        act()
    except DomainError as refusal:
        return refusal.code
    return ""


def test_a_link_is_good_for_its_own_tenant_once_and_unchanged(acme, globex, now):
    row = invite(globex, now)
    token = token_of(row)

    assert refused(acme, token, now) == "invitation_invalid"
    assert refused(globex, token[:-2] + "xx", now) == "invitation_invalid"
    assert refused(globex, token, now) == ""
    assert refused(globex, token, now) == "invitation_invalid"


def test_whoever_has_an_account_proves_it_with_its_password(globex, now):
    person = Person.objects.create(email="ana@guests.test")
    person.set_password(PASSWORD)
    person.save()
    token = token_of(invite(globex, now))

    assert refused(globex, token, now, password="another-word-77") == "invalid_credentials"
    assert refused(globex, token, now) == ""
    assert Member.objects.get(tenant=globex, person=person).role == "member"
    assert code_of(lambda: invite(globex, now)) == "already_member"


def test_nobody_gives_or_takes_a_role_above_their_own(api, globex, now):
    guest = {"email": "x@guests.test", "role": "admin"}
    owner = member_of(globex)

    assert api(globex, "billing").post("/api/v1/seats", guest, status=403)
    assert api(globex, "member").post("/api/v1/seats", guest, status=403)
    assert api(globex, "admin").post("/api/v1/seats", guest | {"role": "owner"}, status=403)
    assert api(globex, "admin").delete(f"/api/v1/seats/{owner.pk}", status=403)
    assert (Invitation.objects.count(), taken(globex, now)) == (0, 0)


def test_a_freed_seat_is_another_guests_and_the_last_owner_keeps_theirs(api, globex, now):
    rows = [invite(globex, now, email=f"g{n}@guests.test") for n in range(5)]
    assert code_of(lambda: invite(globex, now, email="sixth@guests.test")) == "quota_exceeded"
    invitations.accept(
        tenant_id=globex.id, acceptance=Acceptance(token_of(rows[0]), PASSWORD), now=now
    )

    api(globex).delete(f"/api/v1/seats/{rows[0].pk}")
    api(globex).delete(f"/api/v1/seats/{rows[1].pk}")

    assert taken(globex, now) == 3
    assert not Member.objects.filter(pk=rows[0].pk).exists()
    api(globex).delete(f"/api/v1/seats/{rows[0].pk}", status=404)
    refusal = api(globex).delete(f"/api/v1/seats/{member_of(globex).pk}", status=409)
    assert (refusal["code"], taken(globex, now)) == ("last_owner", 3)
    invite(globex, now, email="sixth@guests.test")


def test_an_invitation_that_nobody_accepts_frees_its_seat_once(globex, now):
    invite(globex, now)
    assert expire_invitations(now=now + timedelta(days=6)) == 0
    assert expire_invitations(now=now + timedelta(days=7)) == 1
    assert expire_invitations(now=now + timedelta(days=7)) == 0
    assert taken(globex, now) == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_who_invite_at_once_for_the_last_seat_one_gets_it(globex, now):
    by = member_of(globex)
    for number in range(4):
        invite(globex, now, email=f"g{number}@guests.test")

    def try_it(number: int) -> str:
        guest = Guest(email=f"last{number}@guests.test", role=Role.MEMBER)
        return str(seats.invite(tenant_id=globex.id, guest=guest, by=by, now=now).role)

    answers = at_once(try_it, times=12)

    assert sorted(answers) == ["member", *["quota_exceeded"] * 11]
    assert Invitation.objects.waiting().count() == 5
    assert ledger.remaining(tenant_id=globex.id, meter=Meter.SEATS, now=now) == 0
    # The same guest invited by many at once is one guest in one seat.
    seats.free(tenant_id=globex.id, seat_id=Invitation.objects.all()[0].pk, by=by, now=now)
    same = at_once(lambda _: str(invite(globex, now, email="same@guests.test").pk), times=6)
    assert (len(set(same)), taken(globex, now)) == (1, 5)


def test_where_every_seat_is_taken_one_more_is_bought_with_the_invitation(api, globex, now):
    paying(globex, plan="starter", at=now - timedelta(days=3))
    for number in range(5):
        invite(globex, now, email=f"g{number}@guests.test")
    guest = {"email": "sixth@guests.test"}

    assert api(globex).post("/api/v1/seats", guest, status=402)["code"] == "quota_exceeded"
    api(globex).post("/api/v1/seats", guest | {"buy": True})

    shown = api(globex).get("/api/v1/seats")
    assert (shown["allowed"], shown["paid"], shown["taken"], shown["left"]) == (6, 1, 6, 0)
    assert [line[:2] for line in told(invoices(globex)[-1])["lines"]] == [("seats", 1)]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_invite_and_buy_at_once_each_gets_a_seat_that_is_paid(globex, now):
    paying(globex, plan="starter", at=now - timedelta(days=3))
    by = member_of(globex)

    def try_it(number: int) -> str:
        guest = Guest(email=f"g{number}@guests.test", role=Role.MEMBER)
        return str(invite_buying(tenant_id=globex.id, guest=guest, by=by, now=now).role)

    assert at_once(try_it, times=8) == ["member"] * 8
    found = seats.seats_of(globex.id, now=now)
    assert (found.allowed, found.paid, found.taken) == (8, 3, 8)
    assert [told(each)["lines"][0][:2] for each in invoices(globex)[1:]] == [("seats", 1)] * 3


def test_the_mails_page_takes_a_password_and_signs_the_new_member_in(globex, now):
    token = token_of(invite(globex, now))
    browser = Browser(host_of("globex"))

    browser.get(f"/invitation?token={token}")
    assert f'value="{token}"' in browser.last.content.decode()
    wish = {"token": token, "name": "Ana", "password": "short"}
    browser.post("/invitation", wish, status=400, seen="/invitation")
    browser.post("/invitation", wish | {"password": PASSWORD}, status=302, seen="/invitation")

    browser.get("/contacts")
    assert Member.objects.get(tenant=globex, person__email="ana@guests.test").role == "member"
    browser.post("/invitation", wish | {"password": PASSWORD}, status=410, seen="/invitation")

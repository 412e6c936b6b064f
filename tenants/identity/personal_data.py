"""All that the square keeps of one person, wherever they are a member."""

from typing import Any
from uuid import UUID

from tenants.models import (
    ApiKey,
    Mail,
    MailedProof,
    Member,
    Person,
    PersonIdentity,
    SignIn,
    SsoIdentity,
)


def data_of(person: Person) -> dict[str, Any]:
    """{person, memberships, identities, sso_identities, api_keys, mails, mailed_links, sign_ins}.

    Plain values, without secrets and hashes.
    """
    members = Member.objects.filter(person=person).order_by("pk")
    keys = ApiKey.objects.filter(created_by__person=person).order_by("pk")
    return {
        "person": {
            "id": person.pk,
            "email": person.email,
            "name": person.name,
            "locale": person.locale,
            "created_at": person.created_at,
            "last_login": person.last_login,
        },
        "memberships": list(members.values("id", "tenant__slug", "role", "created_at")),
        "identities": list(
            PersonIdentity.objects.filter(person=person).order_by("pk").values("issuer", "subject")
        ),
        "sso_identities": list(
            SsoIdentity.objects.filter(member__person=person)
            .order_by("pk")
            .values("tenant__slug", "issuer", "subject")
        ),
        "api_keys": list(keys.values("id", "tenant__slug", "name", "prefix", "created_at")),
        "mails": list(
            Mail.objects.filter(person=person)
            .order_by("pk")
            .values("kind", "created_at", "sent_at")
        ),
        "mailed_links": list(
            MailedProof.objects.filter(person=person)
            .order_by("pk")
            .values("kind", "other_email", "expires_at", "used_at")
        ),
        "sign_ins": list(
            SignIn.objects.filter(member__person=person)
            .order_by("pk")
            .values("kind", "address", "user_agent", "created_at", "last_seen_at", "ended_at")
        ),
    }


def erase_person(*, person_id: UUID) -> dict[str, int]:
    """Delete somebody who is a member nowhere any more; {table: rows}. In the caller's transaction.

    What is left are ids: in trails, and on what they made.
    """
    person = Person.objects.select_for_update().get(pk=person_id, kind=Person.Kind.MEMBER)
    _, rows = person.delete()
    return {name.lower().partition(".")[2]: count for name, count in rows.items()}

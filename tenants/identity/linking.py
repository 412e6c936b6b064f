"""Who a provider's identity is among us: linked by (issuer, subject), once, by the person alone.

An e-mail address links nobody: providers let people claim addresses, and addresses change hands. The
first time, whoever comes proves the password of the account that has this (verified) e-mail.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from config.logs import logger
from tenants.identity.openid import Identity, Journey
from tenants.identity.refusals import OpenIdRefused
from tenants.models import Member, Person, PersonIdentity
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
_SESSION_KEY, _LIFE = "plaza_link", timedelta(minutes=10)


def person_of(identity: Identity) -> Person | None:
    """The person linked to this identity."""
    found = (
        PersonIdentity.objects.select_related("person")
        .filter(issuer=identity.issuer, subject=identity.subject)
        .first()
    )
    return found.person if found else None


def link(*, identity: Identity, member: Member) -> None:
    """Link for good, after the person proved both. Harmless twice; raises OpenIdRefused if another's."""
    person = member.person
    try:
        with transaction.atomic():
            PersonIdentity.objects.create(
                person=person, issuer=identity.issuer, subject=identity.subject
            )
            subject, change = (
                Subject("person", person.pk),
                Change(after={"issuer": identity.issuer}),
            )
            record(Action.IDENTITY_LINKED, subject, change, tenant_id=member.tenant_id)
    except IntegrityError as error:
        if person_of(identity) != person:
            raise OpenIdRefused() from error
        return
    log.info("identity.linked", extra={"person_id": str(person.pk)})


def keep_for_link(
    request: HttpRequest, *, identity: Identity, journey: Journey, now: datetime
) -> None:
    """Hold an identity that nobody is linked to, while the person proves their password."""
    request.session[_SESSION_KEY] = {
        "identity": [identity.issuer, identity.subject, identity.email],
        "journey": [journey.slug, journey.proof, journey.host],
        "until": (now + _LIFE).timestamp(),
    }


def kept_for_link(request: HttpRequest, *, now: datetime) -> tuple[Identity, Journey]:
    """What `keep_for_link` holds. Raises OpenIdRefused after ten minutes."""
    kept = request.session.get(_SESSION_KEY)
    if not kept or kept["until"] <= now.timestamp():
        raise OpenIdRefused()
    return Identity(*kept["identity"]), Journey(*kept["journey"])


def forget_link(request: HttpRequest) -> None:
    request.session.pop(_SESSION_KEY, None)

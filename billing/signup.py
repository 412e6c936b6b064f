"""Sign-up: one transaction reserves everything, a ready schema included, and opens the doors.

When no schema is ready, it is cloned afterwards (`finish`), here where this process has the owner's
rights, else by the provisioner's worker.

Killed anywhere, it goes on: what is reserved is whole, and `finish` starts again where it stopped
(`billing.finish_sign_ups` looks for the cut off). Repeating one's own unfinished sign-up continues it.

Whoever has an account signs up with its password and so owns another tenant. A wrong password is
`email_taken`: it tells that the e-mail has an account, which any sign-up with it would; the view's
limits bound how many can be tried, and each try costs an argon2 hash either way.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from billing.models import Subscription
from billing.services import subscriptions
from config.celery import later
from config.errors import ValidationFailed
from config.logs import logger
from config.needs import Meter, Role
from quotas import ledger
from tenants import services as tenants
from tenants.identity.demo import is_shut_out
from tenants.identity.people import (
    add_member,
    find_person,
    new_person,
    password_faults,
    save_new,
)
from tenants.identity.refusals import EmailTaken
from tenants.models import Person, Tenant
from tenants.pool import claim_ready
from tenants.provisioning import can_provision, provision
from tenants.regions import region_of_sign_up

log = logger(__name__)
# A sign-up that is older was cut off; younger ones are still being answered.
CUT_OFF_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Application:
    """Who wants which stall, on which plan."""

    organisation: str
    slug: str
    email: str
    password: str
    plan: str
    locale: str = "en"
    data_region: str = ""

    def __repr__(self) -> str:
        return f"Application({self.slug!r}, {self.plan!r})"


def sign_up(  # noqa: PLR0913 - what the form asks
    *,
    organisation: str,
    slug: str,
    email: str,
    password: str,
    plan: str,
    now: datetime,
    locale: str = "en",
) -> Tenant:
    """A tenant that answers requests, or is left to the provisioner. Raises what `reserve` raises."""
    application = Application(organisation, slug, email, password, plan, locale)
    tenant = reserve(application=application, now=now)
    return finish(tenant_id=tenant.id)


def reserve(*, application: Application, now: datetime) -> Tenant:
    """Take name, host and a schema, with the owner, the plan and its entitlements; all of it or nothing.

    It is active when a schema was ready, else provisioning. Raises ValidationFailed, SlugTaken, EmailTaken.
    """
    subscriptions.find_plan(application.plan)
    given = {name: getattr(application, name) for name in ("slug", "email", "password")}
    if faults := other_faults(given, known=()):
        raise ValidationFailed(errors=faults)
    region_of_sign_up(application.data_region)  # refused before anything is hashed
    # Proved or hashed before the transaction: argon2 is slow, and may wait for others of its kind.
    owner = _owner(application)
    try:
        return _reserved(application, owner, now)
    except EmailTaken:
        # The same form was sent twice at once, and this is the second: it goes on with the first.
        return _reserved(application, _owner(application), now)


@transaction.atomic
def _reserved(application: Application, person: Person, now: datetime) -> Tenant:
    if person._state.adding:  # noqa: SLF001 - Django's own word for "not saved yet"
        save_new(person)
    region = region_of_sign_up(application.data_region)
    begun = _own_unfinished(application.slug, person)
    if begun is not None:
        return begun
    ready = claim_ready()
    tenant = tenants.reserve(
        slug=application.slug,
        organisation=application.organisation,
        locale=application.locale,
        ready=ready,
        data_region=region,
    )
    member = add_member(tenant=tenant, person=person, role=Role.OWNER)
    subscriptions.start(tenant=tenant, plan=application.plan, now=now)
    ledger.consume(
        tenant_id=tenant.id, meter=Meter.SEATS, quantity=1, key=f"member:{member.pk}", now=now
    )
    log.info("tenant.reserved", extra={"tenant_id": str(tenant.id), "plan": application.plan})
    if ready is not None:
        return _opened(tenant.id)
    if not can_provision():
        later("billing.finish_sign_up", tenant_id=str(tenant.id))
    return tenant


def _opened(tenant_id: UUID) -> Tenant:
    tenant = tenants.activate(tenant_id=tenant_id)
    log.info("tenant.signed_up", extra={"tenant_id": str(tenant_id)})
    return tenant


def other_faults(given: Mapping[str, str], *, known: Collection[str]) -> dict[str, list[str]]:
    """What else is wrong with name and password, by field, so that a person is told all of it at once.

    `known` are the fields with faults already. A taken name by itself is no fault of the input but
    SlugTaken, and that of an unfinished sign-up may be the asker's own.
    """
    faults: dict[str, list[str]] = {}
    if "slug" in given and "slug" not in known:
        try:
            tenants.check_slug(given["slug"])
        except ValidationFailed as refused:
            faults |= refused.facts["errors"]
    if "password" in given and "password" not in known:
        # Whoever has an account proves it with the password that they have, whatever it is like.
        has_account = "email" not in known and find_person(given.get("email", "")) is not None
        asker = Person(email=given.get("email", "").strip().lower())
        weak = password_faults(given["password"], person=asker)
        faults |= {"password": weak} if weak and not has_account else {}
    if (known or faults) and "slug" in given and not {"slug"} & {*known, *faults}:
        taken = Tenant.objects.exclude(status=Tenant.Status.PROVISIONING)
        if taken.filter(slug=given["slug"]).exists() or tenants.is_kept(given["slug"]):
            faults["slug"] = [str(tenants.SlugTaken.title)]
    return faults


def _owner(application: Application) -> Person:
    """Whose account it is, proved by its password; or a new person who is not saved yet."""
    person = find_person(application.email)
    if person is None:
        return new_person(
            email=application.email, password=application.password, locale=application.locale
        )
    is_theirs = person.check_password(application.password) and not is_shut_out(person)
    if not is_theirs or not person.is_active or person.kind != Person.Kind.MEMBER:
        raise EmailTaken()
    return person


def _own_unfinished(slug: str, person: Person) -> Tenant | None:
    begun: Tenant | None = Tenant.objects.filter(
        slug=slug,
        status=Tenant.Status.PROVISIONING,
        members__person=person,
        members__role=Role.OWNER,
    ).first()
    return begun


def finish(*, tenant_id: UUID) -> Tenant:
    """Make the schema and open the tenant. Harmless again and again, and twice at once.

    Without the owner's rights the tenant stays as it is: the provisioner's worker was asked.
    """
    tenant: Tenant = Tenant.objects.get(pk=tenant_id)
    if tenant.status != Tenant.Status.PROVISIONING or not can_provision():
        return tenant
    provision(tenant_id=tenant_id)
    return _opened(tenant_id)


@transaction.atomic
def resume_cut_off(*, now: datetime) -> int:
    """Promise to finish every sign-up that was cut off, each by itself; how many they are.

    A tenant without a subscription was not reserved here: whoever began it must finish it.
    """
    cut_off = [tenant.id for tenant in tenants.unfinished(before=now - CUT_OFF_AFTER)]
    ours = Subscription.objects.filter(tenant_id__in=cut_off).values_list("tenant_id", flat=True)
    for tenant_id in list(ours):
        later("billing.finish_sign_up", tenant_id=str(tenant_id))
    return len(ours)

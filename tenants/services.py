"""The life of a tenant: reserve, finish, suspend, resume, and find by host."""

import re
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError, ValidationFailed
from config.ids import new_id
from tenants.life.refusals import TenantClosing, TenantNotOpen
from tenants.models import Domain, RetiredSlug, Tenant
from tenants.parking import wake
from tenants.pool import Claimed
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

LONGEST_ORGANISATION = 200
LONGEST_REASON = 200
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Names that are ours, that a stranger would take for ours, or that programs ask by themselves (wpad).
RESERVED_SLUGS = frozenset({
    "accounts", "admin", "api", "api-docs", "app", "auth", "autoconfig", "autodiscover",
    "billing", "blog", "cdn", "console", "demo", "docs", "ftp", "help", "id", "imap",
    "internal", "localhost", "login", "mail", "metrics", "my", "ns1", "ns2", "pay", "plaza",
    "pop", "public", "root", "security", "signup", "smtp", "square", "sso", "static", "status",
    "support", "system", "webhooks", "wpad", "www",
})  # fmt: skip


class SlugTaken(DomainError):
    """Another tenant has this subdomain."""

    code = "slug_taken"
    status = 409
    title = _("This subdomain is taken.")


class TenantNotReady(DomainError):
    """The tenant is being set up; ask again in a moment."""

    code = "tenant_not_ready"
    status = 503
    title = _("This tenant is still being set up.")
    headers = {"Retry-After": "2"}


class TenantMigrating(DomainError):
    """The tenant's tables are in the middle of a migration that is no transaction; ask again in a moment."""

    code = "tenant_migrating"
    status = 503
    title = _("This tenant is being brought to a new version.")
    headers = {"Retry-After": "5"}


class TenantSuspended(DomainError):
    """The tenant is suspended: usage, plan, export and support stay reachable."""

    code = "tenant_suspended"
    status = 403
    title = _("This tenant is suspended.")


def host_of(slug: str) -> str:
    return f"{slug}.{settings.PLAZA_DOMAIN}"


def address_at(host: str) -> str:
    """The address of a host of ours, or of a tenant's, as a browser writes it; without a path."""
    return f"{settings.PLAZA_SCHEME}://{host}{settings.PLAZA_PORT_SUFFIX}"


def url_of(tenant: Tenant) -> str:
    """The tenant's address as a browser writes it."""
    return address_at(host_of(tenant.slug))


def is_slug(slug: str) -> bool:
    """Whether `slug` is a DNS label of 2 to 40 characters, be it reserved or not."""
    return _SLUG.fullmatch(slug) is not None and len(slug) >= 2 and "--" not in slug


def check_slug(slug: str) -> None:
    """Raise ValidationFailed unless `slug` is a DNS label of 2 to 40 characters that is not reserved."""
    if not is_slug(slug):
        message = _("Use 2 to 40 lower-case letters, digits and single hyphens.")
        raise ValidationFailed(errors={"slug": [str(message)]})
    if slug in RESERVED_SLUGS:
        raise ValidationFailed(errors={"slug": [str(_("This subdomain is reserved."))]})


def check_free(slug: str) -> None:
    """Raise ValidationFailed or SlugTaken for a name that cannot be reserved now. `reserve` has the last word."""
    check_slug(slug)
    taken = Tenant.objects.filter(slug=slug).exclude(status=Tenant.Status.PROVISIONING)
    if taken.exists() or is_kept(slug):
        raise SlugTaken(slug=slug)


def check_organisation(name: str) -> None:
    """Raise ValidationFailed unless `name` can stand on pages and in mails."""
    if not name.strip() or len(name) > LONGEST_ORGANISATION or not name.isprintable():
        message = _("A name of 1 to 200 printable characters on one line.")
        raise ValidationFailed(errors={"organisation": [str(message)]})


@transaction.atomic
def reserve(
    *,
    slug: str,
    organisation: str,
    locale: str = "en",
    is_demo: bool = False,
    ready: Claimed | None = None,
    data_region: str = "",
) -> Tenant:
    """Take the name and the host. Raises SlugTaken, ValidationFailed.

    The schema is `ready` (tenants/pool.py), claimed in this transaction, or it comes later
    (tenants/provisioning.py).
    """
    check_slug(slug)
    check_organisation(organisation)
    tenant_id = ready.id if ready else new_id()
    tenant = Tenant(
        id=tenant_id,
        schema_name=f"t_{tenant_id.hex}",
        schema_version=ready.version if ready else "",
        slug=slug,
        organisation=organisation,
        locale=locale,
        is_demo=is_demo,
        data_region=data_region or settings.PLAZA_REGION,
    )
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
            Domain.objects.create(tenant=tenant, domain=host_of(slug), is_primary=True)
    except IntegrityError as error:
        raise SlugTaken(slug=slug) from error
    # After the row is in: it waited for a tenant who was giving the name up at this moment.
    if is_kept(slug):
        raise SlugTaken(slug=slug)
    return tenant


def is_kept(slug: str) -> bool:
    """Whether a tenant gave this name up (tenants/hosts.py), and it still leads to that one."""
    return RetiredSlug.objects.filter(slug=slug, until__gt=Now()).exists()


def activate(*, tenant_id: UUID) -> Tenant:
    """Open a provisioned tenant for requests. Harmless twice."""
    Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.PROVISIONING).update(
        status=Tenant.Status.ACTIVE
    )
    return Tenant.objects.get(pk=tenant_id)


@transaction.atomic
def suspend(*, tenant_id: UUID, reason: str) -> Tenant:
    """Refuse the tenant's work from the next request on. `reason` is shown to its people.

    Raises ValidationFailed, TenantNotOpen.
    """
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if not reason.strip():
        raise ValidationFailed(errors={"reason": [str(_("Say why."))]})
    # One that is still being made would never be finished.
    not_open = {Tenant.Status.PROVISIONING, Tenant.Status.CLOSING, Tenant.Status.CLOSED}
    if tenant.status in not_open:
        raise TenantNotOpen(state=tenant.status)
    tenant.status = Tenant.Status.SUSPENDED
    tenant.suspended_reason = reason.strip()[:LONGEST_REASON]
    tenant.save(update_fields=["status", "suspended_reason"])
    _record(Action.TENANT_SUSPENDED, tenant, Change(after={"reason": tenant.suspended_reason}))
    return tenant


@transaction.atomic
def resume(*, tenant_id: UUID) -> Tenant:
    """Undo `suspend`: tasks that were postponed meanwhile are sent within seconds.

    Raises TenantClosing for one that is closed, which only `life.restore` leads back.
    """
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    if tenant.status == Tenant.Status.CLOSING:
        raise TenantClosing(reason=tenant.closing_reason, erase_after=tenant.erase_after)
    if tenant.status == Tenant.Status.SUSPENDED:
        tenant.status = Tenant.Status.ACTIVE
        was, tenant.suspended_reason = tenant.suspended_reason, ""
        tenant.save(update_fields=["status", "suspended_reason"])
        wake(tenant_id)
        _record(Action.TENANT_RESUMED, tenant, Change(before={"reason": was}))
    return tenant


def _record(action: Action, tenant: Tenant, change: Change) -> None:
    record(action, Subject("tenant", tenant.pk, tenant.slug), change, tenant_id=tenant.pk)


def tenant_at(host: str) -> Tenant | None:
    """The tenant that answers at `host`, None where nobody does. Raises TenantNotReady, TenantMigrating."""
    domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    return answering(domain.tenant if domain else None)


def answering(tenant: Tenant | None) -> Tenant | None:
    """`tenant` if it answers requests, None if it is none or gone. Raises TenantNotReady, TenantMigrating."""
    if tenant is None or tenant.status == Tenant.Status.CLOSED:
        return None
    if tenant.status == Tenant.Status.PROVISIONING:
        raise TenantNotReady()
    # Only while its own schema is in the middle: of the old or the new version it is served.
    if tenant.migration_state == Tenant.MigrationState.MIGRATING:
        raise TenantMigrating()
    return tenant


def unfinished(*, before: datetime) -> list[Tenant]:
    """Tenants whose sign-up began before `before` and was cut off."""
    return list(Tenant.objects.filter(status=Tenant.Status.PROVISIONING, created_at__lt=before))

"""Hosts and names: what a request's Host says, and what happens when a tenant takes another name.

A name that was given up leads to the new one for 90 days, and is nobody else's meanwhile.
"""

import re
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.errors import BadHost, DomainError, NotFound
from config.logs import logger
from tenants.models import Domain, RetiredSlug, Tenant
from tenants.services import SlugTaken, answering, check_slug, host_of, is_kept
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
KEPT_FOR = timedelta(days=90)
# Labels of 1 to 63 letters, digits and inner hyphens; one dot may end the name, and a port follow.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST = re.compile(rf"(?P<name>{_NAME.pattern})\.?(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII)
_LONGEST_NAME = 253
_LAST_PORT = 65_535


class TenantMoved(DomainError):
    """The tenant has another name now: `url` is where this request should go.

    410 and not 421, on which a client may send the same request again over another connection; and no
    redirect, which would carry a token to a host that its holder never named.
    """

    code = "tenant_moved"
    status = 410
    title = _("This tenant has moved to another address.")
    # A 410 is cached by default, and a tenant may take its old name back.
    headers = {"Cache-Control": "no-store"}


def is_host_name(name: str) -> bool:
    """Whether `name` is a host name in lower-case ASCII, without a dot at its end."""
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def asked_host(request: HttpRequest) -> str:
    """The host name that was asked, in lower case and without its port. Raises BadHost.

    From here on `request.get_host()` is that name and the port as it came: links made of it hold
    nothing else of the header.
    """
    try:
        given = request.get_host()
    except DisallowedHost as error:
        raise BadHost() from error
    # Before lower(), under which a Kelvin sign becomes a k.
    found = _HOST.fullmatch(given.lower()) if given.isascii() else None
    if found is None or len(found["name"]) > _LONGEST_NAME or int(found["port"] or 0) > _LAST_PORT:
        raise BadHost()
    request.META["HTTP_HOST"] = found["name"] + (f":{found['port']}" if found["port"] else "")
    request.__dict__.pop("headers", None)  # made from META once, and kept
    return found["name"]


def api_host() -> str:
    """The host for programs that cannot use subdomains (tenants/identity/api_host.py)."""
    return f"api.{settings.PLAZA_DOMAIN}"


@transaction.atomic
def rename(*, tenant_id: UUID, slug: str, now: datetime) -> Tenant:
    """Give the tenant the name `slug`, and its subdomain; the old one leads there for 90 days.

    Harmless twice. Its own former names it may take back. Raises ValidationFailed, SlugTaken, NotFound.
    """
    tenant = Tenant.objects.select_for_update().filter(pk=tenant_id).first()
    if answering(tenant) is None or tenant is None:
        raise NotFound()
    former = tenant.slug
    if slug == former:
        return tenant
    check_slug(slug)
    tenant.slug = slug
    try:
        with transaction.atomic():
            tenant.save(update_fields=["slug"])
            Domain.objects.filter(tenant=tenant, domain=host_of(former)).update(
                domain=host_of(slug)
            )
    except IntegrityError as error:
        raise SlugTaken(slug=slug) from error
    RetiredSlug.objects.filter(slug=slug, tenant=tenant).delete()
    # After the row has the name: it waited for whoever was giving that up at this moment.
    if is_kept(slug):
        raise SlugTaken(slug=slug)
    RetiredSlug.objects.update_or_create(
        slug=former, defaults={"tenant": tenant, "until": now + KEPT_FOR}
    )
    record(
        Action.TENANT_RENAMED,
        Subject("tenant", tenant.pk, slug),
        Change(before={"slug": former}, after={"slug": slug}),
        tenant_id=tenant.pk,
    )
    log.info("tenant.renamed", extra={"tenant_id": str(tenant.pk), "from": former, "to": slug})
    return tenant


def moved_from(host: str) -> Tenant | None:
    """The tenant that answered at `host` under a former name; None for any other host.

    Raises TenantNotReady.
    """
    slug, _dot, rest = host.partition(".")
    return by_former_name(slug) if rest == settings.PLAZA_DOMAIN else None


def by_former_name(slug: str) -> Tenant | None:
    """The tenant that gave the name `slug` up less than 90 days ago. Raises TenantNotReady."""
    kept = RetiredSlug.objects.select_related("tenant").filter(slug=slug, until__gt=Now()).first()
    return answering(kept.tenant if kept else None)


def forget_former_names(*, now: datetime) -> int:
    """Let go of names that were given up 90 days ago; how many they were."""
    return RetiredSlug.objects.filter(until__lte=now).delete()[0]

"""`api.<PLAZA_DOMAIN>`: for programs that cannot use subdomains, the tenant comes with the request.

A key or a token of ours names its tenant, or `X-Tenant` does (slug or id); both must agree. What does
not prove itself names nobody: a wrong key is answered as at any subdomain, whatever it looks like.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from tenants.hosts import TenantMoved, by_former_name
from tenants.identity.access_tokens import audience_of
from tenants.identity.keys import find_key
from tenants.identity.refusals import TokenInvalid
from tenants.models import Tenant
from tenants.services import answering, is_slug, url_of
from tenants.snapshots import TenantSnapshot, snapshots

_MOST_REMEMBERED = 10_000
_named_before: dict[bytes, UUID] = {}


class TenantNotNamed(DomainError):
    """At `api.` neither the credentials nor `X-Tenant` name a tenant that there is."""

    code = "tenant_not_named"
    status = 404
    title = _("Say which tenant: by a key or a token, or by its slug or id in X-Tenant.")


class OtherTenantNamed(DomainError):
    """The credentials are one tenant's, and `X-Tenant` names another."""

    code = "tenant_mismatch"
    status = 403
    title = _("The credentials are not those of the tenant in X-Tenant.")


def tenant_asked_for(request: HttpRequest, *, now: datetime) -> Tenant:
    """The tenant of the credentials or of `X-Tenant`.

    Raises TenantNotNamed, OtherTenantNamed, TenantNotReady, TenantMoved; without `X-Tenant` also what
    the credentials' kind raises.
    """
    named = request.headers.get("X-Tenant", "").strip()
    given = request.headers.get("Authorization")
    tenant_id = _proved(given, now, is_needed=not named) if given is not None else None
    if tenant_id is None:
        tenant = _named(named)
    else:
        tenant = answering(Tenant.objects.filter(pk=tenant_id).first())
    if tenant is None:
        raise TenantNotNamed()
    if tenant_id is not None and named not in {"", tenant.slug, str(tenant.pk)}:
        _refuse_other(named, tenant)
    return tenant


def known_snapshot(request: HttpRequest) -> TenantSnapshot | None:
    """What this process knows of the tenant that the same credentials named before.

    Only where to look: CallerMiddleware proves them there, and the gate whether it is still so.
    """
    tenant_id = _named_before.get(_naming(request))
    return None if tenant_id is None else snapshots.of(tenant_id)


def remembered(request: HttpRequest, tenant: Tenant) -> Tenant:
    """`tenant`, which these credentials name; the next request finds it without asking."""
    if len(_named_before) >= _MOST_REMEMBERED:
        _named_before.clear()
    _named_before[_naming(request)] = tenant.pk
    return tenant


def _naming(request: HttpRequest) -> bytes:
    given, named = request.headers.get("Authorization", ""), request.headers.get("X-Tenant", "")
    return hashlib.sha256(f"{given}\n{named}".encode(errors="replace")).digest()


def _proved(given: str, now: datetime, *, is_needed: bool) -> UUID | None:
    """The tenant whose credential this is. One that is nobody's is refused here only if nothing else
    names the tenant: CallerMiddleware refuses it then, as it does at a subdomain.
    """
    try:
        return _tenant_of_credential(given, now)
    except DomainError:
        if is_needed:
            raise
        return None


def _tenant_of_credential(given: str, now: datetime) -> UUID:
    scheme, _space, credential = given.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return audience_of(credential.strip())
        case "api-key":
            return find_key(credential.strip(), None, now).tenant_id
    raise TokenInvalid()


def _named(named: str) -> Tenant | None:
    # The id first, for it is shaped like a slug too.
    if (tenant_id := _as_id(named)) is not None:
        return answering(Tenant.objects.filter(pk=tenant_id).first())
    if not is_slug(named):
        return None
    found = answering(Tenant.objects.filter(slug=named).first())
    if found is None and (moved := by_former_name(named)):
        raise TenantMoved(slug=moved.slug, url=url_of(moved))
    return found


def _as_id(text: str) -> UUID | None:
    """An id as we spell it, or None."""
    try:
        read = UUID(text)
    except ValueError:
        return None
    return read if str(read) == text else None


def _refuse_other(named: str, tenant: Tenant) -> None:
    moved = by_former_name(named) if is_slug(named) else None
    if moved is not None and moved.pk == tenant.pk:
        raise TenantMoved(slug=tenant.slug, url=url_of(tenant))
    raise OtherTenantNamed()

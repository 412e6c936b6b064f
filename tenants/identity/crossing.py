"""Crossing from the square to a tenant: by a code of 60 seconds, for one host and one browser, used once.

A person sets out at a host of the tenant's (its subdomain, or a proved domain of its own), where the
browser's session keeps a secret; the square sees only its hash and puts it on the code. So a code
neither works elsewhere nor signs a stranger in as its owner.
"""

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from tenants.hosts import is_host_name
from tenants.identity.caller import tenant_of
from tenants.identity.hashing import digest, new_secret
from tenants.identity.refusals import CrossingRefused, NotAMember
from tenants.identity.sessions import safe_next
from tenants.identity.sso.connections import refuse_where_enforced
from tenants.isolation import on_square
from tenants.models import CrossingCode, Domain, Member, Person, Tenant
from tenants.services import address_at, host_of

CODE_LIFE = timedelta(seconds=60)
_SESSION_KEY = "plaza_crossing"
_PROOF = re.compile(r"[0-9a-f]{64}")


def square_url(path: str) -> str:
    """An absolute address on the square."""
    return f"{address_at(settings.PLAZA_DOMAIN)}{path}"


def host_asked(request: HttpRequest) -> str:
    """The name of the host at which the request came in, without its port (tenants/hosts.py checked it)."""
    return request.get_host().partition(":")[0]


def home_of(tenant: Tenant, host: str) -> str:
    """Where a journey that began at `host` ends: there, if it is the tenant's own; else at its subdomain.

    Whatever an address claims, nobody is led to a host that this tenant has not proved.
    """
    is_known = is_host_name(host) and Domain.objects.filter(tenant=tenant, domain=host).exists()
    return host if is_known else host_of(tenant.slug)


def set_out(request: HttpRequest, *, came_for: str | None) -> str:
    """Remember in this browser's session that somebody sets out; the proof to show to the square."""
    secret = new_secret()
    request.session[_SESSION_KEY] = {"secret": secret, "next": safe_next(came_for)}
    return digest(secret)


def is_proof(value: str) -> bool:
    return _PROOF.fullmatch(value) is not None


def issue_code(*, person: Person, tenant: Tenant, host: str, proof: str, now: datetime) -> str:
    """A code that opens `tenant` to `person` at `host`, in the browser of `proof`. Raises NotAMember, SsoRequired."""
    member = _membership(person, tenant)
    if member is None:
        raise NotAMember()
    refuse_where_enforced(member)
    CrossingCode.objects.filter(person=person, expires_at__lt=now - CODE_LIFE).delete()
    code = new_secret()
    CrossingCode.objects.create(
        code_hash=digest(code),
        browser_hash=proof,
        person=person,
        tenant=tenant,
        host=host,
        expires_at=now + CODE_LIFE,
    )
    return code


@on_square()
def arrive(request: HttpRequest, *, code: str, now: datetime) -> tuple[Member, str]:
    """Who arrives at this host with `code`, and the path that they came for. Raises CrossingRefused.

    A code is used up by the first who shows it, wherever that is.
    """
    journey = request.session.pop(_SESSION_KEY, None) or {}
    tenant, code_hash = tenant_of(request), digest(code)
    # The condition is in the UPDATE: of two that show the code at once, one counts.
    used = CrossingCode.objects.filter(code_hash=code_hash, used_at=None).update(used_at=now)
    found = CrossingCode.objects.select_related("person").filter(code_hash=code_hash).first()
    if not used or found is None or found.expires_at <= now:
        raise CrossingRefused()
    if (found.tenant_id, found.host) != (tenant.pk, host_asked(request)):
        raise CrossingRefused()
    if not constant_time_compare(found.browser_hash, digest(journey.get("secret", ""))):
        raise CrossingRefused()
    member = _membership(found.person, tenant)
    if member is None:
        raise NotAMember()
    return member, safe_next(journey.get("next"))


def _membership(person: Person, tenant: Tenant) -> Member | None:
    return (
        Member.objects.select_related("person", "custom_role")
        .filter(
            tenant=tenant,
            person=person,
            person__kind=Person.Kind.MEMBER,
            person__is_active=True,
        )
        .first()
    )

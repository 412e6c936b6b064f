"""Domains of their own: claimed, proved by a TXT record at `_plaza.<domain>`, and only then answering.

A proof is looked up when somebody asks for it. Whose value stands there has the domain: another tenant
may take a domain over once its own value is there and the former holder's is not.
"""

import ipaddress
import secrets
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import dns.exception
import dns.resolver
import idna
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from dns.nameserver import Do53Nameserver

from config.errors import DomainError, NotFound, ValidationFailed
from config.logs import logger
from tenants.hosts import is_host_name
from tenants.models import Domain, DomainClaim, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)
PROVE_WITHIN = timedelta(days=7)
MOST_DOMAINS = 25
_LOOKUP_SECONDS = 4.0
_TRY_SECONDS = 1.5
# Names that no public name server answers for.
_NOT_PUBLIC = frozenset({"localhost", "local", "internal", "onion", "arpa"})


class DomainTaken(DomainError):
    """Another tenant has proved this domain, and its proof still stands."""

    code = "domain_taken"
    status = 409
    title = gettext_lazy("This domain is another tenant's.")


class DomainNotProved(DomainError):
    """The TXT record is not there yet: `record` is what to add. Name servers may need an hour."""

    code = "domain_not_proved"
    status = 409
    title = gettext_lazy("The TXT record that proves this domain was not found.")


class TooManyDomains(DomainError):
    """A tenant has as many domains as it may have; remove one first."""

    code = "too_many_domains"
    status = 409
    title = gettext_lazy("No more domains can be added.")


class NameServersAway(DomainError):
    """The name servers do not answer: whether the domain is proved is not known."""

    code = "name_servers_away"
    status = 503
    title = gettext_lazy("The name servers did not answer. Please try again.")
    headers = {"Retry-After": "30"}


def claims_of(tenant_id: UUID) -> QuerySet[DomainClaim]:
    """Every domain that the tenant asked for, proved or not."""
    return DomainClaim.objects.filter(tenant_id=tenant_id)


def claim_named(*, tenant_id: UUID, name: str) -> DomainClaim:
    """The tenant's claim of the domain `name`. Raises NotFound, ValidationFailed."""
    found = claims_of(tenant_id).filter(domain=domain_name(name)).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def add(*, tenant_id: UUID, name: str, now: datetime) -> tuple[DomainClaim, bool]:
    """Claim `name`; the claim, and whether it is new. It answers nothing before `verify`.

    Raises ValidationFailed, TooManyDomains.
    """
    wanted = domain_name(name)
    # Two at once wait here, so that neither counts without the other.
    Tenant.objects.select_for_update().get(pk=tenant_id)
    known = claims_of(tenant_id).filter(domain=wanted).first()
    if known is not None:
        return known, False
    if claims_of(tenant_id).count() >= MOST_DOMAINS:
        raise TooManyDomains(limit=MOST_DOMAINS)
    proof = f"plaza-proof={secrets.token_urlsafe(32)}"
    made = DomainClaim.objects.create(
        tenant_id=tenant_id, domain=wanted, proof=proof, created_at=now
    )
    _record(Action.DOMAIN_CLAIMED, made)
    log.info("domain.claimed", extra={"tenant_id": str(tenant_id), "domain": wanted})
    return made, True


def verify(*, tenant_id: UUID, claim_id: UUID, now: datetime) -> DomainClaim:
    """Look the proof up, and let the domain answer. Harmless twice.

    Raises NotFound, DomainNotProved, DomainTaken, NameServersAway.
    """
    claim = claims_of(tenant_id).filter(pk=claim_id).first()
    if claim is None:
        raise NotFound()
    if claim.verified_at is not None:
        return claim
    # Outside of a transaction: a slow name server must hold no lock of ours.
    standing = txt_values(claim.record_name)
    if claim.proof not in standing:
        record = {"type": "TXT", "name": claim.record_name, "value": claim.proof}
        raise DomainNotProved(domain=claim.domain, record=record)
    return _open(claim, standing, now)


@transaction.atomic
def _open(asked: DomainClaim, standing: frozenset[str], now: datetime) -> DomainClaim:
    claims = DomainClaim.objects.select_for_update().filter(domain=asked.domain).order_by("pk")
    rivals = {claim.pk: claim for claim in claims}
    claim = rivals.pop(asked.pk, None)
    if claim is None:
        raise NotFound()
    held = Domain.objects.select_for_update().filter(domain=claim.domain).first()
    if held is not None and held.tenant_id != claim.tenant_id:
        if held.proof in {"", *standing}:
            raise DomainTaken(domain=claim.domain)
        held.delete()
        held = None
    # The former holder has lost its proof: it may prove the domain again, like everybody.
    former = [rival for rival in rivals.values() if rival.verified_at is not None]
    for rival in former:
        _record(Action.DOMAIN_LOST, rival)
        log.warning("domain.lost", extra={"tenant_id": str(rival.tenant_id), "domain": str(rival)})
    claims.filter(pk__in=[rival.pk for rival in former]).update(verified_at=None, created_at=now)
    if held is None:
        Domain.objects.create(
            tenant_id=claim.tenant_id,
            domain=claim.domain,
            is_primary=False,
            proof=claim.proof,
            verified_at=now,
        )
    claim.verified_at = now
    claim.save(update_fields=["verified_at"])
    _record(Action.DOMAIN_VERIFIED, claim)
    log.info("domain.verified", extra={"tenant_id": str(claim.tenant_id), "domain": claim.domain})
    return claim


@transaction.atomic
def remove(*, tenant_id: UUID, claim_id: UUID) -> None:
    """Give the domain up: the next request to it is nobody's. Raises NotFound."""
    claim = claims_of(tenant_id).select_for_update().filter(pk=claim_id).first()
    if claim is None:
        raise NotFound()
    if claim.verified_at is not None:
        Domain.objects.filter(tenant_id=tenant_id, domain=claim.domain).delete()
    _record(Action.DOMAIN_REMOVED, claim)
    claim.delete()
    log.info("domain.removed", extra={"tenant_id": str(tenant_id), "domain": claim.domain})


def _record(action: Action, claim: DomainClaim) -> None:
    record(action, Subject("domain", claim.pk, claim.domain), tenant_id=claim.tenant_id)


def expire_claims(*, now: datetime) -> int:
    """Forget what was claimed and not proved within 7 days; how many that were."""
    unproved = DomainClaim.objects.filter(verified_at=None, created_at__lte=now - PROVE_WITHIN)
    return unproved.delete()[0]


def domain_name(text: str) -> str:
    """A public host name in lower-case ASCII (international ones in punycode) that is not ours.

    Raises ValidationFailed.
    """
    try:
        name = idna.encode(text.strip().removesuffix("."), uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        name = ""
    labels = name.split(".")
    is_public = len(labels) > 1 and labels[-1] not in _NOT_PUBLIC and not labels[-1].isdecimal()
    # Room for `_plaza.` in the record's name.
    if not is_public or not is_host_name(name) or not is_host_name(f"plaza.{name}"):
        message = _("A domain like shop.example.com, without scheme, port and path.")
        raise ValidationFailed(errors={"domain": [message]})
    ours = settings.PLAZA_DOMAIN
    if name == ours or name.endswith(f".{ours}") or ours.endswith(f".{name}"):
        raise ValidationFailed(errors={"domain": [_("This domain is ours.")]})
    return name


def txt_values(name: str) -> frozenset[str]:
    """The TXT records at `name`, their strings joined; none where there is no such name.

    Raises NameServersAway.
    """
    try:
        answer = resolver().resolve(name, "TXT", search=False, lifetime=_LOOKUP_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return frozenset()
    except dns.exception.DNSException as error:
        log.warning("domain.lookup_failed", extra={"reason": type(error).__name__})
        raise NameServersAway() from error
    return frozenset(b"".join(record.strings).decode(errors="replace") for record in answer)


def resolver() -> dns.resolver.Resolver:
    servers = tuple(settings.PLAZA_DNS_SERVERS)
    made = dns.resolver.Resolver(configure=not servers)
    if servers:
        made.nameservers = list(_name_servers(servers))
    made.timeout = _TRY_SECONDS
    return made


@cache
def _name_servers(named: tuple[str, ...]) -> tuple[Do53Nameserver, ...]:
    try:
        return tuple(_name_server(each) for each in named)
    except ValueError as error:
        raise ImproperlyConfigured(f"PLAZA_DNS_SERVERS: {error}") from error


def _name_server(text: str) -> Do53Nameserver:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    address, port = text, "53"
    if text.count(":") == 1 or text.startswith("["):
        address, _colon, port = text.rpartition(":")
    return Do53Nameserver(str(ipaddress.ip_address(address.strip("[]"))), int(port))

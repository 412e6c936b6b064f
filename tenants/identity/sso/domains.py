"""Domains of e-mail addresses, proved by a TXT record at `_plaza-sso.<domain>`."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from config.errors import NotFound
from tenants.domains import (
    MOST_DOMAINS,
    DomainNotProved,
    DomainTaken,
    TooManyDomains,
    domain_name,
    txt_values,
)
from tenants.models import SsoDomain, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


def domains_of(tenant_id: UUID) -> QuerySet[SsoDomain]:
    return SsoDomain.objects.filter(tenant_id=tenant_id)


def is_proved(tenant_id: UUID, email: str) -> bool:
    """Whether the address is of a domain that the tenant has proved."""
    domain = email.rpartition("@")[2].lower()
    return domains_of(tenant_id).filter(domain=domain, verified_at__isnull=False).exists()


@transaction.atomic
def add(*, tenant_id: UUID, name: str, now: datetime) -> tuple[SsoDomain, bool]:
    """Claim `name`; the claim, and whether it is new. Raises ValidationFailed, TooManyDomains."""
    wanted = domain_name(name)
    Tenant.objects.select_for_update().get(pk=tenant_id)
    known = domains_of(tenant_id).filter(domain=wanted).first()
    if known is not None:
        return known, False
    if domains_of(tenant_id).count() >= MOST_DOMAINS:
        raise TooManyDomains(limit=MOST_DOMAINS)
    proof = f"plaza-proof={secrets.token_urlsafe(32)}"
    made = SsoDomain.objects.create(tenant_id=tenant_id, domain=wanted, proof=proof, created_at=now)
    return made, True


def verify(*, tenant_id: UUID, domain_id: UUID, now: datetime) -> SsoDomain:
    """Look the proof up. Harmless twice. Raises NotFound, DomainNotProved, DomainTaken, NameServersAway."""
    found = _named(tenant_id, domain_id)
    if found.verified_at is not None:
        return found
    if found.proof not in txt_values(found.record_name):
        told = {"type": "TXT", "name": found.record_name, "value": found.proof}
        raise DomainNotProved(domain=found.domain, record=told)
    found.verified_at = now
    try:
        with transaction.atomic():
            found.save(update_fields=["verified_at"])
            subject = Subject("sso_domain", found.pk, found.domain)
            record(Action.SSO_DOMAIN_VERIFIED, subject, tenant_id=tenant_id)
    except IntegrityError as error:
        raise DomainTaken(domain=found.domain) from error
    return found


@transaction.atomic
def remove(*, tenant_id: UUID, domain_id: UUID) -> None:
    """Nobody new comes by an address there. Raises NotFound."""
    found = _named(tenant_id, domain_id)
    record(
        Action.SSO_DOMAIN_REMOVED,
        Subject("sso_domain", found.pk, found.domain),
        tenant_id=tenant_id,
    )
    found.delete()


def _named(tenant_id: UUID, domain_id: UUID) -> SsoDomain:
    found = domains_of(tenant_id).filter(pk=domain_id).first()
    if found is None:
        raise NotFound()
    return found

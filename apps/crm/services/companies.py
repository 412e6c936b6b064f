"""Companies. A contact names its company by its name, so no two have the same."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.crm.models import Company
from apps.crm.services.segments import changes
from config.errors import DomainError, NotFound
from config.transactions import recoverable
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class CompanyValues(TypedDict, total=False):
    name: str
    external_id: str | None
    domain: str
    industry: str
    fields: dict[str, Any]


class CompanyExists(DomainError):
    """Another company, `id`, has this name or external id."""

    code = "company_exists"
    status = 409
    title = _("Another company has this name or external id.")


def create(*, values: CompanyValues, now: datetime) -> Company:
    """Add a company. Raises CompanyExists."""
    return _saved(Company(created_at=now), values, now)


@transaction.atomic
def change(*, company_id: UUID, values: CompanyValues, now: datetime) -> Company:
    """Change what `values` names; custom fields are merged, null removes one.

    Raises NotFound, CompanyExists.
    """
    company = Company.objects.select_for_update().filter(pk=company_id).first()
    if company is None:
        raise NotFound()
    return _saved(company, values, now)


@transaction.atomic
def replace(*, company_id: UUID, values: CompanyValues, now: datetime) -> Company:
    """Make the company what `values` says and nothing else. Raises as `change` does."""
    Company.objects.filter(pk=company_id).update(fields={})
    blank: CompanyValues = {"external_id": None, "domain": "", "industry": ""}
    return change(company_id=company_id, values={**blank, **values}, now=now)


@transaction.atomic
def delete(*, company_id: UUID) -> None:
    """Delete the company; its contacts stay, without one. Raises NotFound."""
    company = Company.objects.select_for_update().filter(pk=company_id).first()
    if company is None:
        raise NotFound()
    changes.note_employed(company_id)
    company.delete()
    record(Action.COMPANY_DELETED, Subject("company", company_id, company.name))


def _saved(company: Company, values: CompanyValues, now: datetime) -> Company:
    for name in ("name", "external_id", "domain", "industry"):
        if name in values:
            setattr(company, name, values[name])
    merged = {**company.fields, **values.get("fields", {})}
    company.fields = {name: value for name, value in merged.items() if value is not None}
    company.updated_at = now
    try:
        with recoverable():
            company.save()
    except IntegrityError as error:
        taken = _taken(company)
        if taken is None:
            raise
        raise taken from error
    return company


def _taken(company: Company) -> CompanyExists | None:
    # Lowered as the index does it: `iexact` compares capitals, which are others for some letters.
    others = Company.objects.exclude(pk=company.pk).alias(lowered_name=Lower("name"))
    same: dict[str, dict[str, Any]] = {
        "name": {"lowered_name": Lower(Value(company.name))},
        "external_id": {"external_id": company.external_id},
    }
    for field, condition in same.items():
        holder = others.filter(**condition).first() if getattr(company, field) else None
        if holder is not None:
            return CompanyExists(id=str(holder.pk), field=field)
    return None

"""Deals, alone and in batches, by one declaration: what a batch of one would do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Company, Contact, Stage
from apps.crm.services import owners
from apps.crm.services.batches.nouns import Key, Noun, Row, Values, merged
from config.errors import DomainError, ValidationFailed
from tenants.identity.people import members_among

_PLAIN = ("external_id", "name", "closes_on", "amount_minor", "currency")


class DealExists(DomainError):
    """Another deal, `id`, has this external id."""

    code = "deal_exists"
    status = 409
    title = gettext_lazy("Another deal has this external id.")


@dataclass(frozen=True, slots=True)
class _Found:
    """`stages`: {id: kind}."""

    stages: dict[UUID, str]
    contacts: Collection[UUID]
    companies: Collection[UUID]
    members: Collection[UUID]


def _look_up(items: Sequence[Values]) -> _Found:
    named = {
        name: {found for values in items if (found := values.get(name))}
        for name in ("stage_id", "contact_id", "company_id", "owner_id")
    }
    return _Found(
        dict(Stage.objects.filter(pk__in=named["stage_id"]).values_list("pk", "kind")),
        set(Contact.objects.filter(pk__in=named["contact_id"]).values_list("pk", flat=True)),
        set(Company.objects.filter(pk__in=named["company_id"]).values_list("pk", flat=True)),
        members_among(named["owner_id"]) if named["owner_id"] else (),
    )


def _assign(row: Row, values: Values, found: _Found) -> None:
    row.update((name, values[name]) for name in _PLAIN if name in values)
    row["fields"] = merged(row["fields"], values)
    for name, known in (("contact_id", found.contacts), ("company_id", found.companies)):
        if name in values:
            if values[name] is not None and values[name] not in known:
                raise ValidationFailed(errors={name: [_("There is no such row.")]})
            row[name] = values[name]
    if "owner_id" in values:
        row["owner_id"] = owners.checked(row["owner_id"], values["owner_id"], found.members)
    _move(row, values, found)


def _move(row: Row, values: Values, found: _Found) -> None:
    """Into another stage; one that is won or lost closes the deal, an open one opens it again."""
    wanted = values.get("stage_id", row["stage_id"])
    if wanted is None:
        raise ValidationFailed(errors={"stage_id": [_("A deal is in a stage.")]})
    if wanted == row["stage_id"]:
        return
    if wanted not in found.stages:
        raise ValidationFailed(errors={"stage_id": [_("There is no such stage.")]})
    row["stage_id"], row["stage_changed_at"] = wanted, row["updated_at"]
    row["closed_at"] = None if found.stages[wanted] == Stage.Kind.OPEN else row["updated_at"]


DEALS = Noun(
    table="crm_deal",
    columns={
        "external_id": "text", "name": "text", "stage_id": "uuid", "contact_id": "uuid",
        "company_id": "uuid", "amount_minor": "bigint", "currency": "text", "owner_id": "uuid",
        "closes_on": "date", "fields": "jsonb", "stage_changed_at": "timestamptz",
        "closed_at": "timestamptz", "archived_at": "timestamptz",
    },
    keys=(Key("external_id"),),
    blank={
        "external_id": None, "name": "", "stage_id": None, "contact_id": None, "company_id": None,
        "amount_minor": None, "currency": None, "owner_id": None, "closes_on": None, "fields": {},
        "stage_changed_at": None, "closed_at": None, "archived_at": None,
    },
    taken=DealExists,
    assign=_assign,
    look_up=_look_up,
)  # fmt: skip

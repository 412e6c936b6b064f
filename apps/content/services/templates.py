"""Make, check, change, remove and render templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.content.html_places import Place, UnsafePlace, is_safe_address, places
from apps.content.models import Kind, Template
from apps.content.substitution import (
    Format,
    NotInLanguage,
    Part,
    Rendered,
    TooLarge,
    names,
    parse,
    render,
)
from config.errors import NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

_HTML_KINDS = frozenset({Kind.EMAIL, Kind.LANDING_PAGE})


@dataclass(frozen=True, slots=True)
class Preview:
    """A template with values in place; `missing` names the variables that had neither value nor default."""

    subject: str
    body: str
    missing: list[str]


def create(*, fields: Mapping[str, Any], by_id: UUID | None, now: datetime) -> Template:
    """Make a template: name, kind, subject, body, variables (declared names).

    Raises ValidationFailed under the field with the flaw; an undeclared variable is named.
    """
    template = Template(created_by_id=by_id, created_at=now, updated_at=now, **fields)
    check(template)
    template.save(force_insert=True)
    return template


@transaction.atomic
def edit(*, template_id: UUID, changes: Mapping[str, Any], now: datetime) -> Template:
    """Change a template; pieces made from it keep their text. Raises as `create` does, and NotFound."""
    template = Template.objects.select_for_update().filter(pk=template_id).first()
    if template is None:
        raise NotFound()
    for name, value in changes.items():
        setattr(template, name, value)
    check(template)
    template.updated_at = now
    template.save(update_fields=[*changes, "updated_at"])
    return template


def email_template(template_id: UUID) -> Template | None:
    """A template of letters; None where there is no such one."""
    return Template.objects.filter(pk=template_id, kind=Kind.EMAIL).first()


@transaction.atomic
def remove(*, template_id: UUID) -> None:
    """Delete a template; pieces made from it stay. Raises NotFound."""
    if not Template.objects.filter(pk=template_id).delete()[0]:
        raise NotFound()
    record(Action.TEMPLATE_DELETED, Subject("template", template_id))


def preview(*, template: Template, values: Mapping[str, str]) -> Preview:
    """Render both texts; what is missing stays visible. Raises ValidationFailed under `values` or `body`."""
    undeclared = sorted(set(values) - set(template.variables))
    if undeclared:
        raise ValidationFailed(
            errors={"values": {name: [_("Not declared.")] for name in undeclared}}
        )
    subject = _rendered(template.subject, values, into=Format.LINE, field="subject")
    body = _rendered(template.body, values, into=_format(template), field="body")
    missing = list(dict.fromkeys([*subject.missing, *body.missing]))
    return Preview(subject=subject.text, body=body.text, missing=missing)


def check(template: Template) -> None:
    """Raise ValidationFailed unless both texts are in the language, declared, and safe where values stand."""
    errors: dict[str, list[Any]] = {}
    for field in ("subject", "body"):
        try:
            parts = parse(getattr(template, field))
            flaws = _undeclared(parts, template.variables)
            if field == "body" and _format(template) is Format.HTML:
                flaws += _unsafe(parts)
        except (NotInLanguage, TooLarge) as error:
            flaws = [_worded(error)]
        if flaws:
            errors[field] = flaws
    if template.kind == Kind.EMAIL and not template.subject:
        errors["subject"] = [_("An e-mail needs a subject.")]
    if errors:
        raise ValidationFailed(errors=errors)


def _format(template: Template) -> Format:
    return Format.HTML if template.kind in _HTML_KINDS else Format.PLAIN


def _undeclared(parts: Sequence[Part], declared: Sequence[str]) -> list[str]:
    return [
        translated("The variable “%(name)s” is not declared.") % {"name": name}
        for name in names(parts)
        if name not in declared
    ]


def _unsafe(parts: Sequence[Part]) -> list[str]:
    try:
        found = list(places(parts))
    except UnsafePlace as error:
        unsafe = [error.name]
    else:
        unsafe = [
            placeholder.name
            for placeholder, place in found
            if place is Place.ADDRESS and not is_safe_address(placeholder.fallback or "")
        ]
    message = translated(
        "The variable “%(name)s” stands where its value could be run: use it in text or in a quoted "
        "attribute."
    )
    return [message % {"name": name} for name in unsafe]


def _rendered(text: str, values: Mapping[str, str], *, into: Format, field: str) -> Rendered:
    parts = parse(text)
    if into is Format.HTML:
        _check_addresses(parts, values)
    try:
        return render(parts, values, into=into)
    except TooLarge as error:
        raise ValidationFailed(errors={field: [_worded(error)]}) from error


def _check_addresses(parts: Sequence[Part], values: Mapping[str, str]) -> None:
    refused = {
        placeholder.name
        for placeholder, place in places(parts)
        if place is Place.ADDRESS and not is_safe_address(values.get(placeholder.name, ""))
    }
    if refused:
        message = _("An address of http, https, mailto or tel.")
        raise ValidationFailed(errors={"values": {name: [message] for name in sorted(refused)}})


def _worded(error: NotInLanguage | TooLarge) -> str:
    if isinstance(error, TooLarge):
        return translated("Too large: the limit is %(limit)d.") % {"limit": error.limit}
    return translated(
        'Line %(line)d: only {{ variable }} and {{ variable|default:"text" }} are known, not %(found)s'
    ) % {"line": error.line, "found": error.found}

"""Filters of lists: `?field=` and `?field__gte=` by allow-list; what is not on the list is refused by name."""

from collections.abc import Collection
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework.filterset import FILTER_FOR_DBFIELD_DEFAULTS
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from config.errors import ValidationFailed

_OF_THE_PAGE = frozenset({"cursor", "limit", "ordering"})


class _MomentField(IsoDateTimeField):  # type: ignore[misc]
    """A moment that UTC can tell: `0001-01-01T00:00+23:59` lies before its first day."""

    def clean(self, value: Any) -> datetime | None:
        found: datetime | None = super().clean(value)
        try:
            return found.astimezone(UTC) if found else None
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"]) from error


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = _MomentField


class _AsSent(forms.Widget):
    """The text of the query, which BooleanWidget would turn into None when it is no boolean."""


class _FlagField(forms.Field):
    default_error_messages = {"invalid": gettext_lazy("One of true, false.")}

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        flag = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        if flag is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return flag


class FlagFilter(filters.Filter):  # type: ignore[misc]
    """`true` or `false`; anything else is refused instead of overlooked."""

    field_class = _FlagField

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=_AsSent, **options)


class WholeNumberFilter(filters.NumberFilter):  # type: ignore[misc]
    """A whole number from 0; what is none is refused instead of rounded."""

    field_class = forms.IntegerField

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 2**63 - 1, **options})


class StrictFilterSet(filters.FilterSet):  # type: ignore[misc]
    """A misspelt filter must not answer with everything."""

    FILTER_DEFAULTS = {
        **deepcopy(FILTER_FOR_DBFIELD_DEFAULTS),
        models.DateTimeField: {"filter_class": MomentFilter},
    }
    base_filters: dict[str, Any]

    def __init__(self, data: Any = None, queryset: Any = None, **options: Any) -> None:
        # django-filter copies every filter and makes a form of them all, which took a third of a
        # list's time. A filter that nobody asked for narrows nothing, so only those asked for are made.
        asked = data or ()
        self.base_filters = {
            name: found for name, found in type(self).base_filters.items() if name in asked
        }
        super().__init__(data, queryset, **options)

    def is_valid(self) -> bool:
        _refuse_unknown(self.data or (), known=type(self).base_filters)
        return not self.filters or bool(super().is_valid())

    @property
    def errors(self) -> Any:
        return self.form.errors if self.filters else {}

    def filter_queryset(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if not self.filters:
            return queryset
        narrowed: models.QuerySet[Any] = super().filter_queryset(queryset)
        return narrowed

    def asked(self, name: str) -> Any:
        """The checked value of a filter, or None where it was not asked for."""
        return self.form.cleaned_data.get(name) if self.filters else None


class NoFilters(BaseFilterBackend):
    """For a list that is read as a whole: asked to narrow it, it refuses."""

    def filter_queryset(
        self, request: Request, queryset: models.QuerySet[Any], view: APIView
    ) -> models.QuerySet[Any]:
        _refuse_unknown(request.query_params, known=())
        return queryset


def narrows(request: Request) -> bool:
    """Whether a list is asked for with anything that is no matter of its pages."""
    return not _OF_THE_PAGE.issuperset(request.query_params)


def _refuse_unknown(asked: Collection[str], *, known: Collection[str]) -> None:
    unknown = set(asked) - set(known) - _OF_THE_PAGE
    if unknown:
        raise ValidationFailed(errors={name: [_("Unknown filter.")] for name in sorted(unknown)})


def text_filter(**options: Any) -> filters.CharFilter:
    """An exact match on text; NUL and overlong texts are refused by the form field."""
    return filters.CharFilter(max_length=254, **options)

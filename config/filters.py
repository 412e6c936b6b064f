"""Filters of lists: `?field=` and `?field__gte=` by allow-list; what is not on the list is refused by name."""

from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters

from config.errors import ValidationFailed

_OF_THE_PAGE = frozenset({"cursor", "limit", "ordering", "search"})


class StrictFilterSet(filters.FilterSet):  # type: ignore[misc]
    """A misspelt filter must not answer with everything."""

    def is_valid(self) -> bool:
        unknown = set(self.data or ()) - set(self.filters) - _OF_THE_PAGE
        if unknown:
            raise ValidationFailed(
                errors={name: [_("Unknown filter.")] for name in sorted(unknown)}
            )
        return bool(super().is_valid())


def text_filter(**options: Any) -> filters.CharFilter:
    """An exact match on text; NUL and overlong texts are refused by the form field."""
    return filters.CharFilter(max_length=254, **options)

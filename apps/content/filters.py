"""What the lists can be narrowed by. `?search=` overlooks case and accents."""

from django_filters import rest_framework as filters

from apps.content.models import Brief, Piece, Template
from config.filters import StrictFilterSet

_MOMENTS = ["gte", "gt", "lte", "lt"]


class BriefFilter(StrictFilterSet):
    search = filters.CharFilter(
        field_name="objective", lookup_expr="unaccent__icontains", max_length=200
    )

    class Meta:
        model = Brief
        fields = {"status": ["exact"], "created_at": _MOMENTS}


class TemplateFilter(StrictFilterSet):
    search = filters.CharFilter(
        field_name="name", lookup_expr="unaccent__icontains", max_length=200
    )

    class Meta:
        model = Template
        fields = {"kind": ["exact"], "created_at": _MOMENTS}


class PieceFilter(StrictFilterSet):
    # The id itself: a ModelChoiceFilter would ask the database for the brief first.
    brief_id = filters.UUIDFilter(field_name="brief_id")
    template_id = filters.UUIDFilter(field_name="template_id")
    search = filters.CharFilter(
        field_name="title", lookup_expr="unaccent__icontains", max_length=200
    )

    class Meta:
        model = Piece
        fields = {
            "status": ["exact"],
            "channel": ["exact"],
            "language": ["exact"],
            "created_at": _MOMENTS,
        }

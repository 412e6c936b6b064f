"""What clients send with a file, and read about its import."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from apps.crm.models import Import
from apps.crm.services.imports.columns import TARGETS
from apps.crm.services.imports.jobs import Forecast, Wishes
from apps.crm.services.imports.rows import Options
from apps.crm.services.phones import REGIONS
from config.api import problem
from config.serializers import CurrencyField, PlainJSONField, RowSerializer, StrictSerializer


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Mapping(PlainJSONField):
    """`{column: target}`; a column that maps to null is left out."""

    default_error_messages = {"shape": _("An object of targets by column.")}

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        try:
            # Multipart has no types: it comes as text.
            given = json.loads(data) if isinstance(data, str) else data
        except ValueError:
            self.fail("invalid")
        except RecursionError:
            self.fail("too_deep", limit=self.max_depth)
        mapping = super().to_internal_value(given)
        if not isinstance(mapping, dict) or not all(
            target is None or isinstance(target, str) for target in mapping.values()
        ):
            self.fail("shape")
        return mapping


class ImportIn(StrictSerializer):
    """Multipart: a CSV or XLSX file, at most PLAZA_UPLOAD_LIMIT_BYTES."""

    file = serializers.FileField()
    mapping = Mapping(
        required=False,
        allow_null=True,
        help_text="JSON: columns (names, or numbers from 1) to "
        + ", ".join(TARGETS)
        + " or `fields.<name>`. Suggested from the columns' names when not given.",
    )
    currency = CurrencyField(default="USD", help_text="Of amounts without one.")
    phone_region = serializers.ChoiceField(
        sorted(REGIONS), required=False, help_text="Of phones without +; ISO 3166, like MX."
    )
    allow_partial = serializers.BooleanField(
        default=False, help_text="Start even if the plan has no room for all contacts."
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Say what would happen; keep nothing."
    )


class ResumeIn(StrictSerializer):
    allow_partial = serializers.BooleanField(default=False)


def wishes_of(values: dict[str, Any]) -> Wishes:
    """The service's wishes from ImportIn's values."""
    return Wishes(
        mapping=values.get("mapping"),
        options=Options(values["currency"], values.get("phone_region")),
        allow_partial=values["allow_partial"],
    )


class ImportOut(RowSerializer[Import]):
    """At rest, rows_done + rows_failed + rows_left_out = rows_total."""

    errors_url = serializers.SerializerMethodField()
    ignored_columns = serializers.SerializerMethodField()

    class Meta:
        model = Import
        fields = [
            "id",
            "status",
            "stopped_reason",
            "stopped_detail",
            "file_name",
            "file_format",
            "mapping",
            "ignored_columns",
            "allow_partial",
            "rows_total",
            "rows_done",
            "rows_failed",
            "rows_left_out",
            "contacts_created",
            "contacts_updated",
            "orders_created",
            "errors_url",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_errors_url(self, job: Import) -> str:
        request = self.context.get("request")
        return str(reverse("import-errors", kwargs={"pk": job.pk}, request=request))

    def get_ignored_columns(self, job: Import) -> list[str]:
        return list(job.options.get("ignored_columns", []))


class RowErrorOut(serializers.Serializer[Any]):
    row = serializers.IntegerField(source="row_number")
    reasons = serializers.ListField(child=serializers.CharField())


class ForecastOut(serializers.Serializer[Forecast]):
    """What an import would do. `refusal` is the problem that it would be refused with, or null."""

    rows_total = serializers.IntegerField()
    rows_failed = serializers.IntegerField()
    contacts_new = serializers.IntegerField()
    mapping = serializers.DictField(source="plan.mapping", child=serializers.CharField())
    ignored_columns = serializers.ListField(source="plan.ignored_columns")
    refusal = serializers.SerializerMethodField()
    errors = RowErrorOut(many=True)  # type: ignore[assignment]

    def get_refusal(self, forecast: Forecast) -> dict[str, Any] | None:
        return problem(forecast.refusal) if forecast.refusal else None

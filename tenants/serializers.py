"""What clients send and read of their domains."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.serializers import RowSerializer, StrictSerializer, TextField
from tenants.domains import PROVE_WITHIN
from tenants.models import DomainClaim


class DomainIn(StrictSerializer):
    domain = TextField(max_length=253, help_text="A host name, like `shop.example.com`.")


class RecordOut(serializers.Serializer[Any]):
    """The DNS record that proves the domain."""

    type = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()


class DomainOut(RowSerializer[DomainClaim]):
    """A domain; it answers requests once it is verified."""

    status = serializers.SerializerMethodField()
    record = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField()

    class Meta:
        model = DomainClaim
        fields = ("id", "domain", "status", "record", "created_at", "expires_at", "verified_at")

    @extend_schema_field(serializers.ChoiceField(choices=["pending", "verified"]))
    def get_status(self, claim: DomainClaim) -> str:
        return "pending" if claim.verified_at is None else "verified"

    @extend_schema_field(RecordOut)
    def get_record(self, claim: DomainClaim) -> dict[str, str]:
        return {"type": "TXT", "name": claim.record_name, "value": claim.proof}

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_expires_at(self, claim: DomainClaim) -> datetime | None:
        """When an unproved one is forgotten."""
        return claim.created_at + PROVE_WITHIN if claim.verified_at is None else None

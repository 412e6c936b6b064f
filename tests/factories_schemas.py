"""Factories of what makes a tenant's schema: rows alone, no schema behind them."""

import factory
from factory.django import DjangoModelFactory

from tenants.models import ReadySchema, Template

__all__ = ["ReadySchemaFactory", "SchemaTemplateFactory"]


class SchemaTemplateFactory(DjangoModelFactory[Template]):
    class Meta:
        model = Template

    version = factory.Sequence(lambda n: f"version-{n}")
    sql = ""
    tables = factory.LazyFunction(list)


class ReadySchemaFactory(DjangoModelFactory[ReadySchema]):
    class Meta:
        model = ReadySchema

    version = factory.Sequence(lambda n: f"version-{n}")

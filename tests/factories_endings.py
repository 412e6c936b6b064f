"""Factories of what is left of tenants, and of what they are restored from."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from config.ids import new_id
from tenants.models import Archive, Erasure, Restoration

__all__ = ["ArchiveFactory", "ErasureFactory", "RestorationFactory"]


class ErasureFactory(DjangoModelFactory[Erasure]):
    class Meta:
        model = Erasure

    tenant_id = factory.LazyFunction(new_id)
    slug = factory.Sequence(lambda n: f"gone-{n}")


class ArchiveFactory(DjangoModelFactory[Archive]):
    class Meta:
        model = Archive

    class Params:
        tenant = None

    tenant_id = factory.LazyAttribute(lambda made: made.tenant.pk if made.tenant else new_id())
    # Of those that are to come a tenant has one.
    status = Archive.Status.COMPLETED


class RestorationFactory(DjangoModelFactory[Restoration]):
    class Meta:
        model = Restoration

    tenant_id = factory.LazyFunction(new_id)
    slug = factory.Sequence(lambda n: f"copy-{n}")
    archive_sha256 = "0" * 64
    began_at = factory.LazyFunction(timezone.now)

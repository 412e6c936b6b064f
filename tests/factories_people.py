"""Factories of the square's rows: tenants, people, members, keys and what else stands in public."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from config.ids import new_id
from config.models import KeptAnswer, OutboxMessage, PreparedRelease
from config.needs import Role
from tenants.models import (
    ApiKey,
    AttemptCount,
    CrossingCode,
    CustomRole,
    Domain,
    DomainClaim,
    Member,
    Person,
    PersonIdentity,
    RefreshToken,
    RetiredSlug,
    SsoConnection,
    SsoDomain,
    SsoIdentity,
    Tenant,
    TenantVersion,
)


class TenantFactory(DjangoModelFactory[Tenant]):
    class Meta:
        model = Tenant

    slug = factory.Sequence(lambda n: f"tenant-{n}")
    organisation = factory.Sequence(lambda n: f"Tenant {n} Inc.")
    schema_name = factory.LazyAttribute(lambda row: f"t_{row.slug.replace('-', '_')}")
    status = Tenant.Status.ACTIVE


class AttemptCountFactory(DjangoModelFactory[AttemptCount]):
    class Meta:
        model = AttemptCount

    key = factory.Sequence(str)
    count = 1
    ends_at = factory.LazyFunction(timezone.now)


class DomainFactory(DjangoModelFactory[Domain]):
    class Meta:
        model = Domain

    tenant = factory.SubFactory(TenantFactory)
    domain = factory.LazyAttribute(lambda row: f"{row.tenant.slug}.plaza.localhost")
    is_primary = True


class DomainClaimFactory(DjangoModelFactory[DomainClaim]):
    """One that nobody has proved yet."""

    class Meta:
        model = DomainClaim

    tenant = factory.SubFactory(TenantFactory)
    domain = factory.Sequence(lambda n: f"shop-{n}.example.com")
    proof = factory.Sequence(lambda n: f"plaza-proof={n}")
    created_at = factory.LazyFunction(timezone.now)


class SsoConnectionFactory(DjangoModelFactory[SsoConnection]):
    class Meta:
        model = SsoConnection

    tenant = factory.SubFactory(TenantFactory)
    issuer = "https://id.example.com"
    client_id = "plaza"
    sealed_secret = b"sealed"
    default_role = "member"
    created_at = factory.LazyFunction(timezone.now)


class SsoDomainFactory(DjangoModelFactory[SsoDomain]):
    class Meta:
        model = SsoDomain

    tenant = factory.SubFactory(TenantFactory)
    domain = factory.Sequence(lambda n: f"people-{n}.example.com")
    proof = factory.Sequence(lambda n: f"plaza-proof={n}")
    created_at = factory.LazyFunction(timezone.now)


class SsoIdentityFactory(DjangoModelFactory[SsoIdentity]):
    class Meta:
        model = SsoIdentity

    tenant = factory.SelfAttribute("member.tenant")
    member = factory.SubFactory("tests.factories.MemberFactory")
    issuer = "https://id.example.com"
    subject = factory.Sequence(lambda n: f"subject-{n}")
    created_at = factory.LazyFunction(timezone.now)


class RetiredSlugFactory(DjangoModelFactory[RetiredSlug]):
    class Meta:
        model = RetiredSlug

    slug = factory.Sequence(lambda n: f"former-{n}")
    tenant = factory.SubFactory(TenantFactory)
    until = factory.LazyFunction(lambda: timezone.now() + timedelta(days=90))


class PersonFactory(DjangoModelFactory[Person]):
    class Meta:
        model = Person

    email = factory.Sequence(lambda n: f"person-{n}@people.test")
    name = factory.Sequence(lambda n: f"Person {n}")


class CustomRoleFactory(DjangoModelFactory[CustomRole]):
    class Meta:
        model = CustomRole

    tenant = factory.SubFactory(TenantFactory)
    name = factory.Sequence(lambda n: f"role-{n}")
    permissions = ["contacts:read"]


class MemberFactory(DjangoModelFactory[Member]):
    class Meta:
        model = Member

    tenant = factory.SubFactory(TenantFactory)
    person = factory.SubFactory(PersonFactory)
    role = Role.MEMBER


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    class Meta:
        model = ApiKey

    tenant = factory.SubFactory(TenantFactory)
    name = factory.Sequence(lambda n: f"key {n}")
    prefix = factory.Sequence(lambda n: f"pre{n:05d}")
    key_hash = "0" * 64
    scopes = ["read"]
    created_by = factory.SubFactory(MemberFactory, tenant=factory.SelfAttribute("..tenant"))


class RefreshTokenFactory(DjangoModelFactory[RefreshToken]):
    class Meta:
        model = RefreshToken

    member = factory.SubFactory(MemberFactory)
    family = factory.LazyAttribute(lambda row: row.member.pk)
    token_hash = factory.Sequence(lambda n: f"{n:064d}")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))


class PersonIdentityFactory(DjangoModelFactory[PersonIdentity]):
    class Meta:
        model = PersonIdentity

    person = factory.SubFactory(PersonFactory)
    issuer = "https://provider.test"
    subject = factory.Sequence(lambda n: f"subject-{n}")


class CrossingCodeFactory(DjangoModelFactory[CrossingCode]):
    class Meta:
        model = CrossingCode

    code_hash = factory.Sequence(lambda n: f"{n:064d}")
    browser_hash = "0" * 64
    person = factory.SubFactory(PersonFactory)
    tenant = factory.SubFactory(TenantFactory)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=60))


class OutboxMessageFactory(DjangoModelFactory[OutboxMessage]):
    class Meta:
        model = OutboxMessage

    task = "config.resend_outbox"
    arguments = factory.LazyFunction(dict)
    headers = factory.LazyFunction(dict)


class KeptAnswerFactory(DjangoModelFactory[KeptAnswer]):
    class Meta:
        model = KeptAnswer

    scope = "square:"
    key = factory.Sequence(lambda n: f"key-{n}")
    request_hash = "0" * 64
    status = 201
    content_type = "application/json"
    sealed_body = b"sealed"


class PreparedReleaseFactory(DjangoModelFactory[PreparedRelease]):
    class Meta:
        model = PreparedRelease
        django_get_or_create = ("id",)

    id = 1
    fingerprint = "0" * 64


class TenantVersionFactory(DjangoModelFactory[TenantVersion]):
    class Meta:
        model = TenantVersion

    tenant_id = factory.LazyFunction(new_id)
    token = factory.LazyFunction(lambda: new_id().hex)
    changed_at = factory.LazyFunction(timezone.now)

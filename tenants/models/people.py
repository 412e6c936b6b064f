"""People, their places in tenants, and everything by which somebody or a program proves who it is."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from config.ids import new_id
from config.needs import Permission, Role
from config.personal import Personal
from config.roles import BUILT_IN
from tenants.models.roles import CustomRole
from tenants.models.stalls import Tenant
from tenants.models.versions import VersionedModel, VersionedQuerySet


class PersonManager(BaseUserManager["Person"]):
    def get_queryset(self) -> VersionedQuerySet["Person"]:
        return VersionedQuerySet(self.model, using=self._db)

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Make a person; without a password nobody can sign in by one."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str, **fields: Any) -> "Person":
        """Make an operator with every permission (`manage.py createsuperuser`)."""
        return self.create_user(
            email, password, kind=Person.Kind.OPERATOR, is_superuser=True, **fields
        )


class Person(VersionedModel, AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. An operator is a person of its own kind and never a member of a tenant."""

    class Kind(models.TextChoices):
        MEMBER = "member"
        OPERATOR = "operator"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.MEMBER)
    is_active = models.BooleanField(default=True)
    locale = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # "Sign out everywhere": sessions that began before are nobody's.
    signed_out_at = models.DateTimeField(null=True)

    objects: ClassVar[PersonManager] = PersonManager()

    unversioned = frozenset({"last_login"})
    personal: ClassVar[dict[str, Personal]] = {"email": Personal.EMAIL, "name": Personal.NAME}
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="person_email_is_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_staff(self) -> bool:
        return self.kind == self.Kind.OPERATOR

    @classmethod
    def tenants_of(cls, rows: "models.QuerySet[Any]") -> list[UUID]:
        places = Member.objects.filter(person__in=rows.order_by())
        return list(places.values_list("tenant_id", flat=True).distinct())

    def tenants(self) -> list[UUID]:
        return list(self.memberships.values_list("tenant_id", flat=True))


class Member(VersionedModel):
    """A person's place in a tenant.

    With `custom_role` that one counts, and `role` is the least: what reads the built-in one alone errs low.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    custom_role = models.ForeignKey(
        CustomRole, on_delete=models.RESTRICT, null=True, blank=True, related_name="members"
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = VersionedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "person"], name="member_once_per_tenant"),
            models.CheckConstraint(
                condition=Q(custom_role=None) | Q(role=Role.READ_ONLY.value),
                name="member_of_custom_role_is_else_least",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role}"

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.custom_role.granted if self.custom_role else BUILT_IN[Role(self.role)]

    @property
    def role_name(self) -> str:
        """As it is told: a custom role's own name."""
        return self.custom_role.name if self.custom_role else self.role


class ApiKey(VersionedModel):
    """A program's credential. Only the SHA-256 of the key is kept; `prefix` finds it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    key_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=32))
    # A key acts as the member who made it, and dies with the membership.
    created_by = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_keys")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Networks as CIDR; none is everywhere.
    allowed_networks = ArrayField(
        models.CharField(max_length=43), default=list, db_default=[], blank=True
    )
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = VersionedQuerySet.as_manager()
    unversioned = frozenset({"last_used_at", "name"})

    class Meta:
        indexes = [models.Index(fields=["tenant", "created_at"], name="api_key_of_tenant")]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_live(self, *, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


class RefreshToken(VersionedModel):
    """One link of a family of refresh tokens. Using a used one revokes the whole family."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="refresh_tokens")
    family = models.UUIDField(db_index=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = VersionedQuerySet.as_manager()
    # Only that a family is revoked is in a snapshot.
    unversioned = frozenset({"used_at", "expires_at"})

    class Meta:
        indexes = [
            # Asked with every access token: is its family revoked?
            models.Index(
                fields=["family"],
                condition=Q(revoked_at__isnull=False),
                name="refresh_family_revoked",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def tenants_of(cls, rows: "models.QuerySet[Any]") -> list[UUID]:
        return list(rows.order_by().values_list("member__tenant_id", flat=True).distinct())

    def tenants(self) -> list[UUID]:
        return [self.member.tenant_id]


class PersonIdentity(models.Model):
    """Who a person is at an OpenID provider. The key is (issuer, subject), never an e-mail address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "person identities"
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="identity_once_per_issuer_and_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.issuer}"


class CrossingCode(models.Model):
    """A single-use code by which a person crosses from the square to a tenant.

    Bound to one host of one tenant and to the browser that set out from there (`browser_hash`), so that
    nobody can send a stranger across as himself.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    host = models.CharField(max_length=253, db_default="")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)

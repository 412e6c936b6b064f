"""The demo: two tenants with people of four roles, an operator, and a sample of real customers.

Made by `make up` outside production; harmless again and again.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from billing.signup import sign_up
from config.needs import Meter, Role
from quotas import ledger
from tenants.identity.people import add_member
from tenants.models import Member, Person, Tenant

DEMO_TENANTS = {"acme": "growth", "globex": "starter"}
OPERATOR = "operator@plaza.test"
_STAFF = {"admin": Role.ADMIN, "member": Role.MEMBER, "reader": Role.READ_ONLY}


class NoDemoPassword(RuntimeError):
    """The demo's password comes from PLAZA_DEMO_PASSWORD; `make up` makes one."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One demo sign-in, without its password."""

    email: str
    role: str
    url: str


def make_people(*, now: datetime) -> list[SignIn]:
    """Sign the demo tenants up, and add their staff and the operator. Raises NoDemoPassword."""
    if settings.IS_PRODUCTION:
        raise RuntimeError("There is no demo in production.")
    if not settings.PLAZA_DEMO_PASSWORD:
        raise NoDemoPassword("Set PLAZA_DEMO_PASSWORD.")
    made: list[SignIn] = []
    for slug, plan in DEMO_TENANTS.items():
        tenant = _tenant(slug, plan, now=now)
        made += [_staff(tenant, name, role, now=now) for name, role in _STAFF.items()]
    _person(OPERATOR, "Olivia Operator", kind=Person.Kind.OPERATOR)
    return made


def _tenant(slug: str, plan: str, *, now: datetime) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        tenant = sign_up(
            organisation=f"{slug.title()} Inc.",
            slug=slug,
            email=f"owner@{slug}.test",
            password=settings.PLAZA_DEMO_PASSWORD,
            plan=plan,
            # No language of their own: they see what their browser asks for.
            locale="",
            now=now,
        )
    Tenant.objects.filter(pk=tenant.pk).update(is_demo=True)
    return tenant


@transaction.atomic
def _staff(tenant: Tenant, name: str, role: Role, *, now: datetime) -> SignIn:
    email = f"{name}@{tenant.slug}.test"
    person = _person(email, name.title(), kind=Person.Kind.MEMBER)
    if not Member.objects.filter(tenant=tenant, person=person).exists():
        member = add_member(tenant=tenant, person=person, role=role)
        ledger.consume(
            tenant_id=tenant.id, meter=Meter.SEATS, quantity=1, key=f"member:{member.id}", now=now
        )
    return SignIn(email=email, role=role.value, url=tenant.slug)


def _person(email: str, name: str, *, kind: Person.Kind) -> Person:
    found = Person.objects.filter(email=email).first()
    if found is not None:
        return found
    return Person.objects.create_user(
        email,
        settings.PLAZA_DEMO_PASSWORD,
        name=name,
        kind=kind,
        is_superuser=kind == Person.Kind.OPERATOR,
    )

"""Sign-in by password: throttled by account and address, and one answer whatever is wrong."""

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from config.logs import logger
from tenants.identity.caller import tenant_of
from tenants.identity.demo import is_shut_out
from tenants.identity.people import LONGEST_PASSWORD
from tenants.identity.refusals import InvalidCredentials
from tenants.identity.sso.connections import refuse_where_enforced
from tenants.identity.throttles import by_address, limited
from tenants.models import Member, Person, Tenant

log = logger(__name__)
PER_ACCOUNT = "10/m"
PER_ADDRESS = "60/m"


def prove_by_password(request: HttpRequest, *, email: str, password: str) -> Member:
    """The member of the asked host's tenant. Raises RateLimited, ServiceUnavailable, InvalidCredentials."""
    guard_sign_in(request, email=email)
    return member_by_password(tenant=tenant_of(request), email=email, password=password)


def guard_sign_in(request: HttpRequest, *, email: str) -> None:
    """Count one attempt. A person is global, so the limits hold over all hosts together."""
    limited(request, group="sign-in", keys=by_address(request), rate=PER_ADDRESS)
    limited(request, group="sign-in", keys=["account", email.strip().lower()], rate=PER_ACCOUNT)


def member_by_password(*, tenant: Tenant, email: str, password: str) -> Member:
    """Raises InvalidCredentials alike for an unknown e-mail, a wrong password and a stranger to `tenant`,
    and SsoRequired where the password is right and not enough.

    Each of them costs one query and one argon2 hash, so that the time tells nothing either. What can be
    nobody's (a NUL, which PostgreSQL does not store; an endless password) costs neither.
    """
    if "\x00" in email or len(password) > LONGEST_PASSWORD:
        raise InvalidCredentials()
    member = (
        Member.objects.select_related("person", "custom_role")
        .filter(
            tenant=tenant,
            person__email=email.strip().lower(),
            person__kind=Person.Kind.MEMBER,
            person__is_active=True,
        )
        .first()
    )
    if member is None or not member.person.has_usable_password():
        make_password(password)
        raise InvalidCredentials()
    if not member.person.check_password(password):
        log.info("sign_in.refused", extra={"member_id": str(member.pk)})
        raise InvalidCredentials()
    if is_shut_out(member.person, tenant=tenant):
        log.warning("sign_in.of_demo", extra={"member_id": str(member.pk)})
        raise InvalidCredentials()
    refuse_where_enforced(member)
    return member

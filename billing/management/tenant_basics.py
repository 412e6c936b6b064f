"""`manage.py tenant create|list|show|suspend|resume`."""

import getpass
import sys

from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named, tell
from billing.signup import sign_up
from config.management.output import JsonCommand
from quotas import ledger
from tenants import services
from tenants.models import Tenant


def add(actions: Actions) -> None:
    """The beginning of a tenant, and looking at it."""
    create = action(actions, "create", "sign a tenant up", _create)
    create.add_argument("slug")
    create.add_argument("--organisation", required=True)
    create.add_argument("--email", required=True, help="of the owner")
    create.add_argument("--plan", default="free")
    create.add_argument("--password-stdin", action="store_true", help="read it from a pipe")
    action(actions, "list", "every tenant, oldest first", _list)
    action(actions, "show", "one tenant", _show).add_argument("slug")
    action(actions, "resume", "undo suspend", _resume).add_argument("slug")
    suspend = action(actions, "suspend", "refuse a tenant's work", _suspend)
    suspend.add_argument("slug")
    suspend.add_argument("--reason", required=True, help="its people see it")


def _create(command: JsonCommand, options: Options) -> None:
    tenant = sign_up(
        organisation=options["organisation"],
        slug=options["slug"],
        email=options["email"],
        password=_password(from_stdin=options["password_stdin"]),
        plan=options["plan"],
        now=timezone.now(),
    )
    tell(command, tenant)


def _list(command: JsonCommand, options: Options) -> None:
    for tenant in Tenant.objects.order_by("created_at"):
        tell(command, tenant)


def _show(command: JsonCommand, options: Options) -> None:
    tenant = named(options["slug"])
    tell(command, tenant)
    for meter in ledger.usage(tenant_id=tenant.id, now=timezone.now()):
        limit = "unlimited" if meter.limit is None else meter.limit
        command.report(
            f"  {meter.meter}: {meter.used} of {limit}",
            meter=meter.meter,
            used=meter.used,
            limit=meter.limit,
        )


def _suspend(command: JsonCommand, options: Options) -> None:
    tenant = named(options["slug"])
    tell(command, services.suspend(tenant_id=tenant.id, reason=options["reason"]))


def _resume(command: JsonCommand, options: Options) -> None:
    tell(command, services.resume(tenant_id=named(options["slug"]).id))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password of the owner: ")

"""`manage.py tenant create|list|show|suspend|resume|region`."""

import getpass
import sys
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named, tell
from billing.services.subscriptions import find_plan
from billing.signup import sign_up
from config.management.output import JsonCommand, shown
from quotas import ledger
from quotas.shares import shares_used
from tenants import regions, services, shares
from tenants.models import Tenant

# The columns of the shares of which is known how much is taken.
_COLUMNS = {"worker_slots": "worker_slots", "storage": "storage_limit_bytes"}
_NO_TERMINAL = (
    "There is no terminal to ask for the owner's password: give it on a pipe, like"
    ' `printf %s "$PASSWORD" | manage.py tenant create {slug} … --password-stdin`.'
)


def add(actions: Actions) -> None:
    """The beginning of a tenant, and looking at it."""
    create = action(actions, "create", "sign a tenant up", _create)
    create.add_argument("slug")
    create.add_argument("--organisation", required=True)
    create.add_argument("--email", required=True, help="of the owner")
    create.add_argument("--plan", default="free", help="a paid one begins as a trial")
    create.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the owner's password from a pipe; else it is asked for",
    )
    action(actions, "list", "every tenant, oldest first", _list)
    action(actions, "show", "one tenant: state, usage, shares", _show).add_argument("slug")
    action(actions, "resume", "undo suspend", _resume).add_argument("slug")
    suspend = action(actions, "suspend", "refuse a tenant's work", _suspend)
    suspend.add_argument("slug")
    suspend.add_argument("--reason", required=True, help="its people see it")
    region = action(actions, "region", "note where its data lies; move it yourself", _region)
    region.add_argument("slug")
    region.add_argument("region")


def _create(command: JsonCommand, options: Options) -> None:
    # Before anybody types a password.
    services.check_free(options["slug"])
    services.check_organisation(options["organisation"])
    find_plan(options["plan"])
    tenant = sign_up(
        organisation=options["organisation"],
        slug=options["slug"],
        email=options["email"],
        password=_password(slug=options["slug"], from_stdin=options["password_stdin"]),
        plan=options["plan"],
        now=timezone.now(),
    )
    tell(command, tenant)


def _list(command: JsonCommand, options: Options) -> None:
    tenants = list(Tenant.objects.order_by("created_at"))
    for tenant in tenants:
        tell(command, tenant)
    if not tenants and not options["json"]:
        command.report("There is no tenant yet; `tenant create` signs one up.")


def _show(command: JsonCommand, options: Options) -> None:
    tenant = named(options["slug"])
    tell(command, tenant, **_state_of(tenant), **_region_of(tenant))
    for meter in ledger.usage(tenant_id=tenant.id, now=timezone.now()):
        limit = "unlimited" if meter.limit is None else meter.limit
        command.report(
            f"  {meter.meter}: {meter.used} of {limit}",
            meter=meter.meter,
            used=meter.used,
            limit=meter.limit,
        )
    _show_shares(command, tenant)


def _state_of(tenant: Tenant) -> dict[str, Any]:
    """Why it is not open, and until when it can be restored."""
    if tenant.status == Tenant.Status.SUSPENDED:
        return {"reason": tenant.suspended_reason}
    if tenant.erase_after is not None:
        return {"reason": tenant.closing_reason, "erase_after": tenant.erase_after}
    return {}


def _region_of(tenant: Tenant) -> dict[str, str]:
    return {"data_region": tenant.data_region} if tenant.data_region else {}


def _region(command: JsonCommand, options: Options) -> None:
    moved = regions.move(tenant_id=named(options["slug"]).id, region=options["region"])
    tell(command, moved, **_region_of(moved))


def _show_shares(command: JsonCommand, tenant: Tenant) -> None:
    """What it may take of the machine, what of it is taken now, and which shares were set by hand."""
    used = {_COLUMNS[found.share]: found.used for found in shares_used(tenant.ref)}
    for name in shares.BOUNDS:
        limit, is_by_hand = getattr(tenant, name), name in tenant.scaled_by_hand
        taken = f"{shown(used[name])} of " if name in used else ""
        command.report(
            f"  {name}: {taken}{'the default' if limit is None else limit}"
            + (" (by hand)" if is_by_hand else ""),
            share=name,
            limit=limit,
            by_hand=is_by_hand,
            **({"used": used[name]} if name in used else {}),
        )


def _suspend(command: JsonCommand, options: Options) -> None:
    tenant = named(options["slug"])
    tell(command, services.suspend(tenant_id=tenant.id, reason=options["reason"]))


def _resume(command: JsonCommand, options: Options) -> None:
    tell(command, services.resume(tenant_id=named(options["slug"]).id))


def _password(*, slug: str, from_stdin: bool) -> str:
    if not from_stdin and not sys.stdin.isatty():
        raise CommandError(_NO_TERMINAL.format(slug=slug))
    if from_stdin:
        given = sys.stdin.readline().rstrip("\n")
    else:
        given = getpass.getpass("Password of the owner: ")
        if given and getpass.getpass("Once more: ") != given:
            raise CommandError("The two passwords differ: nothing was done.")
    if not given:
        raise CommandError("No password was given: nothing was done.")
    return given

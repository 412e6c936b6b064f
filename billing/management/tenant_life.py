"""`manage.py tenant close|restore|erase`: the end of a tenant, and the way back."""

from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named, tell, telling
from billing.services import offboarding
from config.management.output import JsonCommand
from tenants import life, services
from tenants.models import Erasure, Tenant

_BY = "command line"


def add(actions: Actions) -> None:
    """What ends a tenant."""
    close = action(actions, "close", "end a tenant: restorable for some days, then erased", _close)
    close.add_argument("slug")
    close.add_argument("--reason", required=True, help="its people see it")
    back = action(actions, "restore", "undo close (or suspend)", _restore)
    back.add_argument("slug")
    erase = action(
        actions, "erase", "erase a closed tenant for good; prints the certificate", _erase
    )
    erase.add_argument("slug")
    erase.add_argument("--yes", action="store_true", help="no way back: say that you know")
    erase.add_argument(
        "--now", metavar="SLUG", help="do not wait for the window: the slug, typed once more"
    )


def _close(command: JsonCommand, options: Options) -> None:
    closed = offboarding.close(
        tenant_id=named(options["slug"]).id,
        reason=options["reason"],
        by=_BY,
        now=timezone.now(),
    )
    tell(command, closed, erase_after=closed.erase_after)


def _restore(command: JsonCommand, options: Options) -> None:
    tenant = named(options["slug"])
    if tenant.status == Tenant.Status.SUSPENDED:
        tell(command, services.resume(tenant_id=tenant.id))
        return
    tell(command, life.restore(tenant_id=tenant.id, by=_BY, now=timezone.now()))


def _erase(command: JsonCommand, options: Options) -> None:
    slug, again = options["slug"], options["now"]
    if again is not None and again != slug:
        raise CommandError(
            f"--now takes the slug once more; it says {again!r}, not {slug!r}: nothing was erased."
        )
    if not options["yes"] and again is None:
        raise CommandError("An erasure cannot be undone: say --yes.")
    with telling(command) as say:
        certificate = offboarding.erase(
            tenant_id=_whom(slug), now=timezone.now(), tell=say, is_at_once=again is not None
        )
    erased = certificate["erased"]
    rows = sum(erased["tables"].values()) + sum(erased["public"].values())
    command.report(
        f"{slug} is erased: {rows} rows, {erased['files'].get('files', 0)} files,"
        f" {erased['keys'].get('keys', 0)} keys, {sum(erased['people'].values())} people."
        f" Certificate {certificate['erasure']}, sha256 {certificate['sha256']}",
        **certificate,
    )


def _whom(slug: str) -> UUID:
    """The tenant, or the one whose erasure under this slug came as far as the tenant's own row."""
    tenant = Tenant.objects.filter(slug=slug).first()
    erasure = Erasure.objects.filter(slug=slug).order_by("began_at").last()
    if tenant is None and erasure is not None:
        return erasure.tenant_id
    return named(slug).id

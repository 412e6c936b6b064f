"""`manage.py tenant doctor [SLUG] [--mend]`: what is wrong with tenants, and how each is mended."""

from datetime import datetime

from django.core.management.base import CommandError
from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named
from config.management.output import JsonCommand
from tenants.doctor.examination import examine, mend
from tenants.doctor.findings import Finding, Level


def add(actions: Actions) -> None:
    """Looks at every tenant and at the roles; exits with 1 where something is an error."""
    doctor = action(actions, "doctor", "find faults in schemas, roles, rights and keys", _doctor)
    doctor.add_argument("slug", nargs="?", help="only what concerns this tenant")
    doctor.add_argument("--mend", action="store_true", help="mend what is safe to mend")


def _doctor(command: JsonCommand, options: Options) -> None:
    now = timezone.now()
    tenant_id = named(options["slug"]).id if options["slug"] else None
    found = examine(now=now, tenant_id=tenant_id)
    if options["mend"]:
        _mend(command, found, now=now)
        # Mending one may have mended, or shown, another.
        found = examine(now=now, tenant_id=tenant_id)
    for finding in found:
        _tell(command, finding, state="found")
    errors = sum(finding.level is Level.ERROR for finding in found)
    if errors:
        raise CommandError(f"{errors} of {len(found)} findings are errors.")
    if not found:
        command.report("Nothing is wrong.", state="healthy")


def _mend(command: JsonCommand, found: list[Finding], *, now: datetime) -> None:
    outcome = mend(found, now=now)
    for finding in outcome.mended:
        _tell(command, finding, state="mended")
    for finding, reason in outcome.refused:
        command.report(
            f"not mended: {finding.code}: {reason}", code=finding.code, state="refused", why=reason
        )


def _tell(command: JsonCommand, finding: Finding, *, state: str) -> None:
    lines = [f"{state}: {finding.level}: {finding.code}: {finding.fault.what}"]
    if state == "found":
        lines += [f"    {line}" for line in finding.fault.cure.splitlines()]
    command.report("\n".join(lines), state=state, **finding.facts())

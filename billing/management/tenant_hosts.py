"""`manage.py tenant rename|domain|scale`: a tenant's names, and what it may take of the machine."""

from django.core.management.base import CommandError
from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named, tell
from billing.models import Subscription
from billing.services.catalogues import catalogue_of
from config.management.output import JsonCommand
from tenants import domains, hosts, shares
from tenants.models import DomainClaim, Tenant

_SHARES = {
    "--statement-timeout-ms": "statement_timeout_ms",
    "--connections": "connection_share",
    "--worker-slots": "worker_slots",
    "--storage-bytes": "storage_limit_bytes",
}


def add(actions: Actions) -> None:
    """Names, domains and shares."""
    rename = action(
        actions, "rename", "give it another subdomain; the old one leads there", _rename
    )
    rename.add_argument("slug")
    rename.add_argument("new_slug")
    domain = action(actions, "domain", "its own domains", _domain)
    domain.add_argument("step", choices=["add", "verify", "remove", "list"])
    domain.add_argument("slug")
    domain.add_argument("domain", nargs="?", help="not for list")
    scale = action(actions, "scale", "what it may take of the machine, at once", _scale)
    scale.add_argument("slug")
    for option, share in _SHARES.items():
        scale.add_argument(option, type=int, dest=share)
    scale.add_argument("--reset", action="store_true", help="back to what its plan grants")


def _rename(command: JsonCommand, options: Options) -> None:
    # Said twice, the second time finds the tenant under its new name.
    tenant = Tenant.objects.filter(slug=options["slug"]).first()
    if tenant is None:
        tenant = hosts.by_former_name(options["slug"])
        if tenant is None or tenant.slug != options["new_slug"]:
            tenant = named(options["slug"])
    renamed = hosts.rename(tenant_id=tenant.pk, slug=options["new_slug"], now=timezone.now())
    tell(command, renamed)


def _domain(command: JsonCommand, options: Options) -> None:
    tenant, step, name = named(options["slug"]), options["step"], options["domain"]
    if step == "list":
        _list_domains(command, tenant, is_json=options["json"])
        return
    if not name:
        raise CommandError(f"Say which domain: tenant domain {step} {tenant.slug} DOMAIN")
    if step == "add":
        _tell_domain(command, domains.add(tenant_id=tenant.pk, name=name, now=timezone.now())[0])
        return
    claim = domains.claim_named(tenant_id=tenant.pk, name=name)
    if step == "verify":
        now = timezone.now()
        _tell_domain(command, domains.verify(tenant_id=tenant.pk, claim_id=claim.pk, now=now))
    else:
        domains.remove(tenant_id=tenant.pk, claim_id=claim.pk)
        command.report(f"{claim.domain} is removed.", domain=claim.domain, status="removed")


def _list_domains(command: JsonCommand, tenant: Tenant, *, is_json: bool) -> None:
    claims = list(domains.claims_of(tenant.pk).order_by("domain"))
    for claim in claims:
        _tell_domain(command, claim)
    if not claims and not is_json:
        command.report(f"{tenant.slug} has no domain of its own.")


def _tell_domain(command: JsonCommand, claim: DomainClaim) -> None:
    status = "pending" if claim.verified_at is None else "verified"
    command.report(
        f"{claim.domain:<40} {status:<9} {claim.record_name} TXT {claim.proof}",
        domain=claim.domain,
        status=status,
        record={"type": "TXT", "name": claim.record_name, "value": claim.proof},
    )


def _scale(command: JsonCommand, options: Options) -> None:
    tenant, now = named(options["slug"]), timezone.now()
    by_hand = {share: options[share] for share in _SHARES.values() if options[share] is not None}
    if options["reset"] == bool(by_hand):
        names = ", ".join(_SHARES)
        raise CommandError(f"Say which shares to set ({names}), or --reset alone.")
    if options["reset"]:
        row = Subscription.objects.get(tenant_id=tenant.pk)
        granted = catalogue_of(row.catalogue_version).plan(row.plan).shares
        tenant = shares.reset(tenant_id=tenant.pk, granted=granted, now=now)
    else:
        tenant = shares.scale(tenant_id=tenant.pk, by_hand=by_hand, now=now)
    facts = {share: getattr(tenant, share) for share in _SHARES.values()}
    tell(command, tenant, **facts, last_scaled_at=tenant.last_scaled_at)

"""`manage.py plans sync|move`: the catalogue comes into force, the differences first; subscribers follow."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing import catalogue, providers
from billing.catalogue.stored import Change
from billing.providers.base import ProviderDown, ProviderRefused
from billing.providers.gateways import Gateway
from billing.services import catalogues, grants, moves, prices
from billing.services.prices import Difference
from config.management.output import JsonCommand
from tenants.isolation import square_context


class Command(JsonCommand):
    help = (
        "sync: store the catalogue's version, bring its prices to the payment providers and its"
        " entitlements to the tenants. move: put subscribers of older versions on the present one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["sync", "move"])
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--plan", default="", help="move: subscribers of this plan alone")
        parser.add_argument(
            "--from", dest="version", type=int, help="move: subscribers of this version alone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with square_context():
            if options["action"] == "move":
                self._move(options)
                return
            try:
                self._sync(is_agreed=options["yes"])
            except (ProviderDown, ProviderRefused) as error:
                raise CommandError(f"{error.facts['provider']}: {error.detail}") from error
            except catalogues.CatalogueRewritten as error:
                raise CommandError(str(error)) from error

    def _sync(self, *, is_agreed: bool) -> None:
        changes = catalogues.changes_since()
        for change in changes:
            self._show_change(change)
        found = [(gateway, prices.differences(gateway)) for gateway in providers.configured()]
        changed = [one for _, differences in found for one in differences if one.is_change]
        for difference in changed:
            self._show(difference)
        if (changes or changed) and not is_agreed:
            self._ask("Bring these changes? [y/N] ")
        catalogues.store(now=timezone.now())
        for gateway, differences in found:
            self._bring(gateway, differences)
        regranted = grants.regrant(now=timezone.now())
        self.report(
            f"Version {catalogue.version()}: {len(changed)} prices changed,"
            f" {regranted} tenants granted anew.",
            version=catalogue.version(),
            changed=len(changed),
            regranted=regranted,
        )

    def _show_change(self, change: Change) -> None:
        if change.before is None:
            said = f"{change.path}: new"
        elif change.after is None:
            said = f"{change.path}: gone"
        else:
            said = f"{change.path}: {change.before} -> {change.after}"
        self.report(said, path=change.path, before=change.before, after=change.after)

    def _show(self, change: Difference) -> None:
        spec = change.spec
        before = "new" if change.before_minor is None else f"{change.before_minor} ->"
        self.report(
            f"{change.provider}: {spec.plan} by the {spec.interval}:"
            f" {before} {spec.amount_minor} {spec.currency} (minor units)",
            provider=change.provider,
            plan=spec.plan,
            interval=spec.interval,
            currency=spec.currency,
            before=change.before_minor,
            after=spec.amount_minor,
        )

    def _ask(self, question: str) -> None:
        if self._as_json or not sys.stdin.isatty():
            raise CommandError("Nothing was changed. Say --yes to bring these changes.")
        if input(question).strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")

    def _bring(self, gateway: Gateway, differences: list[Difference]) -> None:
        for number, difference in enumerate(differences, start=1):
            prices.bring(gateway, difference)
            self._progress(gateway.name, number, len(differences))

    def _progress(self, what: str, number: int, total: int) -> None:
        if self.stdout.isatty() and not self._as_json:
            end = "\n" if number == total else ""
            self.stdout.write(f"\r{what}: {number} of {total}", ending=end)

    def _move(self, options: dict[str, Any]) -> None:
        tenants = catalogues.behind(plan=options["plan"], version=options["version"])
        if tenants and not options["yes"]:
            self._ask(f"Move {len(tenants)} tenants to version {catalogue.version()}? [y/N] ")
        moved = 0
        for number, tenant_id in enumerate(tenants, start=1):
            moved += moves.move(tenant_id=tenant_id, now=timezone.now())
            self._progress("moved", number, len(tenants))
        self.report(
            f"Version {catalogue.version()}: {moved} tenants moved,"
            f" {len(tenants) - moved} left where they are.",
            version=catalogue.version(),
            moved=moved,
            left=len(tenants) - moved,
        )

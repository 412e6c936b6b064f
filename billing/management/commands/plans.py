"""`manage.py plans sync`: bring the catalogue to the providers and to the tenants, the differences first."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing import catalogue, providers
from billing.providers.base import Gateway, ProviderDown, ProviderRefused
from billing.services import grants, prices
from billing.services.prices import Difference
from config.management.output import JsonCommand
from tenants.isolation import square_context


class Command(JsonCommand):
    help = "Sync the plans: prices at the payment providers, entitlements of the tenants."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["sync"])
        parser.add_argument("--yes", action="store_true", help="do it without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        with square_context():
            try:
                self._sync(is_agreed=options["yes"])
            except (ProviderDown, ProviderRefused) as error:
                raise CommandError(f"{error.facts['provider']}: {error.detail}") from error

    def _sync(self, *, is_agreed: bool) -> None:
        found = [(gateway, prices.differences(gateway)) for gateway in providers.configured()]
        changes = [one for _, differences in found for one in differences if one.is_change]
        for change in changes:
            self._show(change)
        if changes and not is_agreed:
            self._ask()
        for gateway, differences in found:
            self._bring(gateway, differences)
        regranted = grants.regrant(now=timezone.now())
        self.report(
            f"Version {catalogue.version()}: {len(changes)} prices changed,"
            f" {regranted} tenants granted anew.",
            version=catalogue.version(),
            changed=len(changes),
            regranted=regranted,
        )

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

    def _ask(self) -> None:
        if self._as_json or not sys.stdin.isatty():
            raise CommandError("Nothing was changed. Say --yes to bring these changes.")
        if input("Bring these changes? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")

    def _bring(self, gateway: Gateway, differences: list[Difference]) -> None:
        is_terminal = self.stdout.isatty() and not self._as_json
        for number, difference in enumerate(differences, start=1):
            prices.bring(gateway, difference)
            if is_terminal:
                self.stdout.write(f"\r{gateway.name}: {number} of {len(differences)}", ending="")
        if is_terminal and differences:
            self.stdout.write("")

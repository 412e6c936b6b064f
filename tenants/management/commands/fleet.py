"""`manage.py fleet migrate|status`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from config.management.output import JsonCommand
from tenants import fleet
from tenants.models import Tenant


class Command(JsonCommand):
    help = "Migrate every tenant schema, or show the tenants by status."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["migrate", "status"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "status":
            for tenant in Tenant.objects.order_by("created_at"):
                self.report(
                    f"{tenant.slug:<40} {tenant.status}", slug=tenant.slug, status=tenant.status
                )
            return
        outcome = fleet.migrate(tell=self.report)
        for slug, reason in outcome.set_aside.items():
            self.report(f"Set aside: {slug}: {reason}", slug=slug, reason=reason)
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} tenants were set aside.")

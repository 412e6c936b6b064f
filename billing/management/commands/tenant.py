"""`manage.py tenant …`: a tenant's whole life. Here, since a tenant begins with a plan.

Each group of actions is a module beside this folder with `add(actions)`.
"""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from billing.management import (
    tenant_archives,
    tenant_basics,
    tenant_doctor,
    tenant_hosts,
    tenant_life,
)
from config.errors import DomainError
from config.management.output import JsonCommand

GROUPS = (tenant_basics, tenant_hosts, tenant_doctor, tenant_life, tenant_archives)


class Command(JsonCommand):
    help = "Make, list, show, suspend and end tenants."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        actions = parser.add_subparsers(dest="action", required=True)
        for group in GROUPS:
            group.add(actions)
        for action in actions.choices.values():
            action.add_argument("--json", action="store_true", default=None, dest="json_after")

    def execute(self, *args: Any, **options: Any) -> str | None:
        options["json"] = bool(options.get("json") or options.get("json_after"))
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["act"](self, options)
        except DomainError as refusal:
            raise CommandError(f"{refusal.code}: {refusal.detail} {refusal.facts}") from refusal

"""`manage.py tenant …`: a tenant's whole life. Here, since a tenant begins with a plan.

Each group of actions is a module beside this folder with `add(actions)`.
"""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

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
# What helps after a refusal, by its code; `{slug}` is the one that was named.
_HINTS = {
    "archive_foreign": "Where you trust whoever made it, say --foreign.",
    "closing_window_open": "`tenant restore {slug}` leads it back; `--now {slug}` erases it at once.",
    "domain_not_proved": "Add the record at the domain's name servers, and run the same again later.",
    "email_taken": "Give that account's own password, and it owns this tenant as well.",
    "not_found": "`tenant show {slug}` and `tenant domain list {slug}` tell what there is.",
    "restore_too_late": "`tenant import` makes a new tenant of an archive.",
    "slug_taken": "It is a tenant's, or was one's in the last 90 days: choose another.",
    "tenant_closing": "`tenant restore {slug}` is the way back.",
    "tenant_not_closing": "`tenant close {slug} --reason …` comes before it.",
    "tenant_not_ready": "It is finished by itself where the provisioner's worker runs.",
}


class Command(JsonCommand):
    help = "Make, list, show, suspend, copy and end tenants."

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

    def hint(self, refusal: DomainError, options: Mapping[str, Any]) -> str:
        return _HINTS.get(refusal.code, "").format(slug=options.get("slug") or "SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        options["act"](self, options)

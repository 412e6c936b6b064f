"""`manage.py tenant create|list|show|suspend|resume`. Here, since a tenant begins with a plan."""

import getpass
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from billing.models import Subscription
from billing.signup import sign_up
from config.errors import DomainError
from config.management.output import JsonCommand
from quotas import ledger
from tenants import services
from tenants.models import Tenant


class Command(JsonCommand):
    help = "Make, list, show, suspend and resume tenants."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="sign a tenant up")
        create.add_argument("slug")
        create.add_argument("--organisation", required=True)
        create.add_argument("--email", required=True, help="of the owner")
        create.add_argument("--plan", default="free")
        create.add_argument("--password-stdin", action="store_true", help="read it from a pipe")
        actions.add_parser("list", help="every tenant, oldest first")
        for name, meaning in (("show", "one tenant"), ("resume", "undo suspend")):
            actions.add_parser(name, help=meaning).add_argument("slug")
        suspend = actions.add_parser("suspend", help="refuse a tenant's work")
        suspend.add_argument("slug")
        suspend.add_argument("--reason", required=True, help="its people see it")
        for action in actions.choices.values():
            action.add_argument("--json", action="store_true", default=None, dest="json_after")

    def execute(self, *args: Any, **options: Any) -> str | None:
        options["json"] = bool(options.get("json") or options.get("json_after"))
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        act = {
            "create": self._create,
            "list": self._list,
            "show": self._show,
            "suspend": self._suspend,
            "resume": self._resume,
        }[options["action"]]
        try:
            act(options)
        except DomainError as refusal:
            raise CommandError(f"{refusal.code}: {refusal.detail} {refusal.facts}") from refusal

    def _create(self, options: dict[str, Any]) -> None:
        tenant = sign_up(
            organisation=options["organisation"],
            slug=options["slug"],
            email=options["email"],
            password=_password(from_stdin=options["password_stdin"]),
            plan=options["plan"],
            now=timezone.now(),
        )
        self._tell(tenant)

    def _list(self, options: dict[str, Any]) -> None:
        for tenant in Tenant.objects.order_by("created_at"):
            self._tell(tenant)

    def _show(self, options: dict[str, Any]) -> None:
        tenant = _named(options["slug"])
        self._tell(tenant)
        for meter in ledger.usage(tenant_id=tenant.id, now=timezone.now()):
            limit = "unlimited" if meter.limit is None else meter.limit
            self.report(
                f"  {meter.meter}: {meter.used} of {limit}",
                meter=meter.meter,
                used=meter.used,
                limit=meter.limit,
            )

    def _suspend(self, options: dict[str, Any]) -> None:
        tenant = _named(options["slug"])
        self._tell(services.suspend(tenant_id=tenant.id, reason=options["reason"]))

    def _resume(self, options: dict[str, Any]) -> None:
        self._tell(services.resume(tenant_id=_named(options["slug"]).id))

    def _tell(self, tenant: Tenant) -> None:
        plan = Subscription.objects.filter(tenant=tenant).values_list("plan", flat=True).first()
        self.report(
            f"{tenant.slug:<32} {tenant.status:<14} {plan or '-':<12} {services.url_of(tenant)}",
            slug=tenant.slug,
            status=tenant.status,
            plan=plan,
            url=services.url_of(tenant),
        )


def _named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}.")
    return tenant


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password of the owner: ")

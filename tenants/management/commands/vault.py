"""`manage.py vault status|rewrap|rotate|reseal`: the keys that seal secrets."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from config.management.output import JsonCommand
from tenants.isolation import square_context
from tenants.models import DataKey, Tenant
from tenants.vault import rotation
from tenants.vault.masters import ring


class Command(JsonCommand):
    help = (
        "status: which master keys wrap how many data keys. rewrap: bring every data key under the present"
        " master key. rotate: new data keys, then reseal. reseal: seal anew what former data keys sealed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["status", "rewrap", "rotate", "reseal"])
        parser.add_argument("--tenant", default="", metavar="SLUG", help="rotate: this one alone")

    def handle(self, *args: Any, **options: Any) -> None:
        with square_context():
            getattr(self, f"_{options['action']}")(options)

    def _status(self, options: dict[str, Any]) -> None:
        held = Counter(DataKey.objects.values_list("master", flat=True))
        known = ring().names()
        for name in [*known, *sorted(held.keys() - set(known))]:
            state = "present" if name == known[0] else "former" if name in known else "missing"
            self.report(
                f"{name}: {state}, wraps {held[name]} data keys",
                master=name,
                state=state,
                data_keys=held[name],
            )

    def _rewrap(self, options: dict[str, Any]) -> None:
        changed = rotation.wrap_all_anew()
        name = ring().present.name
        self.report(
            f"{changed} data keys are wrapped anew by {name}.", master=name, rewrapped=changed
        )

    def _rotate(self, options: dict[str, Any]) -> None:
        slug, tenant_id = options["tenant"], None
        if slug:
            tenant = Tenant.objects.filter(slug=slug).first()
            if tenant is None:
                raise CommandError(f"There is no tenant {slug}.")
            tenant_id = tenant.pk
        added = rotation.rotate(tenant_id=tenant_id)
        self.report(f"{added} data keys are added.", added=added)
        self._reseal(options)

    def _reseal(self, options: dict[str, Any]) -> None:
        changed = rotation.seal_all_anew()
        dropped = rotation.drop_unused_keys(now=timezone.now())
        self.report(
            f"{changed} values are sealed anew, {dropped} former data keys destroyed.",
            resealed=changed,
            destroyed=dropped,
        )

"""`manage.py capacity --tenants N --rps N`: what an installation of that size needs, from measured figures."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from config.capacity import BUSY_RATIO, MOST_CONNECTIONS, Need, reckon
from config.management.output import JsonCommand


class Command(JsonCommand):
    help = (
        "Reckon processors, memory, connections and disk for so many tenants and requests a second."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--tenants", type=_natural, required=True)
        parser.add_argument(
            "--rps", type=_natural, required=True, help="requests a second at the busiest time"
        )
        parser.add_argument(
            "--contacts", type=_natural, default=5_000, help="of each tenant, on average (5000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = {name: int(options[name]) for name in ("tenants", "rps", "contacts")}
        need = reckon(tenants=asked["tenants"], rps=asked["rps"], contacts=asked["contacts"])
        if self._as_json:
            self.report("", **asked, **asdict(need))
            return
        for line in _lines(need):
            self.report(line)


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _lines(need: Need) -> Iterator[str]:
    yield (
        f"Web         {need.web_cores:,.1f} cores, {need.web_pods:,} pods, {need.web_memory_mib:,} MiB"
        f" (at {BUSY_RATIO:.0%} busy)"
    )
    yield f"PostgreSQL  {need.postgres_cores:,.1f} cores, {need.postgres_memory_mib:,} MiB for connections and catalog"
    pooler = "; PgBouncer before it" if need.needs_pooler else ""
    yield f"            {need.connections:,} connections (of at most {MOST_CONNECTIONS}){pooler}"
    yield (
        f"            {need.database_mib:,} MiB of data, of which {need.catalog_mib:,} MiB are empty tenants,"
        f" in {need.files_of_tables:,} tables and indexes"
    )
    yield f"Redis       {need.redis_cores:,.2f} cores"
    yield f"Migration   {need.migration_minutes:,.1f} minutes for one added column"
    yield f"Overlay     deploy/kubernetes/overlays/{need.overlay}"

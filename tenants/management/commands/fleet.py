"""`manage.py fleet migrate|status|fill`: thousands of schemas, brought along and looked at."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError

from config.management.output import JsonCommand
from tenants import fleet
from tenants.engine.refusals import NoOwner
from tenants.fleet.progress import Progress, Shown, Silence

_INTERRUPTED = 130
_SHOWN = 10


class Command(JsonCommand):
    help = "Migrate every tenant's schema, show how they stand, or fill the pool of ready schemas."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        actions = parser.add_subparsers(dest="action", required=True)
        migrate = actions.add_parser("migrate", help="the square, the template, then every tenant")
        _add_orders(migrate)
        actions.add_parser("status", help="versions, who is behind or set aside, sizes")
        fill = actions.add_parser("fill", help="make schemas ahead of sign-ups")
        fill.add_argument("--ready", type=_natural, required=True, help="how many shall wait")
        for action in actions.choices.values():
            action.add_argument("--json", action="store_true", default=None, dest="json_after")

    def execute(self, *args: Any, **options: Any) -> str | None:
        options["json"] = options.get("json") or bool(options.pop("json_after", None))
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"migrate": self._migrate, "status": self._status, "fill": self._fill}
        try:
            act[options["action"]](options)
        except (fleet.FleetBusy, fleet.NoSuchTenant, NoOwner) as refusal:
            raise CommandError(str(refusal)) from refusal
        except psycopg.errors.UndefinedTable as error:
            raise CommandError("Nothing is migrated yet: run `manage.py setup`.") from error
        except (psycopg.OperationalError, OperationalError) as error:
            told = " ".join(str(error).split())
            raise CommandError(
                f"PostgreSQL: {told} Nothing is half-done; run it again to go on."
            ) from error

    # --- migrate ----------------------------------------------------------------------------------

    def _migrate(self, options: dict[str, Any]) -> None:
        brake = fleet.Brake()
        with _signals_pull(brake):
            outcome = fleet.migrate(
                tell=self._tell,
                orders=_orders(options),
                progress=self._progress(),
                brake=brake,
            )
        self._report_outcome(outcome)
        if outcome.interrupted:
            raise CommandError("Interrupted; run it again to go on.", returncode=_INTERRUPTED)
        if outcome.stopped:
            raise CommandError(outcome.stopped)
        if outcome.set_aside:
            raise CommandError(f"{len(outcome.set_aside)} tenants were set aside.")

    def _tell(self, text: str) -> None:
        if not self._as_json:
            self.stdout.write(text)

    def _progress(self) -> Progress:
        return Silence() if self._as_json else Shown(self.stdout)  # type: ignore[arg-type]  # it writes and is asked isatty

    def _report_outcome(self, outcome: fleet.FleetOutcome) -> None:
        for name, reason in outcome.set_aside.items():
            self.report(f"Set aside: {name}: {reason}", set_aside=name, reason=reason)
        self.report(
            f"At version {outcome.version}: {outcome.migrated} tenants and {outcome.ready_schemas} ready"
            f" schemas were brought along, {len(outcome.set_aside)} were set aside.",
            **asdict(outcome),
        )

    # --- status -----------------------------------------------------------------------------------

    def _status(self, options: dict[str, Any]) -> None:
        standing = fleet.status()
        if self._as_json:
            self.report("", **asdict(standing))
            return
        for line in _lines(standing):
            self.report(line)

    # --- fill -------------------------------------------------------------------------------------

    def _fill(self, options: dict[str, Any]) -> None:
        from tenants.pool import fill_pool

        made = fill_pool(wanted=options["ready"], tell=self._tell)
        self.report(f"{made} ready schemas were made.", made=made, wanted=options["ready"])


def _add_orders(parser: CommandParser) -> None:
    least = fleet.FleetOrders()
    parser.add_argument("--canary", default="", metavar="SLUG", help="the tenant that goes first")
    parser.add_argument(
        "--only", action="append", default=[], metavar="SLUG", help="migrate this tenant, no other"
    )
    parser.add_argument(
        "--waves", type=_waves, default=least.waves, help="sizes, as in 10,100,rest (the default)"
    )
    parser.add_argument(
        "--stop-at", type=_share, default=least.stop_at, metavar="PERCENT",
        help="of a wave's tenants that may fail before no further wave begins (20)",
    )  # fmt: skip
    parser.add_argument("--connections", type=_natural, default=least.connections)
    parser.add_argument("--per-commit", type=_natural, default=least.schemas_per_commit)
    parser.add_argument("--lock-timeout-ms", type=_natural, default=least.lock_timeout_ms)
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="for another fleet run to end"
    )


def _orders(options: dict[str, Any]) -> fleet.FleetOrders:
    return fleet.FleetOrders(
        canary=options["canary"],
        only=tuple(options["only"]),
        waves=options["waves"],
        stop_at=options["stop_at"],
        connections=options["connections"],
        schemas_per_commit=options["per_commit"],
        lock_timeout_ms=options["lock_timeout_ms"],
        wait_seconds=options["wait"],
    )


def _natural(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _waves(text: str) -> tuple[int, ...]:
    """`10,100,rest`: the rest is always the last, whether it is said or not."""
    return tuple(
        _natural(part.strip()) for part in text.removesuffix("rest").strip(", ").split(",") if part
    )


def _share(text: str) -> float:
    percent = float(text.removesuffix("%"))
    if not 0 <= percent <= 100:
        raise ValueError(text)
    return percent / 100


@contextmanager
def _signals_pull(brake: fleet.Brake) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run between two transactions, a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only there can signals be handled
        return

    def pull(number: int, frame: FrameType | None) -> None:
        sys.stderr.write("\nStopping after what is running; once more to stop at once.\n")
        brake.pull()

    before = {number: signal.signal(number, pull) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _lines(standing: fleet.FleetStanding) -> Iterator[str]:
    yield f"The code is at version {standing.code_version}."
    for version, count in standing.versions.items():
        note = "" if version == standing.code_version else "  (behind)"
        yield f"  {version or 'unknown':<18} {count} tenants{note}"
    if standing.repaired:
        yield f"{standing.repaired} were noted as up to date: somebody else had migrated them."
    for each in standing.behind[: _SHOWN * 2]:
        yield f"  {each.slug:<40} {each.state:<10} {' '.join(each.error.split())[:200]}"
    if len(standing.behind) > _SHOWN * 2:
        yield f"  and {len(standing.behind) - _SHOWN * 2} more that are behind (--json shows all)"
    for ready in standing.ready:
        yield f"Ready at {ready.version}: {ready.unclaimed} waiting, {ready.claimed} being claimed."
    total = sum(each.size_bytes for each in standing.sizes)
    yield (
        f"Tenants take {_mebibytes(total)} of the database's {_mebibytes(standing.database_bytes)};"
        f" the largest of {len(standing.sizes)}:"
    )
    for size in standing.sizes[:_SHOWN]:
        yield f"  {size.slug:<40} {_mebibytes(size.size_bytes):>12} in {size.tables} tables"


def _mebibytes(number: int) -> str:
    return f"{number / 2**20:,.1f} MiB"

"""Plaza's own processes, as services of the supervisor: servers first, then web, worker and beat."""

import http.client
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from config.local import names, roles
from config.local.files import last_lines, write_whole
from config.local.home import REPOSITORY
from config.local.plan import Plan
from config.local.ports import HOST, Ports
from config.local.processes import Child, Command, start
from config.local.supervisor import Service

# granian's own variables, so that the environment may say otherwise. More threads than places
# (PLAZA_WEB_PLACES): what waits does so in quotas/waiting_room.py, where the urgent goes first.
_GRANIAN = {"GRANIAN_WORKERS": "2", "GRANIAN_BLOCKING_THREADS": "16"}
TASK_PROCESSES = 2
# Given to `make up` alone, they matter to every other command of this folder too. No secrets:
# those of the environment are not ours to write down.
_SHARED = (
    "PLAZA_CITUS", "PLAZA_DB_LOGIN", "PLAZA_DOMAIN", "PLAZA_ENV", "PLAZA_PORT", "PLAZA_SCHEME",
)  # fmt: skip


def embedded(plan: Plan) -> list[Service]:
    """Return the embedded servers of the plan as services."""
    found: list[Service] = []
    if (valkey := plan.valkey) is not None:
        found.append(
            Service(
                name=names.REDIS,
                label=lambda: valkey.label,
                spawn=valkey.spawn,
                is_ready=valkey.is_ready,
                stop_rank=4,
            )
        )
    if (standins := plan.standins) is not None:
        found.append(
            Service(
                name=names.STANDINS,
                label=lambda: standins.label,
                spawn=with_plan(plan, standins.spawn),
                is_ready=standins.is_ready,
                stop_rank=3,
                stop_seconds=5.0,
            )
        )
    if (postgres := plan.postgres) is not None:
        found.append(
            Service(
                name=names.POSTGRES,
                label=lambda: postgres.label,
                spawn=postgres.spawn,
                is_ready=postgres.is_ready,
                stop_rank=5,
                stop_seconds=30.0,
                patience_seconds=600.0,  # a replay after a crash ends by itself
                while_waiting="PostgreSQL replays its log after an unclean end; this may take a while",
            )
        )
    return found


def application(plan: Plan) -> list[Service]:
    """Return web server, workers and beat as services, as far as wished."""
    found = [_web(plan), _worker(plan), _beat(plan), _provisioner(plan)]
    return [service for service in found if service.name in plan.wish.services]


def _web(plan: Plan) -> Service:
    granian = roles.web(
        host=HOST, port=plan.port, log_config=str(REPOSITORY / "config" / "granian.json")
    )
    folder = plan.wish.home.metrics
    begin = _python(
        plan, names.WEB, granian, chosen=_GRANIAN | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    )

    def spawn(environment: dict[str, str]) -> Child:
        # What former processes counted there would be told as these ones'.
        shutil.rmtree(folder, ignore_errors=True)
        return begin(environment)

    return Service(
        name=names.WEB,
        label=lambda: "Web",
        spawn=spawn,
        is_ready=lambda _: readyz(plan.domain, plan.port),
        stop_rank=0,
        patience_seconds=120.0,
        while_waiting=f"waiting for {plan.url()}/readyz",
    )


def _worker(plan: Plan) -> Service:
    return Service(
        name=names.WORKER,
        label=lambda: "Worker",
        spawn=_python(plan, names.WORKER, roles.worker(processes=TASK_PROCESSES)),
        is_ready=lambda child: says(child, "ready."),
        stop_rank=1,
        stop_seconds=20.0,
        must_tell=False,
    )


def _beat(plan: Plan) -> Service:
    beat = roles.beat(schedule=str(plan.wish.home.beat_schedule))
    return Service(
        name=names.BEAT,
        label=lambda: "Beat",
        spawn=_python(plan, names.BEAT, beat),
        is_ready=lambda child: says(child, "Starting..."),
        stop_rank=2,
        stop_seconds=5.0,
        must_tell=False,
    )


def _provisioner(plan: Plan) -> Service:
    return Service(
        name=names.PROVISIONER,
        label=lambda: "Provisioner",
        spawn=_python(plan, names.PROVISIONER, roles.provisioner(), as_owner=True),
        is_ready=lambda child: says(child, "ready."),
        stop_rank=1,
        stop_seconds=20.0,
        must_tell=False,
    )


def with_plan(
    plan: Plan, spawn: Callable[[dict[str, str]], Child], *, as_owner: bool = False
) -> Callable[[dict[str, str]], Child]:
    """Return the same, started in the environment of the plan; the owner's sign-in is for few."""
    return lambda mark: spawn((plan.environment() if as_owner else plan.without_owner()) | mark)


def prepare(plan: Plan) -> None:
    """Choose ports and make PostgreSQL's data. Raises Trouble, OSError, StopAsked."""
    ports = Ports(plan.wish.home)
    for server in (plan.valkey, plan.standins, plan.postgres):
        if server is not None:
            server.prepare(ports)


def tell_environment(plan: Plan) -> None:
    """Let `manage.py` in another terminal find what runs here."""
    environment = plan.wish.environment
    addresses = {name: environment[name] for name in _SHARED if environment.get(name)}
    write_whole(plan.wish.home.environment, json.dumps(plan.chosen() | addresses, indent=1))


def readyz(domain: str, port: int) -> bool:
    """Whether the web server says that everything it needs is there."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"{domain}:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def says(child: Child, words: str) -> bool:
    """Whether its log holds `words` since it was started."""
    return any(
        words in line for line in last_lines(child.command.log, count=50, since=child.log_from)
    )


def _python(
    plan: Plan,
    name: str,
    arguments: tuple[str, ...],
    *,
    as_owner: bool = False,
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[dict[str, str]], Child]:
    """`chosen` are variables that the environment may set otherwise."""

    def spawn(environment: dict[str, str]) -> Child:
        return start(
            Command(
                name=name,
                argv=(sys.executable, *arguments),
                log=plan.wish.home.log(name),
                environment={**chosen, **environment, "PYTHONUNBUFFERED": "1"},
                folder=REPOSITORY,
            )
        )

    return with_plan(plan, spawn, as_owner=as_owner)

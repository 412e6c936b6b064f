"""`python -m tests.drills NAME… --n N --seed S`: see tests/drills/__init__.py."""

import argparse
import logging
import signal
import subprocess
import sys
from importlib import import_module

from tests import drills
from tests.drills.environment import own_database, stay_on_the_loopback

# How many questions a drill asks where nobody says.
FULL = {
    "sqlwall": 100_000,
    "interleave": 10_000,
    "pgbouncer": 10_000,
    "isolation": 10_000,
    "provisioning": 60,
    "offboard": 500,
    "previews": 1_000,
    "webhooks": 10_000,
    "reconcile": 10_000,
    "clock": 200,
    "killmoney": 1_000,
    "grants": 20,
    "policy": 3,
    "noisy": 30,
    "web": 10,
    "worker": 5,
    "campaign": 20,
    "redis": 5,
    "postgres": 4,
}
# What the suite asks of each.
SHORT = {
    "sqlwall": 800,
    "interleave": 500,
    "pgbouncer": 500,
    "isolation": 300,
    "provisioning": 6,
    "offboard": 12,
    "previews": 40,
    "webhooks": 40,
    "reconcile": 20,
    "clock": 2,
    "killmoney": 1,
    "grants": 1,
    "policy": 1,
    "noisy": 15,
    "web": 2,
    "worker": 1,
    "campaign": 1,
    "redis": 1,
    "postgres": 1,
}
# These have a whole stack of their own; the others work in a database on the servers of the environment.
ON_THE_STACK = ("grants", "policy", "noisy", "web", "worker", "campaign", "redis", "postgres")


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that database and roles go
    here = [name for name in asked.names if name not in ON_THE_STACK]
    if here and len(here) < len(asked.names):
        return _one_after_the_other(asked, here)
    if not here:
        return _run_on_the_stack(asked)
    with own_database(login=asked.login):
        import django
        from django.test.utils import setup_test_environment

        stay_on_the_loopback()
        django.setup()
        # What psycopg thinks of pipelines that an attack has broken is no news here.
        logging.getLogger("psycopg").setLevel(logging.CRITICAL)
        setup_test_environment()
        return _run(asked)


def _one_after_the_other(asked: argparse.Namespace, here: list[str]) -> int:
    """Django knows one database in a process."""
    codes = []
    for names in (here, [name for name in asked.names if name in ON_THE_STACK]):
        command = [sys.executable, "-m", "tests.drills", *names, "--seed", str(asked.seed)]
        command += ["--login", asked.login] + ["--short"] * asked.short
        command += ["--n", str(asked.n)] if asked.n else []
        codes.append(subprocess.run(command, check=False).returncode)
    return max(codes)


def _run_on_the_stack(asked: argparse.Namespace) -> int:
    from tests.drills.estate import estate

    passed = True
    with estate(asked.seed) as made:
        stay_on_the_loopback()
        for name in asked.names:
            outcome = import_module(f"tests.drills.{name}").run(made, _count(asked, name))
            print(outcome.report(), flush=True)
            passed = passed and outcome.passed
    return 0 if passed else 1


def _count(asked: argparse.Namespace, name: str) -> int:
    return int(asked.n or (SHORT if asked.short else FULL)[name])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.drills", description=drills.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("names", nargs="+", choices=FULL, metavar="NAME", help=", ".join(FULL))
    parser.add_argument(
        "--n", type=int, help="questions, or tenants; by default as many as the issue asks for"
    )
    parser.add_argument("--short", action="store_true", help="as few questions as in the suite")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--login", choices=("role", "tenant"))
    asked = parser.parse_args()
    asked.login = asked.login or ("tenant" if "pgbouncer" in asked.names else "role")
    return asked


def _run(asked: argparse.Namespace) -> int:
    from tests.drills.ground import ground

    modules = {name: import_module(f"tests.drills.{name}") for name in asked.names}
    tenants = sum(module.TENANTS for module in modules.values())
    passed, taken = True, 0
    with ground(tenants=tenants, seed=asked.seed) as made:
        for name, module in modules.items():
            part = made.part(taken, module.TENANTS)
            taken += module.TENANTS
            outcome = module.run(part, _count(asked, name))
            print(outcome.report(), flush=True)
            passed = passed and outcome.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

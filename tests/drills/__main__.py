"""`python -m tests.drills NAME… --n N --seed S`: see tests/drills/__init__.py."""

import argparse
import logging
import signal
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
}
# What the suite asks of each.
SHORT = {
    "sqlwall": 800,
    "interleave": 500,
    "pgbouncer": 500,
    "isolation": 300,
    "provisioning": 6,
    "offboard": 12,
}


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that database and roles go
    with own_database(login=asked.login):
        import django
        from django.test.utils import setup_test_environment

        stay_on_the_loopback()
        django.setup()
        # What psycopg thinks of pipelines that an attack has broken is no news here.
        logging.getLogger("psycopg").setLevel(logging.CRITICAL)
        setup_test_environment()
        return _run(asked)


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
            outcome = module.run(part, asked.n or (SHORT if asked.short else FULL)[name])
            print(outcome.report(), flush=True)
            passed = passed and outcome.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

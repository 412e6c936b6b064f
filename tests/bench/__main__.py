"""`python -m tests.bench [NAME [OPTIONS…]]`: every benchmark in turn, or one with its own options.

Each prints a table with ratios to a named peer of the same run, and fails when a promise is broken:
`requests` (contacts and ordinary nouns over HTTP), `gate` (its wait and its cost), `provisioning` (a new tenant), `fleet` (migrating many),
`usage` (reported events into the ledger), `closing` (a period of many tenants),
`webhooks` (the door of the inbox), `batches` (1,000 contacts in a request),
`mailing` (a campaign to many recipients), `signin` (by password, and under guesses).
"""

import sys
from importlib import import_module

BENCHMARKS = (
    "requests", "gate", "provisioning", "fleet", "usage", "closing", "webhooks", "batches",
    "mailing", "signin",
)  # fmt: skip


def main(argv: list[str]) -> int:
    if argv and argv[0] in {"-h", "--help"}:
        print(__doc__)
        return 0
    if argv and argv[0] in BENCHMARKS:
        return int(import_module(f"tests.bench.{argv[0]}").main(argv[1:]))
    if argv:
        print(f"There is no benchmark {argv[0]!r}: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    failed = [name for name in BENCHMARKS if import_module(f"tests.bench.{name}").main([])]
    for name in failed:
        print(f"The benchmark {name} failed.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m config.local up | reset | run`: see the Makefile."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from config.local import names
from config.local.home import Home, default_home
from config.local.plan import Wish
from config.local.reset import reset
from config.local.run import run, temporary_home
from config.local.terminal import standard_error, standard_output
from config.local.trouble import Trouble, of_os_error
from config.local.up import up


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 for a stop as asked, that of the command for `run`, else 1."""
    asked = _parser().parse_args(arguments)
    try:
        return _do(asked)
    except Trouble as trouble:
        standard_error().refuse(trouble)
    except OSError as error:
        understood = of_os_error(error)
        if understood is None:
            raise
        standard_error().refuse(understood)
    return 1


def _do(asked: argparse.Namespace) -> int:
    home = Home(asked.home.absolute()) if asked.home else default_home()
    if asked.what == "reset":
        reset(home, standard_output())
        return 0
    if asked.what == "up":
        return up(Wish(home, dict(os.environ), asked.services), standard_output())
    if asked.home:
        return _run(asked, home)
    with temporary_home() as private:
        return _run(asked, private)


def _run(asked: argparse.Namespace, home: Home) -> int:
    wish = Wish(
        home=home,
        environment=dict(os.environ),
        services=asked.services,
        is_test=True,
        postgres_binaries=asked.postgres_bin,
        redis_binary=asked.redis_bin,
    )
    return run(wish, asked.command, standard_error())


def _services(text: str) -> tuple[str, ...]:
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in found if name not in names.ALL]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no service {', '.join(unknown)}; there are {', '.join(names.ALL)}"
        )
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.local", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    starts = commands.add_parser("up", help="run everything until Ctrl-C")
    starts.add_argument("--services", type=_services, default=names.ALL, metavar="NAMES")
    forgets = commands.add_parser("reset", help="forget the data")
    runs = commands.add_parser("run", help="run a command with private servers around it")
    runs.add_argument(
        "--services",
        type=_services,
        default=(names.POSTGRES, names.REDIS),
        metavar="NAMES",
        help=f"of {', '.join(names.SERVERS)}",
    )
    runs.add_argument("--postgres-bin", type=Path, metavar="FOLDER", help="another PostgreSQL")
    runs.add_argument("--redis-bin", type=Path, metavar="FILE", help="another Redis")
    runs.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    for command in (starts, forgets, runs):
        command.add_argument("--home", type=Path, metavar="FOLDER", help="instead of PLAZA_HOME")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

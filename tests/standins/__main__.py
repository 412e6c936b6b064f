"""`python -m tests.standins`: the stand-ins in one process, until SIGTERM or Ctrl-C.

Prints one line of JSON with the chosen ports and addresses once all of them answer.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.standins.mail import MailStandin
from tests.standins.paypal import PayPalStandin
from tests.standins.server import Standin
from tests.standins.stripe import StripeStandin


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.standins", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder for what is remembered")
    for name in ("stripe", "paypal", "mail", "smtp"):
        parser.add_argument(f"--{name}-port", type=int, help="0 takes a free one")
    parser.add_argument("--plaza-url", default="", help="where Plaza answers, for webhooks")
    parser.add_argument("--plaza-host", default="", help="the name that Plaza answers to")
    for name, default in (
        ("stripe-webhook-secret", "whsec_standin"),
        ("paypal-webhook-id", "WHSTANDIN"),
    ):
        variable = name.upper().replace("-", "_")
        parser.add_argument(
            f"--{name}",
            default=os.environ.get(variable) or default,
            help=f"by default {variable} of the environment, which others cannot read",
        )
    return parser.parse_args(given)


def _public_url(plaza_url: str, host: str) -> str:
    """`http://127.0.0.1:8000` and `plaza.localhost` -> `http://plaza.localhost:8000`."""
    parts = urlsplit(plaza_url)
    if not host:
        return plaza_url
    port = f":{parts.port}" if parts.port and ":" not in host else ""
    return f"{parts.scheme}://{host}{port}"


def assemble(chosen: argparse.Namespace) -> dict[str, Standin]:
    """The stand-ins whose ports were named, by name; all of them when none was."""
    plaza, home = _public_url(chosen.plaza_url, chosen.plaza_host), chosen.home
    connect_to = urlsplit(chosen.plaza_url).netloc
    named = {
        "stripe": (chosen.stripe_port,),
        "paypal": (chosen.paypal_port,),
        "mail": (chosen.mail_port, chosen.smtp_port),
    }
    takes_all = all(port is None for ports in named.values() for port in ports)
    made: dict[str, Callable[[], Standin]] = {
        "stripe": lambda: StripeStandin(
            home=home,
            port=chosen.stripe_port or 0,
            webhook_url=f"{plaza}/webhooks/stripe" if plaza else "",
            webhook_secret=chosen.stripe_webhook_secret,
            connect_to=connect_to,
        ),
        "paypal": lambda: PayPalStandin(
            home=home,
            port=chosen.paypal_port or 0,
            webhook_url=f"{plaza}/webhooks/paypal" if plaza else "",
            webhook_id=chosen.paypal_webhook_id,
            connect_to=connect_to,
        ),
        "mail": lambda: MailStandin(
            home=home, port=chosen.mail_port or 0, smtp_port=chosen.smtp_port or 0
        ),
    }
    return {
        name: make()
        for name, make in made.items()
        if takes_all or any(port is not None for port in named[name])
    }


def _ports(standins: dict[str, Standin]) -> dict[str, int]:
    ports = {f"{name}_port": standin.port for name, standin in standins.items()}
    mail = standins.get("mail")
    return ports | ({"smtp_port": mail.smtp_port} if isinstance(mail, MailStandin) else {})


def main(given: list[str] | None = None) -> int:
    """Exits with 1 and one line on stderr when a port is taken."""
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    standins = assemble(arguments(given))
    try:
        with ExitStack() as running:
            for standin in standins.values():
                running.enter_context(standin)
            sys.stdout.write(json.dumps(_ports(standins)) + "\n")
            sys.stdout.flush()
            stopping.wait()
    except OSError as error:
        sys.stderr.write(f"the stand-ins cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Stateful stand-ins of Stripe, PayPal and a mail server, for whatever provider has no key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.local.home import REPOSITORY, Home
from config.local.ports import HOST, Ports, accepts
from config.local.processes import Child, Command, start


@dataclass(frozen=True, slots=True)
class Standin:
    """`asked_by` is the variable that names the real thing; `ports` are the options it needs."""

    name: str
    asked_by: str
    ports: tuple[str, ...]


STRIPE = Standin("Stripe", "STRIPE_API_KEY", ("stripe",))
PAYPAL = Standin("PayPal", "PAYPAL_CLIENT_ID", ("paypal",))
MAIL = Standin("Mail", "EMAIL_URL", ("mail", "smtp"))
ALL = (STRIPE, PAYPAL, MAIL)


@dataclass(slots=True)
class Standins:
    """One process that serves the stand-ins which are `wanted`."""

    home: Home
    python: str
    wanted: tuple[Standin, ...]
    plaza_url: str
    plaza_host: str
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return "Stand-ins"

    def prepare(self, ports: Ports) -> None:
        names = [name for standin in self.wanted for name in standin.ports]
        self.ports = {name: ports.of(name) for name in names}

    def chosen(self) -> dict[str, str]:
        """Return the variables that lead Plaza to them."""
        found: dict[str, str] = {}
        if STRIPE in self.wanted:
            found["STRIPE_API_KEY"] = "sk_test_standin"
            found["STRIPE_API_BASE"] = self.address("stripe")
        if PAYPAL in self.wanted:
            found["PAYPAL_CLIENT_ID"] = "standin"
            found["PAYPAL_CLIENT_SECRET"] = "standin"  # noqa: S105  opens nothing
            found["PAYPAL_API_BASE"] = self.address("paypal")
        if MAIL in self.wanted:
            found["EMAIL_URL"] = f"smtp://{HOST}:{self.ports['smtp']}"
        return found

    def address(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def spawn(self, environment: Mapping[str, str]) -> Child:
        ports = [
            text for name, port in self.ports.items() for text in (f"--{name}-port", str(port))
        ]
        command = Command(
            name="standins",
            argv=(
                *(self.python, "-m", "tests.standins", "--home", str(self.home.standins), *ports),
                *("--plaza-url", self.plaza_url, "--plaza-host", self.plaza_host),
                # The webhooks' secrets come by the environment: anybody may read a command line.
            ),
            log=self.home.log("standins"),
            environment=environment,
            folder=REPOSITORY,
        )
        return start(command)

    def is_ready(self, child: Child) -> bool:
        del child
        return all(accepts(port) for port in self.ports.values())

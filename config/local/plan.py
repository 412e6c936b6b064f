"""What to embed and what to leave to servers that the environment names; all in variables."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.local import names, standins
from config.local.home import Home
from config.local.ports import HOST
from config.local.postgres import Postgres
from config.local.signals import StopRequest
from config.local.standins import Standins
from config.local.trouble import Trouble
from config.local.valkey import Valkey

# What the application itself reads from secrets.json; the servers' passwords stay in addresses.
_KEYS = ("SECRET_KEY", "TOKEN_SIGNING_KEY", "STRIPE_WEBHOOK_SECRET", "PAYPAL_WEBHOOK_ID")
_MASTER_KEY, _MASTER_KEY_ELSEWHERE = "PLAZA_MASTER_KEY", ("PLAZA_MASTER_KEY_FILE", "PLAZA_KMS")
_DEMO_PASSWORD = "PLAZA_DEMO_PASSWORD"  # noqa: S105  its name


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: services by name, and where to run them how."""

    home: Home
    environment: Mapping[str, str]
    services: tuple[str, ...] = names.ALL
    is_test: bool = False
    postgres_binaries: Path | None = None
    redis_binary: Path | None = None

    def names(self, variable: str) -> bool:
        """Whether the environment names this server or provider itself."""
        return bool(self.environment.get(variable))


@dataclass(slots=True)
class Plan:
    """Servers to embed (None: not asked for, or named by the environment) and the variables."""

    wish: Wish
    secrets: dict[str, str]
    postgres: Postgres | None
    valkey: Valkey | None
    standins: Standins | None

    @property
    def is_production(self) -> bool:
        return self.wish.environment.get("PLAZA_ENV") == "production"

    @property
    def domain(self) -> str:
        return self.wish.environment.get("PLAZA_DOMAIN") or "plaza.localhost"

    @property
    def port(self) -> int:
        return web_port(self.wish.environment)

    def url(self, slug: str = "") -> str:
        host = f"{slug}.{self.domain}" if slug else self.domain
        suffix = "" if self.port == 80 else f":{self.port}"
        return f"http://{host}{suffix}"

    def chosen(self) -> dict[str, str]:
        """Every variable that we chose because the environment did not say."""
        found = {"PLAZA_HOME": str(self.wish.home.folder)}
        found |= {name: self.secrets[name] for name in _KEYS if not self.wish.names(name)}
        if not any(map(self.wish.names, (_MASTER_KEY, *_MASTER_KEY_ELSEWHERE))):
            found[_MASTER_KEY] = self.secrets[_MASTER_KEY]
        if not self.is_production and not self.wish.names(_DEMO_PASSWORD):
            found[_DEMO_PASSWORD] = self.secrets[_DEMO_PASSWORD]
        if self.wish.is_test:
            found["PLAZA_ENV"] = "test"
        if self.postgres is not None:
            found |= self.postgres.urls()
        if self.valkey is not None:
            found["REDIS_URL"] = self.valkey.url
        if self.standins is not None:
            found |= self.standins.chosen()
        return found

    def environment(self) -> dict[str, str]:
        """Return what a child process gets: the environment, completed by what we chose."""
        return {**self.wish.environment, **self.chosen()}

    def without_owner(self) -> dict[str, str]:
        """The same for who serves requests and tasks: they neither migrate nor provision.

        Empty rather than absent, since what is absent is looked up in environment.json. Where one
        sign-in is everything there is nothing to withhold.
        """
        environment = self.environment()
        if environment.get("DATABASE_SQUARE_URL"):
            environment["DATABASE_OWNER_URL"] = ""
        return environment


def plan_for(wish: Wish, secrets: dict[str, str], stop: StopRequest) -> Plan:
    """Decide what to embed. Nothing is started or written yet."""
    durable = not wish.is_test
    plan = Plan(wish=wish, secrets=secrets, postgres=None, valkey=None, standins=None)
    if names.POSTGRES in wish.services and not wish.names("DATABASE_URL"):
        plan.postgres = Postgres(wish.home, secrets, stop, durable, wish.postgres_binaries)
    if names.REDIS in wish.services and not wish.names("REDIS_URL"):
        plan.valkey = Valkey(wish.home, secrets, durable, wish.redis_binary)
    wanted = tuple(each for each in standins.ALL if not wish.names(each.asked_by))
    if names.STANDINS in wish.services and wanted:
        address = f"http://{HOST}:{plan.port}"
        plan.standins = Standins(wish.home, sys.executable, wanted, address, plan.domain)
    return plan


def web_port(environment: Mapping[str, str]) -> int:
    """PLAZA_PORT, by default 8000. Raises Trouble when it is no port."""
    text = environment.get("PLAZA_PORT") or "8000"
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise Trouble(f"PLAZA_PORT is {text!r}: a port is a number from 1 to 65535.")
    return int(text)

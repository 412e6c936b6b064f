"""The first journey, step by step over HTTP, as a customer's program would take it: `manage.py demo --journey`."""

import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

_PATIENCE_SECONDS = 180
Tell = Callable[..., None]


class JourneyFailed(RuntimeError):
    """A step did not answer as it should; the message holds what came instead."""


class Journey:
    """Sign up, import the real file, meet the quota, pay, go on, look at usage."""

    def __init__(self, *, port: int, domain: str, tell: Tell) -> None:
        self.port = port
        self.domain = domain
        self.tell = tell
        self.slug = f"demo-{secrets.token_hex(3)}"
        self.password = secrets.token_urlsafe(12)
        self.session = requests.Session()
        # Proxies of the environment have no business with a loopback address.
        self.session.trust_env = False

    def walk(self, file: Path) -> None:
        """Take every step. Raises JourneyFailed."""
        self._sign_up()
        self._sign_in()
        self._told_before_it_starts(file)
        import_id = self._partial_import(file)
        self._pay("growth")
        self._go_on(import_id)
        for meter in self._ask("GET", "/api/v1/usage", want=200)["meters"]:
            self.tell(f"   {meter['meter']}: {meter['used']} of {meter['limit']} {meter['unit']}")

    def _sign_up(self) -> None:
        self.tell(f"1. POST /api/v1/signup as {self.slug} on the plan starter")
        body = {
            "organisation": "Demo Records",
            "slug": self.slug,
            "email": f"owner@{self.slug}.test",
            "password": self.password,
            "plan": "starter",
        }
        tenant = self._ask("POST", "/api/v1/signup", want=201, host=self.domain, json=body)[
            "tenant"
        ]
        self.tell(f"   201: {tenant['url']}")

    def _sign_in(self) -> None:
        body = {"email": f"owner@{self.slug}.test", "password": self.password}
        pair = self._ask("POST", "/api/v1/auth/token", want=200, json=body)
        self.session.headers["Authorization"] = f"Bearer {pair['access']}"
        self.tell("2. A token; now the file of 23,570 customers")

    def _told_before_it_starts(self, file: Path) -> None:
        problem = self._upload(file, want=402)
        self.tell(
            f"   402 {problem['code']}: {problem['asked']} asked, {problem['limit']} allowed;"
            f" the plan {problem['upgrade_to']} would do"
        )

    def _partial_import(self, file: Path) -> str:
        self.tell("3. Start it all the same, as far as the plan goes")
        started = self._upload(file, want=202, allow_partial="true")
        found = self._at_rest(started["id"])
        self.tell(f"   {found['status']}: {found['rows_left_out']} rows left out")
        return str(started["id"])

    def _pay(self, plan: str) -> None:
        self.tell(f"4. POST /api/v1/checkout for {plan}; pay on the provider's page")
        checkout = self._ask("POST", "/api/v1/checkout", want=201, json={"plan": plan})
        with requests.Session() as person:
            person.trust_env = False
            page = person.get(checkout["url"], timeout=30)
            person.post(page.url, data=_pay_form(page.text), timeout=30, allow_redirects=False)
        self._until(lambda: self._ask("GET", "/api/v1/usage", want=200)["plan"] == plan)
        self.tell(f"   the signed webhook came: the plan is {plan}, from the very next request on")

    def _go_on(self, import_id: str) -> None:
        self.tell("5. POST /api/v1/imports/{id}/resume")
        self._ask("POST", f"/api/v1/imports/{import_id}/resume", want=202)
        found = self._at_rest(import_id)
        self.tell(f"   {found['status']}: {found['rows_done']} purchases of {found['rows_total']}")

    def _upload(self, file: Path, *, want: int, **fields: str) -> Any:
        with file.open("rb") as opened:
            return self._ask(
                "POST", "/api/v1/imports", want=want, files={"file": opened}, data=fields
            )

    def _at_rest(self, import_id: str) -> Any:
        def ask() -> Any:
            found = self._ask("GET", f"/api/v1/imports/{import_id}", want=200)
            return found if found["status"] not in {"queued", "running"} else None

        return self._until(ask)

    def _until(self, ask: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(0.5)
        raise JourneyFailed(f"Nothing after {_PATIENCE_SECONDS} s; is the worker running?")

    def _ask(self, method: str, path: str, *, want: int, host: str = "", **options: Any) -> Any:
        named = host or f"{self.slug}.{self.domain}"
        answer = self.session.request(
            method,
            urljoin(f"http://127.0.0.1:{self.port}", path),
            headers={"Host": f"{named}:{self.port}"},
            timeout=60,
            **options,
        )
        if answer.status_code != want:
            raise JourneyFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def _pay_form(page: str) -> dict[str, str]:
    fields = {"action": "pay"}
    for tag in re.findall(r"<input[^>]*type=[\"']hidden[\"'][^>]*>", page):
        name, value = (re.search(rf"{part}=[\"']([^\"']*)", tag) for part in ("name", "value"))
        if name:
            fields[name.group(1)] = value.group(1) if value else ""
    return fields

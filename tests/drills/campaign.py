"""The drill `campaign`: Celery's processes killed while they send; everybody gets the letter, nobody gets it twice."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.drills.estate import Account, Estate
from tests.drills.outcome import Outcome
from tests.stack import eventually

RECIPIENTS_A_KILL = 1_500
_PARENT_EACH = 5
_TEMPLATE = {
    "name": "Drill", "kind": "email", "subject": 'For {{ first_name|default:"you" }}',
    "body": '<p>Hello {{ first_name|default:"friend" }} of {{ company|default:"nowhere" }}.</p>' * 20,
    "variables": ["first_name", "company"],
}  # fmt: skip
_CAMPAIGN = {
    "name": "Drill", "type": "email", "budget": {"amount": 1, "currency": "USD"},
    "target_audience": {"everyone": True},
}  # fmt: skip


def run(estate: Estate, n: int) -> Outcome:
    """One mailing, in which the task's process is killed `n` times, each fifth time its parent too."""
    outcome, total = Outcome("campaign"), n * RECIPIENTS_A_KILL
    account = estate.account("mailing")
    estate.allow(account.tenant.pk, emails=None, campaigns=None)
    _plant(account, total)
    before = sum(estate.sink.letters.values())
    with estate.plaza.stall(account.tenant.slug, **account.headers) as api:
        path = _begun(api)
        began, largest = time.monotonic(), 0
        for number in range(n):
            _sent(api, path, at_least=int((number + 0.5) * RECIPIENTS_A_KILL))
            largest = max(largest, *map(_peak_mib, estate.task_processes() or [0]))
            _kill(estate, with_parent=number % _PARENT_EACH == 0)
            outcome.n += 1
        eventually(lambda: _is_finished(api, path), seconds=600)
        seconds = time.monotonic() - began
        told = api.get(f"{path}/mailing").json()
    _check(estate, outcome, account, total, told)
    letters = sum(estate.sink.letters.values()) - before
    outcome.remarks.append(
        f"{letters} letters in {seconds:.0f} s with {n} kills; a task's process took up to {largest} MiB"
    )
    return outcome


def _kill(estate: Estate, *, with_parent: bool) -> None:
    """A task of a process whose parent lives is taken up at once; else when it has been silent for a minute."""
    parents = [estate.plaza.process_id("worker")] if with_parent else []
    for pid in [*estate.task_processes(), *parents]:
        with contextlib.suppress(ProcessLookupError):
            estate.kill(pid)


def _check(
    estate: Estate, outcome: Outcome, account: Account, total: int, told: dict[str, Any]
) -> None:
    arrived = {to: count for to, count in estate.sink.letters.items() if to.endswith("@m.example")}
    missing = total - len(arrived)
    if missing:
        outcome.lose(f"{missing} of {total} got no letter: {told}", missing)
    doubled = sum(count - 1 for count in arrived.values())
    if doubled:
        outcome.double(f"{doubled} letters came twice", doubled)
    handed_over, ledger = (
        told["sent"] + told["in_doubt"],
        estate.ledger(account.tenant.pk, "emails"),
    )
    if not handed_over == ledger == total:
        outcome.lose(f"{told}, and {ledger} in the ledger, of {total}")
    outcome.remarks.append(f"{told['in_doubt']} were handed over when their process was killed")


def _plant(account: Account, count: int) -> None:
    from apps.crm.models import Consent, Contact
    from tenants.isolation import tenant_context
    from tests.drills.ground import hang_up

    hang_up()
    now = datetime.now(UTC)
    with tenant_context(account.tenant.ref):
        people = [
            Contact(email=f"c{number}@m.example", first_name="Ada") for number in range(count)
        ]
        Contact.objects.bulk_create(people, batch_size=2_000)
        words = [
            Consent(
                contact=person, channel="email", purpose="marketing", status="granted",
                source="drill", recorded_at=now,
            )
            for person in people
        ]  # fmt: skip
        Consent.objects.bulk_create(words, batch_size=2_000)


def _begun(api: httpx.Client) -> str:
    template = api.post("/api/v1/templates", json=_TEMPLATE).json()["id"]
    path = f"/api/v1/campaigns/{api.post('/api/v1/campaigns', json=_CAMPAIGN).json()['id']}"
    letter = {"template_id": template, "sender_name": "Drill"}
    api.put(f"{path}/letter", json=letter).raise_for_status()
    api.post(f"{path}/activate").raise_for_status()
    return path


def _sent(api: httpx.Client, path: str, *, at_least: int) -> None:
    def is_there() -> bool:
        return int(api.get(f"{path}/mailing").json()["sent"]) >= at_least

    eventually(is_there, seconds=300)


def _is_finished(api: httpx.Client, path: str) -> bool:
    return api.get(f"{path}/mailing").json()["finished_at"] is not None


def _peak_mib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(peak.split()[1]) // 1024

"""The drill `worker`: Celery's processes killed while they import; every row arrives once, and the ledger agrees."""

import time

import httpx

from tests.drills.estate import Account, Estate
from tests.drills.outcome import Outcome
from tests.stack import eventually

ROWS = 6_000
_AT_REST = {"completed", "completed_with_errors", "failed", "cancelled"}


def run(estate: Estate, n: int) -> Outcome:
    """`n` imports, in each of which the worker is killed, its parent and all."""
    outcome, dice = Outcome("worker"), estate.chance("worker")
    account = estate.account("imports")
    for number in range(n):
        with outcome.timed():
            _one(estate, outcome, account, number, dice.uniform(0.1, 0.6))
        outcome.n += 1
    return outcome


def _one(estate: Estate, outcome: Outcome, account: Account, number: int, share: float) -> None:
    before = estate.contacts(account)
    emails = "".join(f"i{number}-{row}@import.example\n" for row in range(ROWS))
    with estate.plaza.stall(account.tenant.slug, **account.headers) as api:
        started = api.post(
            "/api/v1/imports", files={"file": ("people.csv", f"email\n{emails}", "text/csv")}
        )
        if started.status_code != 202:
            outcome.lose(f"the import was answered {started.status_code} {started.text[:200]}")
            return
        path = f"/api/v1/imports/{started.json()['id']}"
        done = _killed_at(estate, api, path, int(ROWS * share))
        if done >= ROWS:
            outcome.vain.append("the import was done before its worker was killed")
        found = eventually(lambda: _at_rest(api, path), seconds=240)
    rows, ledger = estate.contacts(account), estate.ledger(account.tenant.pk, "contacts")
    told = (
        f"import {number}: killed at {done} rows, {found['status']} with {found['rows_done']} rows"
    )
    outcome.remarks.append(told)
    if found["status"] != "completed" or not rows == ledger == before + ROWS:
        outcome.lose(f"{told}; {rows - before} contacts, {ledger} in the ledger, {rows} in all")


def _killed_at(estate: Estate, api: httpx.Client, path: str, row: int) -> int:
    """How far it was."""
    while (done := int(api.get(path).json()["rows_done"])) < row:
        time.sleep(0.05)
    for pid in [*estate.task_processes(), estate.plaza.process_id("worker")]:
        estate.kill(pid)
    return done


def _at_rest(api: httpx.Client, path: str) -> dict[str, object] | None:
    found: dict[str, object] = api.get(path).json()
    return found if found["status"] in _AT_REST else None

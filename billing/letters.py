"""The letters that tell of money (tenants/mails): what is owed, what it restricts, trials that end, and spend caps."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from billing.money import Money, major
from quotas.words import meter_name
from tenants.mails import Letter, LetterKind
from tenants.models import Tenant

_Words = Callable[[Mapping[str, Any]], Iterator[str]]


def _owed(facts: Mapping[str, Any]) -> Iterator[str]:
    """What is asked for; nothing where the provider alone knows it."""
    if facts["reference"]:
        due = Money(facts["amount_minor"], facts["currency"])
        told = {
            "reference": facts["reference"],
            "amount": f"{due.currency} {major(due)}",
        }
        yield _("Invoice %(reference)s is open: %(amount)s.") % told


def _failed(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("We could not collect the payment for your subscription.")
    yield from _owed(facts)
    yield _("We try again in a day, and again after that. Until then nothing changes.")


def _read_only(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _(
        "The payment is three days overdue. You can still read everything; nothing can be changed."
    )
    yield from _owed(facts)
    yield _("Paying lifts this at once.")


def _last_days(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("The payment is ten days overdue. In four days your organisation will be suspended.")
    yield from _owed(facts)


def _suspended(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _(
        "The payment is two weeks overdue. Plan, invoices and usage stay reachable, nothing else."
    )
    yield from _owed(facts)
    yield _("Nothing is lost: paying lifts this at once. In two weeks the subscription ends.")


def _given_up(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("The payment never came, so the subscription has ended. You are on the free plan now.")
    yield _("Your data is still there. Choose a plan to go on.")


def _recovered(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("The payment has arrived. Every restriction is lifted.")


def _subject_of(kind: str, tenant: Tenant) -> str:
    told = {"organisation": tenant.organisation}
    subjects = {
        "payment_failed": _("A payment of %(organisation)s did not succeed"),
        "payment_read_only": _("%(organisation)s is read-only until it is paid"),
        "payment_last_days": _("%(organisation)s will be suspended in four days"),
        "payment_suspended": _("%(organisation)s is suspended until it is paid"),
        "payment_given_up": _("The subscription of %(organisation)s has ended"),
        "payment_recovered": _("%(organisation)s is paid again"),
    }
    return subjects[kind] % told


def _kind(name: str, words: _Words) -> LetterKind:
    def write(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
        return Letter(
            subject=_subject_of(name, tenant),
            paragraphs=tuple(words(facts)),
            action=_("See plan and payment"),
            path="/plan",
        )

    return LetterKind(name, write)


def _trial_ending(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    day = date_format(datetime.fromisoformat(facts["ends_at"]), "DATE_FORMAT")
    told = {"organisation": tenant.organisation, "plan": str(facts["plan"]).title(), "day": day}
    return Letter(
        subject=_("The trial of %(organisation)s ends on %(day)s") % told,
        paragraphs=(
            _("Until %(day)s you have the plan %(plan)s at no cost.") % told,
            _("Choose a plan to keep it. Otherwise you go on with the free plan; nothing is lost."),
        ),
        action=_("Choose a plan"),
        path="/plan",
    )


def _spend_cap(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    told = {
        "organisation": tenant.organisation,
        "percent": facts["percent"],
        "spent": _amount(facts["spent"]),
        "cap": _amount(facts["cap"]),
    }
    subject = (
        _("%(organisation)s has reached its spend cap")
        if facts["percent"] == 100
        else _("%(organisation)s has spent %(percent)s %% of its spend cap")
    )
    paragraphs = (_("Use above what the plan includes has come to %(spent)s of %(cap)s.") % told,)
    return Letter(
        subject=subject % told,
        paragraphs=(*paragraphs, *_of_cap(facts)),
        action=_("See usage and the spend cap"),
        path="/usage",
    )


def _of_cap(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["stopped"]:
        meters = ", ".join(map(meter_name, facts["stopped"]))
        yield _("The rest pays for no more of: %(meters)s.") % {"meters": meters}
    if facts["percent"] == 100:
        yield _("What the plan includes goes on. More is refused until you raise the cap.")
    day = date_format(datetime.fromisoformat(facts["resets_at"]), "DATE_FORMAT")
    yield _("The count starts again on %(day)s.") % {"day": day}


def _amount(told: Mapping[str, Any]) -> str:
    """`USD 1,234.50`, as the reader's language writes it."""
    shown = number_format(
        major(Money(told["amount"], told["currency"])), decimal_pos=2, force_grouping=True
    )
    return f"{told['currency']}\N{NO-BREAK SPACE}{shown}"


LETTERS = (
    _kind("payment_failed", _failed),
    _kind("payment_read_only", _read_only),
    _kind("payment_last_days", _last_days),
    _kind("payment_suspended", _suspended),
    _kind("payment_given_up", _given_up),
    _kind("payment_recovered", _recovered),
    LetterKind("trial_ending", _trial_ending),
    LetterKind("spend_cap", _spend_cap),
)

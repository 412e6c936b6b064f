"""What time brings: new periods, drafts that become final, retries, trials and terms that end."""

from collections.abc import Callable

from tests.standins.periods import DAY
from tests.standins.store import Json
from tests.standins.stripe import billing, lifecycle, lines
from tests.standins.stripe.account import Account


def promise(account: Account) -> None:
    """Tell the agenda who does what."""
    actions = {
        "subscription.renew": renew,
        "subscription.trial_will_end": announce_trial_end,
        "subscription.cancel": cancel,
        "subscription.give_up": give_up,
        "invoice.finalize": finalize,
        "invoice.retry": retry,
        "invoice.due": fall_due,
    }
    for name, action in actions.items():
        account.agenda.on(name, _about(account, action))


def _about(account: Account, action: Callable[[Account, str], None]) -> Callable[[str], None]:
    def act(subject: str) -> None:
        account.request = {"id": None, "idempotency_key": None}
        action(account, subject)

    return act


def renew(account: Account, ident: str) -> None:
    subscription = account.store.get("subscription", ident)
    if subscription is None or subscription["status"] not in (
        "active",
        "trialing",
        "past_due",
        "unpaid",
    ):
        return
    past = lifecycle.period_of(subscription)
    if past["end"] > account.now:
        return
    if subscription["cancel_at_period_end"]:
        _bill_last_usage(account, subscription, past)
        lifecycle.end(account, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "trialing" and not _trial_goes_on(account, subscription):
        return
    lifecycle.set_period(
        subscription,
        start=past["end"],
        end=lifecycle.period_end(subscription, after=past["end"]),
    )
    invoice = cycle_invoice(account, subscription, past)
    subscription["latest_invoice"] = invoice["id"]
    account.change(subscription, "customer.subscription.updated")
    lifecycle.plan_ahead(account, subscription)


def _trial_goes_on(account: Account, subscription: Json) -> bool:
    """Make a trial an ordinary subscription; without a card, as its settings say."""
    customer = account.get("customer", subscription["customer"])
    has_card = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
        or subscription["collection_method"] == "send_invoice"
    )
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if has_card or behavior == "create_invoice":
        subscription["status"] = "active"
        return True
    if behavior == "cancel":
        lifecycle.end(account, subscription, reason="payment_failed")
    else:
        subscription["status"] = "paused"
        account.change(subscription, "customer.subscription.paused")
    return False


def cycle_invoice(account: Account, subscription: Json, past: Json) -> Json:
    """The renewal's draft: what waited, the new period in advance, the past period's usage."""
    data = lifecycle.period_lines(account, subscription, metered_for=past)
    return draft_of(account, subscription, reason="subscription_cycle", period=past, data=data)


def draft_of(
    account: Account, subscription: Json, *, reason: str, period: Json, data: list[Json]
) -> Json:
    """A draft for the subscription with its waiting items and `data`, to be final in an hour."""
    pause = subscription["pause_collection"]
    is_kept = subscription["status"] == "unpaid" or (pause or {}).get("behavior") == "keep_as_draft"
    invoice = billing.draft(
        account,
        account.get("customer", subscription["customer"]),
        currency=subscription["currency"],
        reason=reason,
        period=period,
        auto_advance=not is_kept,
        **billing.of_subscription(subscription),
    )
    waiting = billing.take_pending(
        account, invoice, lambda item: lines.subscription_of(item) in (None, subscription["id"])
    )
    billing.set_lines(invoice, [*waiting, *data])
    if not is_kept:
        invoice["automatically_finalizes_at"] = account.now + billing.OPEN_AFTER_SECONDS
        account.agenda.add(invoice["automatically_finalizes_at"], "invoice.finalize", invoice["id"])
    account.save(invoice)
    account.emit("invoice.created", invoice)
    return invoice


def _bill_last_usage(account: Account, subscription: Json, past: Json) -> None:
    metered = [
        line
        for line in lifecycle.period_lines(account, subscription, metered_for=past)
        if line["period"] == past and line["amount"]
    ]
    if metered:
        draft_of(account, subscription, reason="subscription_cycle", period=past, data=metered)


def finalize(account: Account, ident: str) -> None:
    invoice = account.store.get("invoice", ident)
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    if invoice["automatically_finalizes_at"] is None:
        return
    if invoice["automatically_finalizes_at"] <= account.now:
        finalize_and_collect(account, invoice)


def finalize_and_collect(account: Account, invoice: Json) -> Json:
    """Make it final; then charge it, send it, or let it be, as its subscription says."""
    subscription = lifecycle.of_invoice(account, invoice) or {}
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        days = subscription.get("days_until_due") or 0
        invoice["due_date"] = account.now + days * DAY
    billing.finalize(account, invoice)
    if invoice["status"] == "paid":
        lifecycle.follow_payment(account, invoice)
        return account.get("invoice", invoice["id"])
    pause = (subscription.get("pause_collection") or {}).get("behavior")
    if pause in ("void", "mark_uncollectible"):
        billing.close(account, invoice, status="void" if pause == "void" else "uncollectible")
    elif invoice["collection_method"] == "send_invoice":
        account.agenda.add(invoice["due_date"], "invoice.due", invoice["id"])
        account.emit("invoice.sent", invoice)
    elif invoice["auto_advance"]:
        lifecycle.collect(account, invoice)
    return account.get("invoice", invoice["id"])


def retry(account: Account, ident: str) -> None:
    invoice = account.store.get("invoice", ident)
    if invoice is None or invoice["status"] != "open" or not invoice["auto_advance"]:
        return
    due = invoice["next_payment_attempt"]
    if due is not None and due <= account.now:
        lifecycle.collect(account, invoice)


def fall_due(account: Account, ident: str) -> None:
    invoice = account.store.get("invoice", ident)
    if invoice is None or invoice["status"] != "open":
        return
    account.emit("invoice.overdue", invoice)
    subscription = lifecycle.of_invoice(account, invoice)
    if subscription is not None and subscription["status"] == "active":
        account.change(subscription | {"status": "past_due"}, "customer.subscription.updated")


def announce_trial_end(account: Account, ident: str) -> None:
    subscription = account.store.get("subscription", ident)
    if subscription is None or subscription["status"] != "trialing":
        return
    if subscription["trial_end"] - lifecycle.TRIAL_NOTICE_SECONDS <= account.now:
        account.emit("customer.subscription.trial_will_end", subscription)


def cancel(account: Account, ident: str) -> None:
    subscription = account.store.get("subscription", ident)
    if subscription is None or subscription["cancel_at"] is None:
        return
    if subscription["cancel_at"] <= account.now:
        lifecycle.end(account, subscription, reason="cancellation_requested")


def give_up(account: Account, ident: str) -> None:
    """A first invoice that nobody paid within a day."""
    subscription = account.store.get("subscription", ident)
    if subscription is None or subscription["status"] != "incomplete":
        return
    invoice = account.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        billing.close(account, invoice, status="void")
    subscription |= {"status": "incomplete_expired", "ended_at": account.now}
    account.change(subscription, "customer.subscription.updated")

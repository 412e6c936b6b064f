"""A subscription's life: started, collected for, renewed, in arrears, ended."""

from tests.standins.periods import DAY, next_boundary
from tests.standins.store import Json
from tests.standins.stripe import billing, lines, usage
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, invalid

RETRY_AFTER_DAYS = (3, 5, 7)
INCOMPLETE_SECONDS = 23 * 3600
TRIAL_NOTICE_SECONDS = 3 * DAY
ENDED = ("canceled", "incomplete_expired")
AFTER_RETRIES = ("canceled", "past_due", "unpaid")


def period_of(subscription: Json) -> Json:
    item = subscription["items"]["data"][0]
    return {"start": item["current_period_start"], "end": item["current_period_end"]}


def set_period(subscription: Json, *, start: int, end: int) -> None:
    for item in subscription["items"]["data"]:
        item |= {"current_period_start": start, "current_period_end": end}


def period_end(subscription: Json, *, after: int) -> int:
    cycle = subscription["items"]["data"][0]["price"]["recurring"]
    return next_boundary(
        subscription["billing_cycle_anchor"],
        cycle["interval"],
        cycle["interval_count"],
        after=after,
    )


def of_invoice(account: Account, invoice: Json) -> Json | None:
    ident = billing.subscription_id(invoice)
    return None if ident is None else account.store.get("subscription", ident)


def card_for(account: Account, invoice: Json) -> Json | None:
    """The invoice's own payment method, else the subscription's, else the customer's."""
    customer = account.get("customer", invoice["customer"])
    subscription = of_invoice(account, invoice) or {}
    for ident in (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    ):
        method = account.store.get("payment_method", ident or "")
        if method is not None and method["customer"] == customer["id"]:
            return method
    return None


def collect(account: Account, invoice: Json, *, method: Json | None = None) -> StripeError | None:
    """Charge the card for an open invoice; the subscription follows the outcome."""
    refusal = billing.charge(account, invoice, method or card_for(account, invoice))
    if refusal is None:
        follow_payment(account, invoice)
    else:
        _follow_failure(account, invoice)
    return refusal


def follow_payment(account: Account, invoice: Json) -> None:
    """A paid invoice takes its subscription out of arrears."""
    customer = account.get("customer", invoice["customer"])
    account.change(customer | {"delinquent": False}, "customer.updated")
    subscription = of_invoice(account, invoice)
    if subscription is not None and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        account.change(subscription | {"status": "active"}, "customer.subscription.updated")


def _follow_failure(account: Account, invoice: Json) -> None:
    subscription = of_invoice(account, invoice)
    if subscription is None or invoice["billing_reason"] == "subscription_create":
        return
    customer = account.get("customer", invoice["customer"])
    account.change(customer | {"delinquent": True}, "customer.updated")
    tries = invoice["attempt_count"]
    if invoice["auto_advance"] and tries <= len(RETRY_AFTER_DAYS):
        at = account.now + RETRY_AFTER_DAYS[tries - 1] * DAY
        account.save(invoice | {"next_payment_attempt": at})
        account.agenda.add(at, "invoice.retry", invoice["id"])
        status = "past_due"
    else:
        account.save(invoice | {"next_payment_attempt": None})
        kept = account.store.get("setting", "after_retries") or {"status": "canceled"}
        status = kept["status"]
    _fall_behind(account, subscription, status)


def _fall_behind(account: Account, subscription: Json, status: str) -> None:
    if subscription["status"] in ENDED:
        return
    if status == "canceled":
        end(account, subscription, reason="payment_failed")
    else:
        account.change(subscription | {"status": status}, "customer.subscription.updated")


def start(account: Account, subscription: Json, *, behavior: str, trial_end: int | None) -> Json:
    """Write the new subscription, bill its first period, and collect as `behavior` says.

    Raises the decline under error_if_incomplete; nothing is left behind then.
    """
    now = account.now
    subscription["billing_cycle_anchor"] = trial_end or now
    if trial_end:
        subscription |= {"status": "trialing", "trial_start": now, "trial_end": trial_end}
    is_sent = subscription["collection_method"] == "send_invoice"
    if not trial_end:
        subscription["status"] = "active" if is_sent else "incomplete"
    set_period(subscription, start=now, end=trial_end or period_end(subscription, after=now))
    account.create(subscription, "customer.subscription.created")
    invoice = first_invoice(account, subscription)
    subscription = account.get("subscription", subscription["id"]) | {
        "latest_invoice": invoice["id"]
    }
    account.save(subscription)
    plan_ahead(account, subscription)
    if invoice["status"] == "paid":
        follow_payment(account, invoice)
    elif not is_sent and behavior != "default_incomplete":
        _collect_first(account, invoice, behavior)
    fresh_copy = account.get("subscription", subscription["id"])
    if fresh_copy["status"] == "incomplete":
        account.agenda.add(now + INCOMPLETE_SECONDS, "subscription.give_up", subscription["id"])
    return fresh_copy


def start_free(account: Account, subscription: Json, *, until: int) -> Json:
    """Write the new subscription, whose first period costs nothing and ends at `until`, its anchor."""
    subscription |= {"status": "active", "billing_cycle_anchor": until}
    set_period(subscription, start=account.now, end=until)
    account.create(subscription, "customer.subscription.created")
    plan_ahead(account, subscription)
    return subscription


def _collect_first(account: Account, invoice: Json, behavior: str) -> None:
    if card_for(account, invoice) is None:
        raise invalid(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    refusal = collect(account, invoice)
    if refusal is not None and behavior == "error_if_incomplete":
        raise refusal


def first_invoice(account: Account, subscription: Json) -> Json:
    customer = account.get("customer", subscription["customer"])
    now = account.now
    invoice = billing.draft(
        account,
        customer,
        currency=subscription["currency"],
        reason="subscription_create",
        period={"start": now, "end": now},
        **billing.of_subscription(subscription),
    )
    billing.set_lines(invoice, period_lines(account, subscription))
    if subscription["collection_method"] == "send_invoice":
        invoice["due_date"] = now + subscription["days_until_due"] * DAY
    account.save(invoice)
    account.emit("invoice.created", invoice)
    billing.finalize(account, invoice)
    if invoice["due_date"] is not None and invoice["status"] == "open":
        account.agenda.add(invoice["due_date"], "invoice.due", invoice["id"])
        account.emit("invoice.sent", invoice)
    return invoice


def period_lines(
    account: Account, subscription: Json, *, metered_for: Json | None = None
) -> list[Json]:
    """The licensed items of the present period in advance, the metered ones of `metered_for`."""
    period = period_of(subscription)
    found = []
    for item in subscription["items"]["data"]:
        if subscription["status"] == "trialing":
            product = account.get("product", item["price"]["product"])
            found.append(lines.free_trial(item, product, period=period))
        elif item["price"]["recurring"]["usage_type"] == "licensed":
            quantity = item["quantity"]
            found.append(
                lines.of_subscription_item(account, item, period=period, quantity=quantity)
            )
        elif metered_for is not None:
            quantity = usage.billable(account, item, subscription["customer"], metered_for)
            found.append(
                lines.of_subscription_item(account, item, period=metered_for, quantity=quantity)
            )
    return found


def plan_ahead(account: Account, subscription: Json) -> None:
    """Promise what the passing time will bring to the subscription."""
    ident = subscription["id"]
    account.agenda.add(period_of(subscription)["end"], "subscription.renew", ident)
    if subscription["trial_end"] and subscription["status"] == "trialing":
        notice = max(subscription["trial_end"] - TRIAL_NOTICE_SECONDS, account.now)
        account.agenda.add(notice, "subscription.trial_will_end", ident)
    if subscription["cancel_at"] and not subscription["cancel_at_period_end"]:
        account.agenda.add(subscription["cancel_at"], "subscription.cancel", ident)


def end(account: Account, subscription: Json, *, reason: str) -> Json:
    if subscription["status"] in ENDED:
        return subscription
    subscription |= {
        "canceled_at": subscription["canceled_at"] or account.now,
        "cancel_at_period_end": False,
        "ended_at": account.now,
        "status": "canceled",
    }
    subscription["cancellation_details"]["reason"] = (
        subscription["cancellation_details"]["reason"] or reason
    )
    return account.change(subscription, "customer.subscription.deleted")

"""Billing by cycles: the payments of a subscription as time passes, and their retries."""

from decimal import Decimal

from tests.standins.paypal import payments, plans, showing, terms
from tests.standins.paypal.merchant import Merchant
from tests.standins.paypal.objects import moment, money, seconds
from tests.standins.periods import boundary
from tests.standins.store import Json

DAY = 86_400
# PayPal tries a failed payment again, twice, five days apart.
RETRY_AFTER_SECONDS = 5 * DAY
RETRIES = 2


def promise(merchant: Merchant) -> None:
    merchant.agenda.on("paypal.bill", lambda ident: bill_due(merchant, ident))
    merchant.agenda.on("paypal.retry", lambda ident: retry_due(merchant, ident))


def executions(plan: Json, present: list[Json] | None = None) -> list[Json]:
    """The executions of a plan's cycles; those of the same sequence go on counting."""
    counted = {one["sequence"]: one["cycles_completed"] for one in present or []}
    found = []
    for cycle in plan["billing_cycles"]:
        completed = counted.get(cycle["sequence"], 0)
        total = cycle["total_cycles"]
        execution = {
            "tenure_type": cycle["tenure_type"],
            "sequence": cycle["sequence"],
            "cycles_completed": completed,
            "cycles_remaining": max(total - completed, 0),
            "total_cycles": total,
        }
        if "pricing_scheme" in cycle:
            execution["current_pricing_scheme_version"] = cycle["pricing_scheme"]["version"]
        found.append(execution)
    return found


def activate(merchant: Merchant, subscription: Json) -> Json:
    """Start it: the setup fee now, the first cycle now or at its later start."""
    plan = terms.effective_plan(merchant, subscription)
    start = max(seconds(subscription["start_time"], field="/start_time"), merchant.now)
    subscription["_subscribed"] = merchant.now
    subscription["_anchor"] = start
    subscription["_boundary"] = 0
    subscription["billing_info"] = {
        "outstanding_balance": money(Decimal(0), plans.currency_of(plan)),
        "cycle_executions": executions(plan),
        "next_billing_time": moment(start),
        "failed_payments_count": 0,
    }
    set_status(merchant, subscription, "ACTIVE")
    merchant.emit("BILLING.SUBSCRIPTION.ACTIVATED", showing.shown(merchant, subscription))
    fee = plan["payment_preferences"].get("setup_fee")
    if fee is not None and Decimal(fee["value"]) > 0:
        gross = money(Decimal(fee["value"]), fee["currency_code"])
        paid = payments.collect(merchant, subscription, {"gross_amount": gross})
        if not paid and plan["payment_preferences"]["setup_fee_failure_action"] == "CANCEL":
            set_status(merchant, subscription, "CANCELLED")
            merchant.emit("BILLING.SUBSCRIPTION.CANCELLED", showing.shown(merchant, subscription))
            return subscription
    if start <= merchant.now:
        _bill(merchant, subscription)
    else:
        merchant.agenda.add(start, "paypal.bill", subscription["id"])
    return subscription


def set_status(merchant: Merchant, subscription: Json, status: str, note: str = "") -> None:
    now = moment(merchant.now)
    subscription |= {"status": status, "status_update_time": now, "update_time": now}
    if note:
        subscription["status_change_note"] = note
    merchant.save("subscription", subscription)


def bill_due(merchant: Merchant, ident: str) -> None:
    subscription = merchant.store.get("subscription", ident)
    if subscription is None or subscription["status"] != "ACTIVE":
        return
    due = subscription["billing_info"].get("next_billing_time")
    if due is not None and seconds(due, field="next_billing_time") <= merchant.now:
        _bill(merchant, subscription)


def _present_execution(subscription: Json) -> Json | None:
    for execution in subscription["billing_info"]["cycle_executions"]:
        if execution["total_cycles"] == 0 or execution["cycles_remaining"] > 0:
            found: Json = execution
            return found
    return None


def _bill(merchant: Merchant, subscription: Json) -> None:
    """Take the present cycle's price, with what is outstanding where the plan says so."""
    plan = terms.effective_plan(merchant, subscription)
    execution = _present_execution(subscription)
    if execution is None:
        _expire(merchant, subscription)
        return
    cycle = plans.cycle_at(plan, execution["sequence"])
    due = terms.amount_due(merchant, subscription, cycle, merchant.now)
    scheme = terms.scheme_at(merchant, subscription, cycle, merchant.now)
    if scheme is not None:
        execution["current_pricing_scheme_version"] = scheme["version"]
    _count(execution)
    _set_next(merchant, subscription, cycle)
    info = subscription["billing_info"]
    currency = plans.currency_of(plan)
    price = Decimal(due["gross_amount"]["value"])
    outstanding = Decimal(info["outstanding_balance"]["value"])
    takes_outstanding = plan["payment_preferences"]["auto_bill_outstanding"] and outstanding > 0
    if takes_outstanding:
        due = {"gross_amount": money(price + outstanding, currency)}
    merchant.save("subscription", subscription)
    if Decimal(due["gross_amount"]["value"]) == 0:
        return
    if payments.collect(merchant, subscription, due):
        left = Decimal(0) if takes_outstanding else outstanding
        info["outstanding_balance"] = money(left, currency)
        merchant.save("subscription", subscription)
    else:
        info["outstanding_balance"] = money(outstanding + price, currency)
        _follow_failure(merchant, subscription, due["gross_amount"], retries_left=RETRIES)


def _count(execution: Json) -> None:
    execution["cycles_completed"] += 1
    if execution["total_cycles"]:
        execution["cycles_remaining"] = execution["total_cycles"] - execution["cycles_completed"]


def _set_next(merchant: Merchant, subscription: Json, cycle: Json) -> None:
    """The next billing time, counted from the start so that month ends come back."""
    frequency = cycle["frequency"]
    unit, count = frequency["interval_unit"].lower(), frequency["interval_count"]
    if subscription.get("_cycle") != [unit, count]:
        now = seconds(subscription["billing_info"]["next_billing_time"], field="next_billing_time")
        subscription |= {"_cycle": [unit, count], "_anchor": now, "_boundary": 0}
    subscription["_boundary"] += 1
    at = boundary(subscription["_anchor"], unit, count, subscription["_boundary"])
    subscription["billing_info"]["next_billing_time"] = moment(at)
    merchant.agenda.add(at, "paypal.bill", subscription["id"])


def resume(merchant: Merchant, subscription: Json) -> None:
    """After a suspension: the next billing is the first of its dates that is not yet past."""
    info = subscription["billing_info"]
    at = seconds(info["next_billing_time"], field="next_billing_time")
    unit, count = subscription.get("_cycle", ["month", 1])
    while at <= merchant.now:
        subscription["_boundary"] += 1
        at = boundary(subscription["_anchor"], unit, count, subscription["_boundary"])
    info["next_billing_time"] = moment(at)
    merchant.agenda.add(at, "paypal.bill", subscription["id"])


def _expire(merchant: Merchant, subscription: Json) -> None:
    subscription["billing_info"].pop("next_billing_time", None)
    set_status(merchant, subscription, "EXPIRED")
    merchant.emit("BILLING.SUBSCRIPTION.EXPIRED", showing.shown(merchant, subscription))


def _follow_failure(
    merchant: Merchant, subscription: Json, failed: Json, *, retries_left: int
) -> None:
    """Count it, promise a retry, and suspend at the plan's threshold (0 never suspends)."""
    info = subscription["billing_info"]
    info["failed_payments_count"] += 1
    info["last_failed_payment"] = {
        "amount": failed,
        "time": moment(merchant.now),
        "reason_code": "PAYMENT_DENIED",
    }
    plan = terms.effective_plan(merchant, subscription)
    threshold = plan["payment_preferences"]["payment_failure_threshold"]
    is_last_straw = bool(threshold) and info["failed_payments_count"] >= threshold
    subscription["_retries_left"] = retries_left
    if retries_left and not is_last_straw:
        at = merchant.now + RETRY_AFTER_SECONDS
        info["last_failed_payment"]["next_payment_retry_time"] = moment(at)
        merchant.agenda.add(at, "paypal.retry", subscription["id"])
    merchant.save("subscription", subscription)
    merchant.emit("BILLING.SUBSCRIPTION.PAYMENT.FAILED", showing.shown(merchant, subscription))
    if is_last_straw:
        set_status(merchant, subscription, "SUSPENDED")
        merchant.emit("BILLING.SUBSCRIPTION.SUSPENDED", showing.shown(merchant, subscription))


def retry_due(merchant: Merchant, ident: str) -> None:
    """Try the outstanding balance again."""
    subscription = merchant.store.get("subscription", ident)
    if subscription is None or subscription["status"] != "ACTIVE":
        return
    info = subscription["billing_info"]
    retry_at = info.get("last_failed_payment", {}).get("next_payment_retry_time")
    outstanding = info["outstanding_balance"]
    if retry_at is None or Decimal(outstanding["value"]) == 0:
        return
    if seconds(retry_at, field="next_payment_retry_time") > merchant.now:
        return
    if payments.collect(merchant, subscription, {"gross_amount": outstanding}):
        info["outstanding_balance"] = money(Decimal(0), outstanding["currency_code"])
        merchant.save("subscription", subscription)
        return
    left = subscription["_retries_left"] - 1
    _follow_failure(merchant, subscription, outstanding, retries_left=left)

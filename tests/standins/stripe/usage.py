"""Meters, the events counted by them, and what a metered price bills."""

from decimal import Decimal, InvalidOperation

from tests.standins.periods import DAY
from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, invalid, missing
from tests.standins.stripe.listing import page, page_of
from tests.standins.stripe.objects import fresh, random_text
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

FORMULAS = ("sum", "count", "last")
OLDEST_SECONDS = 35 * DAY
FUTURE_SECONDS = 300
WINDOWS = {"hour": 3600, "day": DAY}
_METER = "/v1/billing/meters"


@routes.post(
    _METER,
    "display_name event_name default_aggregation customer_mapping value_settings event_time_window",
)
def create(account: Account, params: Params) -> Json:
    event_name = params.required("event_name")
    if _active(account, event_name) is not None:
        raise invalid(
            f"An active meter already exists with event_name {event_name}.", param="event_name"
        )
    formula = params.inner("default_aggregation")
    mapping = params.inner("customer_mapping")
    meter = fresh(
        "billing.meter",
        created=account.now,
        updated=account.now,
        display_name=params.required("display_name"),
        event_name=event_name,
        event_time_window=params.text("event_time_window"),
        default_aggregation={
            "formula": formula.one_of("formula", FORMULAS, formula.required("formula"))
        },
        customer_mapping={
            "event_payload_key": mapping.text("event_payload_key") or "stripe_customer_id",
            "type": "by_id",
        },
        value_settings={
            "event_payload_key": params.inner("value_settings").text("event_payload_key") or "value"
        },
    )
    return account.create(meter, "billing.meter.created")


def _active(account: Account, event_name: str) -> Json | None:
    found = account.find(
        "billing.meter",
        lambda meter: meter["event_name"] == event_name and meter["status"] == "active",
    )
    return found[0] if found else None


@routes.get(f"{_METER}/<meter_id>")
def retrieve(account: Account, _: Params, meter_id: str) -> Json:
    return account.get("billing.meter", meter_id)


@routes.post(f"{_METER}/<meter_id>", "display_name")
def update(account: Account, params: Params, meter_id: str) -> Json:
    meter = account.get("billing.meter", meter_id)
    meter |= {"display_name": params.required("display_name"), "updated": account.now}
    return account.change(meter, "billing.meter.updated")


@routes.post(f"{_METER}/<meter_id>/deactivate")
def deactivate(account: Account, _: Params, meter_id: str) -> Json:
    return _switch(account, meter_id, "inactive", account.now, "billing.meter.deactivated")


@routes.post(f"{_METER}/<meter_id>/reactivate")
def reactivate(account: Account, _: Params, meter_id: str) -> Json:
    return _switch(account, meter_id, "active", None, "billing.meter.reactivated")


def _switch(account: Account, meter_id: str, status: str, at: int | None, event: str) -> Json:
    meter = account.get("billing.meter", meter_id)
    meter |= {"status": status, "status_transitions": {"deactivated_at": at}}
    return account.change(meter | {"updated": account.now}, event)


@routes.list(_METER, "status")
def every(account: Account, params: Params) -> Json:
    return page_of(account, "billing.meter", params, url=_METER, equal=("status",))


@routes.post("/v1/billing/meter_events", "event_name payload identifier timestamp")
def record(account: Account, params: Params) -> Json:
    meter = _active(account, params.required("event_name"))
    if meter is None:
        raise invalid(
            f"No active meter found for event name {params.required('event_name')}.",
            param="event_name",
            code="resource_missing",
        )
    payload = {key: str(value) for key, value in params.inner("payload").values.items()}
    _check_payload(meter, payload)
    identifier = params.text("identifier") or random_text(32)
    if account.store.get("billing.meter_event", identifier) is not None:
        raise invalid(
            f"An event already exists with identifier {identifier}.",
            param="identifier",
            code="duplicate_meter_event",
        )
    event = fresh(
        "billing.meter_event",
        created=account.now,
        event_name=meter["event_name"],
        identifier=identifier,
        payload=payload,
        timestamp=_moment(account, params.integer("timestamp")),
    )
    # By identifier: that is all that Stripe gives an event for a name.
    account.store.put("billing.meter_event", identifier, event)
    return event


def _check_payload(meter: Json, payload: dict[str, str]) -> None:
    customer_key = meter["customer_mapping"]["event_payload_key"]
    if customer_key not in payload:
        raise missing(f"payload[{customer_key}]")
    value_key = meter["value_settings"]["event_payload_key"]
    if meter["default_aggregation"]["formula"] == "count":
        return
    if value_key not in payload:
        raise missing(f"payload[{value_key}]")
    try:
        Decimal(payload[value_key])
    except InvalidOperation:
        raise invalid("The value must be a number.", param=f"payload[{value_key}]") from None


def _moment(account: Account, given: int | None) -> int:
    at = account.now if given is None else given
    if not account.now - OLDEST_SECONDS <= at <= account.now + FUTURE_SECONDS:
        raise invalid(
            "The timestamp must be within the past 35 days or up to 5 minutes in the future.",
            param="timestamp",
            code="timestamp_too_far_in_past" if at < account.now else "timestamp_in_future",
        )
    return at


@routes.post("/v1/billing/meter_event_adjustments", "event_name type cancel")
def adjust(account: Account, params: Params) -> Json:
    """Take an event back, within a day of its arrival."""
    params.one_of("type", ("cancel",), params.required("type"))
    identifier = params.inner("cancel").required("identifier")
    event = account.store.get("billing.meter_event", identifier)
    if event is None or event["event_name"] != params.required("event_name"):
        raise StripeError("No such meter event.", status=404, code="resource_missing")
    if event["created"] + DAY < account.now:
        raise invalid("Only events of the last 24 hours can be cancelled.")
    account.store.put("billing.meter_event", identifier, event | {"_is_cancelled": True})
    return fresh(
        "billing.meter_event_adjustment",
        cancel={"identifier": identifier},
        event_name=event["event_name"],
    )


@routes.list(
    f"{_METER}/<meter_id>/event_summaries", "customer start_time end_time value_grouping_window"
)
def summaries(account: Account, params: Params, meter_id: str) -> Json:
    """Sums by customer over [start, end), newest window first."""
    meter = account.get("billing.meter", meter_id)
    customer = params.required("customer")
    start, end = params.integer("start_time"), params.integer("end_time")
    if start is None or end is None:
        raise missing("start_time" if start is None else "end_time")
    window = WINDOWS.get(params.text("value_grouping_window") or "", max(end - start, 1))
    found = []
    for begins in range(start, end, window):
        ends = min(begins + window, end)
        events = _events(account, meter, customer, begins, ends)
        if events:
            found.append(_summary(meter, customer, begins, ends, float(_total(meter, events))))
    return page(found[::-1], params, url=f"{_METER}/{meter_id}/event_summaries")


def _summary(meter: Json, customer: str, start: int, end: int, value: float) -> Json:
    return fresh(
        "billing.meter_event_summary",
        aggregated_value=value,
        end_time=end,
        id=f"mtrusg_{customer}_{start}",
        meter=meter["id"],
        start_time=start,
    )


def _events(account: Account, meter: Json, customer: str, start: int, end: int) -> list[Json]:
    key = meter["customer_mapping"]["event_payload_key"]
    return account.find(
        "billing.meter_event",
        lambda event: (
            event["event_name"] == meter["event_name"]
            and event["payload"].get(key) == customer
            and start <= event["timestamp"] < end
            and "_is_cancelled" not in event
        ),
    )


def _total(meter: Json, events: list[Json]) -> Decimal:
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return Decimal(len(events))
    key = meter["value_settings"]["event_payload_key"]
    values = [Decimal(event["payload"][key]) for event in events]
    if formula == "last":
        latest = max(range(len(events)), key=lambda index: events[index]["timestamp"])
        return values[latest]
    return sum(values, Decimal(0))


def billable(account: Account, item: Json, customer: str, period: Json) -> int:
    """Units of a metered item used within `period`."""
    meter = account.get("billing.meter", item["price"]["recurring"]["meter"])
    events = _events(account, meter, customer, period["start"], period["end"])
    return int(_total(meter, events)) if events else 0

"""One PayPal merchant: what it has, its time, its events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.standins.clock import Agenda, Clock
from tests.standins.deliveries import Deliveries
from tests.standins.paypal.errors import not_found
from tests.standins.paypal.objects import bare, moment, new_id
from tests.standins.store import Json, Store

KEPT_EVENTS = 20_000

# What happened, in words and as a kind of resource.
SUMMARIES = {
    "BILLING.PLAN.ACTIVATED": ("plan", "A billing plan was activated."),
    "BILLING.PLAN.CREATED": ("plan", "A billing plan was created."),
    "BILLING.PLAN.DEACTIVATED": ("plan", "A billing plan was deactivated."),
    "BILLING.PLAN.PRICING-CHANGE.ACTIVATED": ("plan", "The prices of a billing plan changed."),
    "BILLING.PLAN.UPDATED": ("plan", "A billing plan was updated."),
    "BILLING.SUBSCRIPTION.ACTIVATED": ("subscription", "Subscription activated"),
    "BILLING.SUBSCRIPTION.CANCELLED": ("subscription", "Subscription cancelled"),
    "BILLING.SUBSCRIPTION.CREATED": ("subscription", "Subscription created"),
    "BILLING.SUBSCRIPTION.EXPIRED": ("subscription", "Subscription expired"),
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": ("subscription", "Payment failed for subscription"),
    "BILLING.SUBSCRIPTION.SUSPENDED": ("subscription", "Subscription suspended"),
    "BILLING.SUBSCRIPTION.UPDATED": ("subscription", "Subscription updated"),
    "CATALOG.PRODUCT.CREATED": ("product", "A product was created."),
    "CATALOG.PRODUCT.UPDATED": ("product", "A product was updated."),
    "PAYMENT.CAPTURE.REFUNDED": ("refund", "A payment was refunded."),
    "PAYMENT.SALE.COMPLETED": ("sale", "Payment completed"),
    "PAYMENT.SALE.DENIED": ("sale", "Payment denied"),
    "PAYMENT.SALE.REFUNDED": ("refund", "A sale payment was refunded."),
}


@dataclass(frozen=True)
class Call:
    """One request: its JSON body, its query, and whether the whole object is wanted back."""

    body: Any
    query: dict[str, str] = field(default_factory=dict)
    wants_whole: bool = False


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None


class Merchant:
    """What the handlers work on. Everything here happens inside one transaction of the store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        agenda: Agenda,
        deliveries: Deliveries,
        url: Callable[[], str],
        check: Callable[[str, str, Json], None],
    ) -> None:
        self.store = store
        self.clock = clock
        self.agenda = agenda
        self.deliveries = deliveries
        self._url = url
        self.check = check  # (description, kind, object): raises when the shape is not official

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def url(self) -> str:
        return self._url()

    def get(self, kind: str, ident: str) -> Json:
        found = self.store.get(kind, ident)
        if found is None:
            raise not_found()
        return found

    def save(self, kind: str, body: Json) -> Json:
        self.store.put(kind, body["id"], body)
        return body

    def find(self, kind: str, matches: Callable[[Json], bool] | None = None) -> list[Json]:
        return self.store.find(kind, matches)

    def link(self, path: str, rel: str, method: str = "GET") -> Json:
        return {"href": f"{self.url}{path}", "rel": rel, "method": method}

    def emit(self, kind: str, resource: Json) -> None:
        """Keep the event and send it to the webhooks that want it."""
        resource_type, summary = SUMMARIES[kind]
        ident = f"WH-{new_id('', 17)}-{new_id('', 17)}"
        path = f"/v1/notifications/webhooks-events/{ident}"
        event = {
            "id": ident,
            "event_version": "1.0",
            "create_time": moment(self.now),
            "resource_type": resource_type,
            "resource_version": "1.0" if resource_type == "sale" else "2.0",
            "event_type": kind,
            "summary": summary,
            "resource": bare(resource),
            "links": [self.link(path, "self"), self.link(f"{path}/resend", "resend", "POST")],
        }
        self.check("notifications_webhooks_v1", "event", event)
        self.save("event", event)
        self.store.trim("event", keep=KEPT_EVENTS)
        for webhook in self.find("webhook"):
            if {"*", kind} & {wanted["name"] for wanted in webhook["event_types"]}:
                self.deliveries.add(event=ident, endpoint=webhook["id"])

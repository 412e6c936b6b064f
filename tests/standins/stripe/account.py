"""One Stripe account: its objects, its time, and the events that every change brings about."""

from collections.abc import Callable

from tests.standins.clock import Agenda, Clock
from tests.standins.deliveries import Deliveries
from tests.standins.store import Json, Store
from tests.standins.stripe.errors import dangling, no_such
from tests.standins.stripe.objects import API_VERSION, bare, fresh, presented
from tests.standins.stripe.params import Params

KEPT_EVENTS = 20_000

# How Stripe names the kinds in its "No such …" messages, where that differs from the kind.
_SPOKEN = {
    "payment_method": "PaymentMethod",
    "charge": "charge",
    "checkout.session": "checkout.session",
}


class Account:
    """What the handlers work on. Everything here happens inside one transaction of the store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        agenda: Agenda,
        deliveries: Deliveries,
        url: Callable[[], str],
        check: Callable[[Json], None],
    ) -> None:
        self.store = store
        self.clock = clock
        self.agenda = agenda
        self.deliveries = deliveries
        self._url = url
        self.check = check  # raises when an object has not the official shape
        self.request: Json = {"id": None, "idempotency_key": None}

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def url(self) -> str:
        return self._url()

    def get(self, kind: str, ident: str, *, param: str = "id") -> Json:
        """The object at an address: 404 when it is not there."""
        found = self.store.get(kind, ident)
        if found is None:
            raise no_such(_SPOKEN.get(kind, kind), ident, param=param)
        return found

    def named_by(self, params: Params, name: str, kind: str | None = None) -> Json:
        """The object that a required parameter names: 400 when it is not there."""
        ident = params.required(name)
        found = self.store.get(kind or name, ident)
        if found is None:
            spoken = _SPOKEN.get(kind or name, kind or name)
            raise dangling(spoken, ident, param=params.named(name))
        return found

    def find(self, kind: str, matches: Callable[[Json], bool] | None = None) -> list[Json]:
        return self.store.find(kind, matches)

    def save(self, body: Json) -> Json:
        """Write without an event."""
        self.store.put(body["object"], body["id"], body)
        return body

    def create(self, body: Json, event: str) -> Json:
        self.save(body)
        self.emit(event, body)
        return body

    def change(self, body: Json, *events: str) -> Json:
        """Write; the events tell what the changed attributes were before. No change, no event."""
        before = self.store.get(body["object"], body["id"]) or {}
        if before == body:
            return body
        self.save(body)
        previous = {
            key: before.get(key) for key, value in bare(body).items() if before.get(key) != value
        }
        for event in events:
            self.emit(event, body, previous=previous)
        return body

    def remove(self, body: Json, event: str) -> Json:
        self.store.delete(body["object"], body["id"])
        self.emit(event, body)
        return {"id": body["id"], "object": body["object"], "deleted": True}

    def emit(self, kind: str, body: Json, *, previous: Json | None = None) -> None:
        """Keep the event and send it to the endpoints that want it."""
        data: Json = {"object": presented(body)}
        if previous is not None and kind.endswith(".updated"):
            data["previous_attributes"] = presented(previous)
        wanting = [
            endpoint["id"]
            for endpoint in self.find("webhook_endpoint", lambda one: one["status"] == "enabled")
            if kind in endpoint["enabled_events"] or "*" in endpoint["enabled_events"]
        ]
        event = fresh(
            "event",
            api_version=API_VERSION,
            created=self.now,
            data=data,
            pending_webhooks=len(wanting),
            request=dict(self.request),
            type=kind,
        )
        self.check(event)
        self.save(event)
        self.store.trim("event", keep=KEPT_EVENTS)
        for endpoint in wanting:
            self.deliveries.add(event=event["id"], endpoint=endpoint)

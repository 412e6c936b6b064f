"""`/_standin/`: what a test (or a curious person) asks of a stand-in, beside the provider's API."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.standins.answers import json_response

if TYPE_CHECKING:
    from tests.standins.server import Standin

PREFIX = "/_standin/"

Handler = Callable[["Standin", dict[str, Any]], Any]
_RULES: list[Rule] = []


class NotPossible(Exception):
    """The order cannot be followed; the message says why."""


def order(method: str, path: str) -> Callable[[Handler], Handler]:
    def added(handler: Handler) -> Handler:
        _RULES.append(Rule(PREFIX + path, methods=[method], endpoint=handler))
        return handler

    return added


def respond(standin: "Standin", request: Request) -> Response:
    try:
        handler, path = Map([rule.empty() for rule in _RULES]).bind_to_environ(request).match()
        body = request.get_json() if request.get_data() else {}
        asked = {**request.args.to_dict(), **body, **path}
        return json_response(handler(standin, asked))
    except HTTPException as refusal:
        return json_response({"error": refusal.description}, status=refusal.code or 500)
    except (NotPossible, ValueError, TypeError, KeyError) as refusal:
        return json_response({"error": str(refusal)}, status=400)


@order("GET", "")
def status(standin: "Standin", _: dict[str, Any]) -> Any:
    return {
        "name": standin.name,
        "url": standin.url,
        "now": standin.clock.now(),
        "holds": standin.store.counts(),
        "faults": standin.faults.listed(),
        "webhooks_held": standin.deliveries.is_held,
        "violations": standin.violations,
    }


@order("POST", "reset")
def reset(standin: "Standin", _: dict[str, Any]) -> Any:
    standin.reset()
    return {"now": standin.clock.now()}


@order("GET", "requests")
def requests(standin: "Standin", _: dict[str, Any]) -> Any:
    return {"requests": list(standin.requests)}


@order("GET", "clock")
def clock(standin: "Standin", _: dict[str, Any]) -> Any:
    return {"now": standin.clock.now(), "stopped": standin.clock.is_stopped}


@order("POST", "clock")
def set_clock(standin: "Standin", asked: dict[str, Any]) -> Any:
    """{advance_seconds} or {now}, and {stopped: true|false}; what falls due on the way is done.

    Time goes back only while nothing is promised for later.
    """
    present = standin.clock.now()
    goal = int(asked.get("now", present + int(asked.get("advance_seconds", 0))))
    if goal < present and standin.store.count("agenda"):
        raise NotPossible("time goes back only in an empty stand-in: POST /_standin/reset first")
    stopped = bool(asked.get("stopped", standin.clock.is_stopped))
    done = standin.agenda.run(until=goal)
    standin.clock.set_to(goal, stopped=stopped)
    return {"now": standin.clock.now(), "stopped": stopped, "done": done}


@order("GET", "faults")
def faults(standin: "Standin", _: dict[str, Any]) -> Any:
    return {"faults": standin.faults.listed()}


@order("POST", "faults")
def add_fault(standin: "Standin", asked: dict[str, Any]) -> Any:
    """{kind, times, status, seconds, method, path}; path is a prefix."""
    standin.faults.add(**asked)
    return {"faults": standin.faults.listed()}


@order("DELETE", "faults")
def clear_faults(standin: "Standin", _: dict[str, Any]) -> Any:
    standin.faults.clear()
    return {"faults": []}


@order("GET", "deliveries")
def deliveries(standin: "Standin", asked: dict[str, Any]) -> Any:
    wanted = asked.get("status")
    found = standin.store.find("delivery", lambda one: wanted in (None, one["status"]))
    return {"deliveries": found}


@order("POST", "webhooks/hold")
def hold(standin: "Standin", _: dict[str, Any]) -> Any:
    standin.deliveries.hold()
    return {"held": True}


@order("POST", "webhooks/release")
def release(standin: "Standin", asked: dict[str, Any]) -> Any:
    """{order: as_sent|reversed|shuffled, seed, copies}."""
    return {"released": standin.deliveries.release(**asked)}


@order("POST", "webhooks/settle")
def settle(standin: "Standin", asked: dict[str, Any]) -> Any:
    """Wait until every webhook has arrived."""
    seconds = float(asked.get("timeout_seconds", 10))
    return {"settled": standin.deliveries.settle(timeout_seconds=seconds)}


@order("POST", "<path:special>")
def special(standin: "Standin", asked: dict[str, Any]) -> Any:
    """Whatever only this provider's stand-in knows; see its `obey`."""
    name = asked.pop("special")
    with standin.store.transaction():
        return standin.obey(name, asked)


@order("POST", "events/<event>/redeliver")
def redeliver(standin: "Standin", asked: dict[str, Any]) -> Any:
    """Send an event once more to every endpoint that it went to."""
    ident = asked["event"]
    endpoints = {one["endpoint"] for one in standin.store.find("delivery") if one["event"] == ident}
    if not endpoints:
        raise NotPossible(f"no event {ident} was sent to anybody")
    with standin.store.transaction():
        for endpoint in sorted(endpoints):
            standin.deliveries.add(event=ident, endpoint=endpoint)
    return {"redelivered": len(endpoints)}

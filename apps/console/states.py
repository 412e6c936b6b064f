"""States as an operator sees them: a tone and a word for each."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

# How each state is shown: unfold's labels by value.
TONES = {
    "active": "success",
    "done": "success",
    "trialing": "info",
    "received": "info",
    "waiting": "info",
    "provisioning": "info",
    "past_due": "warning",
    "paused": "warning",
    "closing": "warning",
    "suspended": "danger",
    "failed": "danger",
    "expired": "danger",
    "cancelled": "danger",
    "ignored": "default",
    "closed": "default",
    "steady": "success",
    "migrating": "info",
    "set_aside": "danger",
    "open": "info",
    "paid": "success",
    "void": "default",
    "uncollectible": "danger",
}
# The same states in the reader's language.
STATES: Mapping[str, Promise] = {
    "active": pgettext_lazy("state", "active"),
    "done": pgettext_lazy("state", "done"),
    "trialing": pgettext_lazy("state", "on trial"),
    "received": pgettext_lazy("state", "received"),
    "waiting": pgettext_lazy("state", "waiting"),
    "ignored": pgettext_lazy("state", "ignored"),
    "provisioning": pgettext_lazy("state", "being set up"),
    "past_due": pgettext_lazy("state", "payment overdue"),
    "paused": pgettext_lazy("state", "paused"),
    "closing": pgettext_lazy("state", "closing"),
    "closed": pgettext_lazy("state", "closed"),
    "suspended": pgettext_lazy("state", "suspended"),
    "failed": pgettext_lazy("state", "failed"),
    "expired": pgettext_lazy("state", "expired"),
    "cancelled": pgettext_lazy("state", "cancelled"),
    "steady": pgettext_lazy("state", "steady"),
    "migrating": pgettext_lazy("state", "migrating"),
    "set_aside": pgettext_lazy("state", "set aside"),
    "open": pgettext_lazy("state", "open"),
    "paid": pgettext_lazy("state", "paid"),
    "void": pgettext_lazy("state", "void"),
    "uncollectible": pgettext_lazy("state", "uncollectible"),
}

KINDS: Mapping[str, Promise] = {
    "member": pgettext_lazy("person", "member"),
    "operator": pgettext_lazy("person", "operator"),
}


def shown(state: str) -> tuple[str, str]:
    """A state as unfold's labels take it: the value that chooses the tone, and the text."""
    return state, str(STATES[state])

"""Which handler answers which operation of PayPal's descriptions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.routing import Rule

from tests.standins.paypal.merchant import Answer

Handler = Callable[..., Answer]


@dataclass(frozen=True)
class Route:
    """`path` is written as in the description, with {names}."""

    description: str
    method: str
    path: str
    handler: Handler

    @property
    def rule(self) -> Rule:
        return Rule(re.sub(r"{(\w+)}", r"<\1>", self.path), methods=[self.method], endpoint=self)


@dataclass
class Routes:
    """The operations of one description. A handler takes merchant, call and the path's names."""

    description: str
    known: list[Route] = field(default_factory=list)

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self.known.append(Route(self.description, method, path, handler))
            return handler

        return added

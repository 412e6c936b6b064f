"""Which handler answers which address, and which parameters it understands."""

from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.routing import Rule

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.params import Params

Handler = Callable[..., Json]

_PAGING = ("limit", "starting_after", "ending_before", "created")


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    accepts: tuple[str, ...]
    handler: Handler

    def answer(self, account: Account, params: Params, path: dict[str, str]) -> Json:
        params.only(*self.accepts)
        return self.handler(account, params, **path)

    @property
    def rule(self) -> Rule:
        return Rule(self.path, methods=[self.method], endpoint=self)


@dataclass
class Routes:
    """A module's addresses. A handler takes the account, the parameters and the path's names."""

    known: list[Route] = field(default_factory=list)

    def _adder(
        self, method: str, path: str, accepts: tuple[str, ...]
    ) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self.known.append(Route(method, path, accepts, handler))
            return handler

        return added

    def get(self, path: str, accepts: str = "") -> Callable[[Handler], Handler]:
        return self._adder("GET", path, tuple(accepts.split()))

    def list(self, path: str, accepts: str = "") -> Callable[[Handler], Handler]:
        """A GET of many: takes the paging parameters too."""
        return self._adder("GET", path, (*_PAGING, *accepts.split()))

    def post(self, path: str, accepts: str = "") -> Callable[[Handler], Handler]:
        return self._adder("POST", path, tuple(accepts.split()))

    def delete(self, path: str, accepts: str = "") -> Callable[[Handler], Handler]:
        return self._adder("DELETE", path, tuple(accepts.split()))

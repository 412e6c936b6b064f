"""One person's browser: where it goes, and what it must never meet."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

from tests.stack import Plaza

HEAVIEST_BYTES = 150_000
_SERIOUS = {"serious", "critical"}
# What a browser says of each answer above 399, a page of ours as well.
_OF_STATUS = "Failed to load resource: the server responded with a status of"


class Visit:
    """`page` is the tab. `end` raises AssertionError for errors, requests to elsewhere and loose policies."""

    def __init__(self, plaza: Plaza, context: BrowserContext) -> None:
        self.plaza = plaza
        self.context = context
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self._bytes = 0
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfinished", self._weighed)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))

    def url(self, host: str, path: str) -> str:
        name = f"{host}.plaza.localhost" if host else "plaza.localhost"
        return f"http://{name}:{self.plaza.port}{path}"

    def go(self, host: str, path: str, *, status: int = 200) -> None:
        """Open a page afresh and wait until nothing is on its way."""
        self._bytes = 0
        answer = self.page.goto(self.url(host, path), wait_until="networkidle")
        assert answer is not None
        assert answer.status == status, (path, answer.status)

    def settle(self) -> None:
        self.page.wait_for_load_state("networkidle")

    @property
    def bytes(self) -> int:
        """What the last `go` loaded, as it came over the wire."""
        return self._bytes

    def unfit(self) -> list[tuple[str, str]]:
        """What axe finds on the present page that keeps people out: (rule, where)."""
        found: Any = Axe().run(self.page).response["violations"]
        return [
            (fault["id"], node["html"][:200])
            for fault in found
            if fault["impact"] in _SERIOUS
            for node in fault["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(wide))

    def end(self) -> None:
        self.context.close()
        assert self.faults == []

    def _asked(self, request: Request) -> None:
        host = request.url.split("/")[2].partition(":")[0] if "//" in request.url else ""
        is_ours = host.endswith("plaza.localhost") or request.url.startswith(("data:", "blob:"))
        if not is_ours:
            self.faults.append(f"asked elsewhere: {request.url}")

    def _answered(self, answer: Response) -> None:
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("text/html") or answer.status in {301, 302, 303}:
            return
        policy = answer.headers.get("content-security-policy", "")
        scripts = next((each for each in policy.split(";") if "script-src" in each), "")
        # The console's frame (Unfold) has Alpine read its attributes.
        allowed = "/console/" in answer.url and scripts.replace("'unsafe-eval'", "")
        if not scripts or "unsafe" in (allowed or scripts):
            self.faults.append(f"policy of {answer.url}: {policy!r}")

    def _weighed(self, request: Request) -> None:
        sizes = request.sizes()
        self._bytes += sizes["responseBodySize"] + sizes["responseHeadersSize"]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_OF_STATUS):
            self.faults.append(f"console: {message.text}")

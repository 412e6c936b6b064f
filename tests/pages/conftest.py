"""The running product, and Debian's Chromium in front of it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from config.local.debian import CHROMIUM
from tests.pages.visits import Visit
from tests.stack import Plaza, running_plaza


@pytest.fixture(scope="session")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plaza]:
    with running_plaza(tmp_path_factory.mktemp("plaza"), keep_servers=False) as stack:
        yield stack


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """As root there is no sandbox of Chromium's own; shared memory may be small."""
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(plaza: Plaza, chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """`visit(language="es", width=390)`: a person with an empty browser. What it met is checked at the end."""
    opened: list[Visit] = []

    def begin(*, language: str = "en", width: int = 1280, dark: bool = False) -> Visit:
        context = chromium.new_context(
            locale={"en": "en-US", "es": "es-MX"}[language],
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(20_000)
        opened.append(Visit(plaza, context))
        return opened[-1]

    yield begin
    for each in opened:
        each.end()

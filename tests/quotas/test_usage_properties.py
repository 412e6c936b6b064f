"""Properties of reported usage, as they are kept and compared."""

from typing import Any

import pytest

from tests.client import Api
from tests.quotas.reported import EVENTS, event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


@pytest.mark.parametrize("value", [1e300, 1e23, 0.1, -0.0, 2**70 + 1, 10**400, True])
def test_a_property_is_the_same_however_the_database_writes_it(reporter: Api, value: Any) -> None:
    sent = event("mail-1", properties={"a": value})
    reporter.post(EVENTS, sent)

    reporter.post(EVENTS, sent, status=200)
    reporter.post(EVENTS, sent | {"properties": {"a": 1}}, status=422)
    reporter.post(EVENTS, sent | {"properties": {"a": 1.5}}, status=422)

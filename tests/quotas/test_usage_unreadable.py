"""What a report may not say, as bytes that no JSON library of ours would write."""

import json
from typing import Any

import pytest

from tests.client import Api
from tests.quotas.reported import EVENTS, event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


@pytest.mark.parametrize(
    ("field", "written", "told"),
    [
        ("quantity", "9" * 5_000, "Integer value out of range"),
        ("quantity", "-" + "9" * 5_000, "Integer value out of range"),
        ("properties", '{"a": 1e400}', "Number out of range"),
        ("key", '"line\\n"', "Control characters and line breaks are not allowed."),
        ("key", '"\\tline"', "Control characters and line breaks are not allowed."),
        ("properties", '{"a\\n": 1}', "Control characters and line breaks are not allowed."),
    ],
)
def test_what_no_field_can_hold_is_refused_by_field_and_spares_the_rest_of_its_batch(
    reporter: Api, field: str, written: str, told: str
) -> None:
    wrong = json.dumps(event("k") | {field: "?"}).replace('"?"', written)
    alone = _sent(reporter, EVENTS, wrong)
    many = _sent(
        reporter, f"{EVENTS}/batch", f'{{"items": [{json.dumps(event("good"))}, {wrong}]}}'
    )
    assert (alone.status_code, alone.json()["errors"]) == (400, {field: [told]})
    assert [each["status"] for each in many.json()["results"]] == [201, 400]
    assert many.json()["results"][1]["error"]["errors"] == {field: [told]}


def _sent(api: Api, path: str, body: str) -> Any:
    return api.client.generic("POST", path, body, content_type="application/json")

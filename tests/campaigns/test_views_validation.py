import pytest

from apps.campaigns.models import Campaign
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.campaigns.asking import BLANK, URL, WISH, used

BUDGET_INTEGER = {"budget": {"amount": ["A valid integer is required."]}}
BUDGET_REQUIRED = {"amount": ["This field is required."], "currency": ["This field is required."]}
CURRENCY = {"budget": {"currency": ["An ISO 4217 code in capitals, like USD."]}}
INVISIBLE = {"name": ["Nothing of this text can be seen."]}
CONTROL = {"name": ["Control characters and line breaks are not allowed."]}
NOT_A_STRING = {"name": ["Not a valid string."]}


def budget(amount, currency="USD"):
    return {"budget": {"amount": amount, "currency": currency}}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": ""}, BLANK),
        ({"name": "  \t "}, BLANK),
        ({"name": "\u00a0\u2003"}, BLANK),
        ({"name": "\u200b\u200d"}, INVISIBLE),
        ({"name": "a\nb"}, CONTROL),
        ({"name": "a\u2028b"}, CONTROL),
        ({"name": "a\x00b"}, CONTROL),
        ({"name": "n" * 201}, {"name": ["Ensure this field has no more than 200 characters."]}),
        ({"name": None}, {"name": ["This field may not be null."]}),
        ({"name": 7}, NOT_A_STRING),
        ({"name": True}, NOT_A_STRING),
        ({"name": ["Spring"]}, NOT_A_STRING),
        ({"type": "fax"}, {"type": ['"fax" is not a valid choice.']}),
        ({"type": "Email"}, {"type": ['"Email" is not a valid choice.']}),
        ({"type": None}, {"type": ["This field may not be null."]}),
        (
            budget(0),
            {"budget": {"amount": ["Ensure this value is greater than or equal to 1."]}},
        ),
        (
            budget(-5),
            {"budget": {"amount": ["Ensure this value is greater than or equal to 1."]}},
        ),
        (
            budget(2**53),
            {"budget": {"amount": ["Ensure this value is less than or equal to 9007199254740991."]}},
        ),
        (
            budget(10**400),
            {"budget": {"amount": ["Ensure this value is less than or equal to 9007199254740991."]}},
        ),
        (budget(10.5), BUDGET_INTEGER),
        (budget(10.0), BUDGET_INTEGER),
        (budget("100"), BUDGET_INTEGER),
        (budget(True), BUDGET_INTEGER),
        (budget(None), {"budget": {"amount": ["This field may not be null."]}}),
        (budget(1, "usd"), CURRENCY),
        (budget(1, "XXX"), CURRENCY),
        (budget(1, "$"), CURRENCY),
        ({"budget": {}}, {"budget": BUDGET_REQUIRED}),
        ({"budget": {"amount": 1, "currency": "USD", "cents": 1}}, {"budget": {"cents": ["Unknown field."]}}),
        (
            {"budget": 100},
            {
                "budget": {
                    "non_field_errors": ["Invalid data. Expected a dictionary, but got int."]
                }
            },
        ),
        ({"budget": None}, {"budget": ["This field may not be null."]}),
        (
            {"description": "d" * 5001},
            {"description": ["Ensure this field has no more than 5000 characters."]},
        ),
        ({"target_audience": [1]}, {"target_audience": ["An object or a text."]}),
        ({"target_audience": None}, {"target_audience": ["This field may not be null."]}),
        (
            {"target_audience": {"a": "\x00"}},
            {"target_audience": ["The text holds characters that cannot be stored."]},
        ),
        (
            {"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-02T00:00:00Z"},
            {"ends_at": ["The end must lie after the start."]},
        ),
        ({"status": "active"}, {"status": ["Unknown field."]}),
        ({"created_by_id": str(new_id())}, {"created_by_id": ["Unknown field."]}),
        ({"budget_minor": 5, "nmae": "x"}, {"budget_minor": ["Unknown field."], "nmae": ["Unknown field."]}),
    ],
)  # fmt: skip
def test_each_wrong_field_is_refused_under_its_own_name(acme, api, now, changes, errors):
    answer = api(acme).post(URL, WISH | changes, status=400)

    assert (answer["code"], answer["errors"]) == ("validation_failed", errors)
    with tenant_context(acme):
        assert Campaign.objects.count() == 0
    assert used(acme, now) == 0


def test_what_is_missing_is_told_all_at_once_beside_what_is_unknown(acme, api):
    answer = api(acme).post(URL, {"colour": "red"}, status=400)

    required = ["This field is required."]
    assert answer["errors"] == {
        "name": required,
        "type": required,
        "budget": required,
        "colour": ["Unknown field."],
    }


@pytest.mark.parametrize("body", [[], '"text"', 7])
def test_a_body_that_is_no_object_is_refused(acme, api, body):
    answer = api(acme).post(URL, body, status=400)

    assert list(answer["errors"]) == ["non_field_errors"]


@pytest.mark.parametrize("moment", ["soon", "2030-13-01T00:00:00Z", 5, "0001-01-01T00:00:00+23:59"])
def test_a_moment_that_is_none_is_refused(acme, api, moment):
    answer = api(acme).post(URL, WISH | {"starts_at": moment}, status=400)

    assert list(answer["errors"]) == ["starts_at"]

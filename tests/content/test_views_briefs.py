import pytest

from apps.content.models import Brief
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.content.asking import BRIEFS, REQUIRED, UNKNOWN, made, rfc3339
from tests.factories_campaigns import BriefFactory, PieceFactory

WISH = {
    "name": "Spring",
    "objective": "Win back customers",
    "audience": "Those who bought once",
    "tone": "friendly",
    "guidelines": "No discounts",
    "languages": ["es-MX", "en"],
    "channels": ["email", "sms"],
}
CHOICE = "This value does not match the required pattern."


def test_a_new_brief_is_a_draft(acme, api):
    client = api(acme)

    answer = client.post(BRIEFS, WISH)

    with tenant_context(acme):
        row = Brief.objects.get()
    assert answer == WISH | {
        "id": str(row.pk),
        "status": "draft",
        "approved_by_id": None,
        "approved_at": None,
        "created_by_id": str(client.member.person_id),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.created_at),
    }
    assert client.get(f"{BRIEFS}/{row.pk}") == answer


def test_an_objective_is_enough(acme, api):
    answer = api(acme).post(BRIEFS, {"objective": "Sell"})

    assert (answer["name"], answer["languages"], answer["channels"]) == ("", [], [])


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"objective": " "}, {"objective": ["This field may not be blank."]}),
        (
            {"objective": "o" * 2001},
            {"objective": ["Ensure this field has no more than 2000 characters."]},
        ),
        ({"languages": ["Spanish"]}, {"languages": {"0": [CHOICE]}}),
        ({"languages": ["en", "es_MX"]}, {"languages": {"1": [CHOICE]}}),
        (
            {"languages": ["en"] * 21},
            {"languages": ["Ensure this field has no more than 20 elements."]},
        ),
        ({"channels": ["fax"]}, {"channels": {"0": ['"fax" is not a valid choice.']}}),
        ({"tone": "t" * 101}, {"tone": ["Ensure this field has no more than 100 characters."]}),
        ({"status": "approved"}, {"status": UNKNOWN}),
        ({"approved_at": "2030-01-01T00:00:00Z"}, {"approved_at": UNKNOWN}),
    ],
)
def test_each_wrong_field_is_refused_under_its_own_name(acme, api, changes, errors):
    assert api(acme).post(BRIEFS, WISH | changes, status=400)["errors"] == errors


def test_a_brief_without_objective_is_refused(acme, api):
    assert api(acme).post(BRIEFS, {}, status=400)["errors"] == {"objective": REQUIRED}


def test_an_approval_names_who_and_when_and_a_reopened_brief_forgets_it(acme, api):
    row = made(acme, BriefFactory)
    editor = api(acme, "editor")

    approved = editor.post(f"{BRIEFS}/{row.pk}/approve", status=200)
    reopened = editor.post(f"{BRIEFS}/{row.pk}/reopen", status=200)

    assert (approved["status"], approved["approved_by_id"], approved["approved_at"]) == (
        "approved",
        str(editor.member.person_id),
        approved["updated_at"],
    )
    assert (reopened["status"], reopened["approved_by_id"], reopened["approved_at"]) == (
        "draft",
        None,
        None,
    )


@pytest.mark.parametrize("verb", ["approve", "reopen", "archive"])
@pytest.mark.parametrize("role", ["member", "read_only", "billing"])
def test_only_editors_and_those_above_review(acme, api, verb, role):
    row = made(acme, BriefFactory)

    answer = api(acme, role).post(f"{BRIEFS}/{row.pk}/{verb}", status=403)

    assert answer["code"] == "permission_denied"


def test_a_draft_can_change_and_be_deleted_and_an_approved_brief_cannot(acme, api):
    client = api(acme)
    draft, approved = made(acme, BriefFactory), made(acme, BriefFactory, approved=True)

    assert client.patch(f"{BRIEFS}/{draft.pk}", {"tone": "formal"})["tone"] == "formal"
    client.delete(f"{BRIEFS}/{draft.pk}")
    refused = client.patch(f"{BRIEFS}/{approved.pk}", {"tone": "formal"}, status=409)
    kept = client.delete(f"{BRIEFS}/{approved.pk}", status=409)

    assert refused["code"] == kept["code"] == "content_not_draft"
    with tenant_context(acme):
        assert list(Brief.objects.all()) == [approved]


def test_a_brief_from_which_something_was_made_stays(acme, api):
    brief = made(acme, BriefFactory)
    made(acme, PieceFactory, brief=brief)

    answer = api(acme).delete(f"{BRIEFS}/{brief.pk}", status=409)

    assert answer["code"] == "brief_in_use"


def test_a_review_takes_no_fields(acme, api):
    row = made(acme, BriefFactory)

    answer = api(acme).post(f"{BRIEFS}/{row.pk}/approve", {"status": "approved"}, status=400)

    assert answer["errors"] == {"status": UNKNOWN}


def test_a_batch_answers_for_each_brief(acme, api):
    answer = api(acme).post(f"{BRIEFS}/batch", {"items": [WISH, {}]}, status=207)

    assert [each["status"] for each in answer["results"]] == [201, 400]


@pytest.mark.parametrize("tail", ["", "/approve", "/reopen", "/archive"])
def test_another_tenants_brief_is_not_found(acme, globex, api, tail):
    client, foreign = api(acme), made(globex, BriefFactory)
    ask = client.post if tail else client.get

    for pk in (foreign.pk, new_id(), "x"):
        assert ask(f"{BRIEFS}/{pk}{tail}", status=404)["code"] == "not_found"

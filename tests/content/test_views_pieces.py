import pytest

from apps.content.models import Piece
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.content.asking import PIECES, REQUIRED, UNKNOWN, made, rfc3339
from tests.factories_campaigns import BriefFactory, PieceFactory, TemplateFactory

WISH = {"channel": "email", "language": "es-MX", "title": "Hola", "body": "Buenos días"}
NO_MATCH = ["This value does not match the required pattern."]


def test_a_new_piece_is_the_first_version_of_a_draft(acme, api):
    client = api(acme)

    answer = client.post(PIECES, WISH)

    with tenant_context(acme):
        row = Piece.objects.get()
    assert answer == WISH | {
        "id": str(row.pk),
        "brief_id": None,
        "template_id": None,
        "status": "draft",
        "version": 1,
        "engine": "",
        "approved_by_id": None,
        "approved_at": None,
        "created_by_id": str(client.member.person_id),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.created_at),
    }
    assert client.get(f"{PIECES}/{row.pk}") == answer


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"channel": "fax"}, {"channel": ['"fax" is not a valid choice.']}),
        ({"language": "Spanish"}, {"language": NO_MATCH}),
        ({"language": "es-MX\n\n"}, None),
        ({"title": "a\nb"}, {"title": ["Control characters and line breaks are not allowed."]}),
        ({"title": "t" * 256}, {"title": ["Ensure this field has no more than 255 characters."]}),
        ({"body": " "}, {"body": ["This field may not be blank."]}),
        (
            {"body": "b" * 1_000_001},
            {"body": ["Ensure this field has no more than 1000000 characters."]},
        ),
        ({"values": {"a": "b"}}, {"values": ["Values need a template."]}),
        ({"brief_id": str(new_id())}, {"brief_id": ["There is no such brief."]}),
        ({"brief_id": "x"}, {"brief_id": ["Must be a valid UUID."]}),
        ({"status": "approved"}, {"status": UNKNOWN}),
        ({"version": 7}, {"version": UNKNOWN}),
        ({"engine": "me"}, {"engine": UNKNOWN}),
    ],
)
def test_each_wrong_field_is_refused_under_its_own_name(acme, api, changes, errors):
    if errors is None:  # white space around a code is trimmed
        assert api(acme).post(PIECES, WISH | changes)["language"] == "es-MX"
        return
    assert api(acme).post(PIECES, WISH | changes, status=400)["errors"] == errors


def test_what_is_missing_is_told(acme, api):
    client = api(acme)

    nothing = client.post(PIECES, {}, status=400)
    no_body = client.post(PIECES, {"channel": "sms", "language": "en"}, status=400)

    assert nothing["errors"] == {"channel": REQUIRED, "language": REQUIRED}
    assert no_body["errors"] == {"body": ["A piece needs a body or a template."]}


def test_a_piece_from_a_template_keeps_the_text_and_where_it_came_from(acme, api):
    template = made(
        acme, TemplateFactory, kind="email", subject="Hi {{ first_name }}", body="<p>{{ first_name }}</p>"
    )  # fmt: skip
    wish = {
        "channel": "email",
        "language": "en",
        "template_id": str(template.pk),
        "values": {"first_name": "A&B"},
    }

    answer = api(acme).post(PIECES, wish)

    assert (answer["title"], answer["body"]) == ("Hi A&B", "<p>A&amp;B</p>")
    assert answer["template_id"] == str(template.pk)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({}, {"values": {"first_name": ["This variable has neither a value nor a default."]}}),
        ({"values": {"x": "y"}}, {"values": {"x": ["Not declared."]}}),
        (
            {"values": {"first_name": "a"}, "body": "b"},
            {"body": ["Either a body or a template."]},
        ),
        (
            {"values": {"first_name": "a" * 300}},
            {"title": ["The template's subject with these values is too long."]},
        ),
        (
            {"values": {"first_name": " "}},
            {"body": ["The template with these values is empty."]},
        ),
    ],
)
def test_a_template_with_wrong_values_makes_no_piece(acme, api, changes, errors):
    template = made(acme, TemplateFactory, subject="{{ first_name }}", body="{{ first_name }}")
    wish = {"channel": "sms", "language": "en", "template_id": str(template.pk)}

    assert api(acme).post(PIECES, wish | changes, status=400)["errors"] == errors


def test_an_unknown_template_makes_no_piece(acme, globex, api):
    foreign = made(globex, TemplateFactory, body="text")
    for pk in (new_id(), foreign.pk):
        wish = {"channel": "sms", "language": "en", "template_id": str(pk)}
        answer = api(acme).post(PIECES, wish, status=400)
        assert answer["errors"] == {"template_id": ["There is no such template."]}


def test_a_piece_is_made_only_from_an_approved_brief_and_as_it_says(acme, api):
    client = api(acme)
    draft = made(acme, BriefFactory)
    brief = made(acme, BriefFactory, approved=True, channels=["email"], languages=["es-MX"])
    wish = WISH | {"brief_id": str(brief.pk)}

    refused = client.post(PIECES, WISH | {"brief_id": str(draft.pk)}, status=409)
    outside = client.post(PIECES, wish | {"channel": "sms", "language": "en"}, status=400)
    made_of = client.post(PIECES, wish)

    assert (refused["code"], refused["detail"]) == (
        "brief_not_approved",
        "The brief is not approved.",
    )
    assert outside["errors"] == {
        "channel": ["The brief does not name this."],
        "language": ["The brief does not name this."],
    }
    assert made_of["brief_id"] == str(brief.pk)
    moved = client.patch(f"{PIECES}/{made_of['id']}", {"language": "en"}, status=400)
    assert moved["errors"] == {"language": ["The brief does not name this."]}


def test_each_change_makes_the_next_version_and_no_change_makes_none(acme, api):
    client = api(acme)
    path = f"{PIECES}/{client.post(PIECES, WISH)['id']}"

    second = client.patch(path, {"body": "two", "version": 1})
    same = client.patch(path, {"body": "two"})
    stale = client.patch(path, {"body": "three", "version": 1}, status=409)
    third = client.patch(path, {"title": "", "version": 2})

    assert (second["version"], second["body"]) == (2, "two")
    assert same == second
    assert (stale["code"], stale["version"]) == ("piece_changed", 2)
    assert (third["version"], third["title"]) == (3, "")
    assert client.get(path) == third


@pytest.mark.parametrize("field", ["brief_id", "template_id", "status", "values", "engine"])
def test_a_patch_refuses_what_cannot_change(acme, api, field):
    row = made(acme, PieceFactory)

    answer = api(acme).patch(f"{PIECES}/{row.pk}", {field: "x"}, status=400)

    assert answer["errors"] == {field: UNKNOWN}


def test_an_approved_piece_neither_changes_nor_goes(acme, api):
    client = api(acme)
    row = made(acme, PieceFactory)

    approved = client.post(f"{PIECES}/{row.pk}/approve", status=200)
    changed = client.patch(f"{PIECES}/{row.pk}", {"body": "x"}, status=409)
    deleted = client.delete(f"{PIECES}/{row.pk}", status=409)
    client.post(f"{PIECES}/{row.pk}/reopen", status=200)
    client.delete(f"{PIECES}/{row.pk}")

    assert (approved["status"], approved["approved_by_id"]) == (
        "approved",
        str(client.member.person_id),
    )
    assert changed["code"] == deleted["code"] == "content_not_draft"
    client.get(f"{PIECES}/{row.pk}", status=404)


def test_a_batch_answers_for_each_piece(acme, api):
    answer = api(acme).post(f"{PIECES}/batch", {"items": [WISH, {}]}, status=207)

    assert [each["status"] for each in answer["results"]] == [201, 400]

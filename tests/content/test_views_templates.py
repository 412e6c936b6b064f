import pytest

from apps.content.models import Template
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.content.asking import REQUIRED, TEMPLATES, UNKNOWN, made, rfc3339
from tests.factories_campaigns import PieceFactory, TemplateFactory

WISH = {
    "name": "Welcome",
    "kind": "email",
    "subject": "Hello {{ first_name }}",
    "body": '<p>Dear {{ first_name|default:"friend" }}, <a href="{{ link }}">look</a></p>',
    "variables": ["first_name", "link"],
}
UNSAFE = "The variable “{}” stands where its value could be run: use it in text or in a quoted attribute."


def undeclared(name):
    return f"The variable “{name}” is not declared."


def test_a_new_template_is_kept_as_it_was_written(acme, api):
    client = api(acme)

    answer = client.post(TEMPLATES, WISH)

    with tenant_context(acme):
        row = Template.objects.get()
    assert answer == WISH | {
        "id": str(row.pk),
        "created_by_id": str(client.member.person_id),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.created_at),
    }
    assert client.get(f"{TEMPLATES}/{row.pk}") == answer


@pytest.mark.parametrize("kind", ["text", "email", "social", "landing_page"])
def test_every_kind_is_taken_and_a_text_without_variables_declares_none(acme, api, kind):
    wish = {"name": "n", "kind": kind, "subject": "s", "body": " plain\n"}

    answer = api(acme).post(TEMPLATES, wish)

    assert answer["variables"] == []
    assert answer["body"] == " plain\n"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"variables": ["first_name"]}, {"body": [undeclared("link")]}),
        (
            {"variables": []},
            {
                "subject": [undeclared("first_name")],
                "body": [undeclared("first_name"), undeclared("link")],
            },
        ),
        ({"variables": ["First_name", "link"]}, None),
        (
            {"body": "{{ settings.SECRET_KEY }}"},
            {
                "body": [
                    'Line 1: only {{ variable }} and {{ variable|default:"text" }} are known, '
                    "not {{ settings.SECRET_KEY }}"
                ]
            },
        ),
        (
            {"body": "a\n{% load x %}"},
            {
                "body": [
                    'Line 2: only {{ variable }} and {{ variable|default:"text" }} are known, '
                    "not {% load x %}"
                ]
            },
        ),
        ({"body": "{{ link }}" * 501}, {"body": ["Too large: the limit is 500."]}),
        ({"body": "<script>{{ link }}</script>"}, {"body": [UNSAFE.format("link")]}),
        ({"body": "<p onclick='{{ link }}'>"}, {"body": [UNSAFE.format("link")]}),
        (
            {"body": '<a href="{{ link|default:"javascript:x" }}">'},
            {"body": [UNSAFE.format("link")]},
        ),
        ({"subject": ""}, {"subject": ["An e-mail needs a subject."]}),
        (
            {"subject": "a\nBcc: b"},
            {"subject": ["Control characters and line breaks are not allowed."]},
        ),
        (
            {"subject": "s" * 256},
            {"subject": ["Ensure this field has no more than 255 characters."]},
        ),
        ({"body": ""}, {"body": ["This field may not be blank."]}),
        ({"body": 5}, {"body": ["Not a valid string."]}),
        (
            {"body": "b" * 100_001},
            {"body": ["Ensure this field has no more than 100000 characters."]},
        ),
        ({"body": "\x00"}, {"body": ["Null characters are not allowed."]}),
        ({"kind": "fax"}, {"kind": ['"fax" is not a valid choice.']}),
        ({"name": " "}, {"name": ["This field may not be blank."]}),
        ({"name": "n" * 201}, {"name": ["Ensure this field has no more than 200 characters."]}),
        ({"variables": "link"}, {"variables": ['Expected a list of items but got type "str".']}),
        (
            {"variables": ["a.b"]},
            {"variables": {"0": ["This value does not match the required pattern."]}},
        ),
        (
            {"variables": ["a\n"]},
            None,
        ),
        (
            {"variables": ["n" * 41]},
            {"variables": {"0": ["This value does not match the required pattern."]}},
        ),
        (
            {"variables": ["v"] * 101},
            {"variables": ["Ensure this field has no more than 100 elements."]},
        ),
        ({"id": str(new_id()), "engine": "x"}, {"id": UNKNOWN, "engine": UNKNOWN}),
    ],
)
def test_each_wrong_field_is_refused_under_its_own_name(acme, api, changes, errors):
    answer = api(acme).post(TEMPLATES, WISH | changes, status=400)

    assert answer["code"] == "validation_failed"
    if errors is not None:
        assert answer["errors"] == errors
    with tenant_context(acme):
        assert Template.objects.count() == 0


def test_what_is_missing_is_told_all_at_once(acme, api):
    answer = api(acme).post(TEMPLATES, {}, status=400)

    assert answer["errors"] == {"name": REQUIRED, "kind": REQUIRED, "body": REQUIRED}


def test_a_preview_puts_the_values_in_place_escaped_and_names_what_is_missing(acme, api):
    client = api(acme)
    path = f"{TEMPLATES}/{client.post(TEMPLATES, WISH)['id']}/preview"
    values = {"first_name": "<Ana> & co\r\nBcc: x"}

    some = client.post(path, {"values": values}, status=200)
    none = client.post(path, status=200)

    assert some == {
        "subject": "Hello <Ana> & co  Bcc: x",
        "body": '<p>Dear &lt;Ana&gt; &amp; co\r\nBcc: x, <a href="{{ link }}">look</a></p>',
        "missing": ["link"],
    }
    assert none == {
        "subject": "Hello {{ first_name }}",
        "body": '<p>Dear friend, <a href="{{ link }}">look</a></p>',
        "missing": ["first_name", "link"],
    }


@pytest.mark.parametrize("kind", ["text", "social"])
def test_a_preview_of_plain_text_is_not_escaped(acme, api, kind):
    row = made(acme, TemplateFactory, kind=kind)

    answer = api(acme).post(
        f"{TEMPLATES}/{row.pk}/preview", {"values": {"first_name": "O'Neil & <co>"}}, status=200
    )

    assert answer == {"subject": "", "body": "Hello O'Neil & <co>", "missing": []}


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"colour": "red", "link": "/"}, {"colour": ["Not declared."]}),
        ({"link": "javascript:alert(1)"}, {"link": ["An address of http, https, mailto or tel."]}),
        ({"first_name": 5}, {"first_name": ["Not a valid string."]}),
        ({"first_name": None}, {"first_name": ["This field may not be null."]}),
        (
            {"first_name": "v" * 2001},
            {"first_name": ["Ensure this field has no more than 2000 characters."]},
        ),
        (["first_name"], ['Expected a dictionary of items but got type "list".']),
    ],
)
def test_a_preview_refuses_wrong_values_by_name(acme, api, values, errors):
    client = api(acme)
    path = f"{TEMPLATES}/{client.post(TEMPLATES, WISH)['id']}/preview"

    answer = client.post(path, {"values": values}, status=400)

    assert answer["errors"] == {"values": errors}


def test_a_preview_that_grows_too_large_is_refused(acme, api):
    row = made(acme, TemplateFactory, body="{{ first_name }}" * 500)

    answer = api(acme).post(
        f"{TEMPLATES}/{row.pk}/preview", {"values": {"first_name": "v" * 2000}}, status=400
    )

    assert answer["errors"] == {"body": ["Too large: the limit is 500000."]}


def test_a_change_is_checked_against_what_stays(acme, api):
    client = api(acme)
    path = f"{TEMPLATES}/{client.post(TEMPLATES, WISH)['id']}"

    refused = client.patch(path, {"variables": ["first_name"]}, status=400)
    changed = client.patch(path, {"variables": ["first_name"], "body": "Dear {{ first_name }}"})

    assert refused["errors"] == {"body": [undeclared("link")]}
    assert changed["body"] == "Dear {{ first_name }}"
    assert client.get(path) == changed


def test_a_plain_template_cannot_become_html_where_it_would_be_unsafe(acme, api):
    row = made(acme, TemplateFactory, body="<script>{{ first_name }}</script>")

    answer = api(acme).patch(f"{TEMPLATES}/{row.pk}", {"kind": "landing_page"}, status=400)

    assert answer["errors"] == {"body": [UNSAFE.format("first_name")]}


def test_a_deleted_template_leaves_its_pieces(acme, api):
    row = made(acme, TemplateFactory)
    piece = made(acme, PieceFactory, template=row)
    client = api(acme)

    client.delete(f"{TEMPLATES}/{row.pk}")

    client.get(f"{TEMPLATES}/{row.pk}", status=404)
    client.delete(f"{TEMPLATES}/{row.pk}", status=404)
    assert client.get(f"/api/v1/pieces/{piece.pk}")["template_id"] is None


def test_a_batch_answers_for_each_template(acme, api):
    items = [WISH, WISH | {"variables": []}]

    answer = api(acme).post(f"{TEMPLATES}/batch", {"items": items}, status=207)

    assert [each["status"] for each in answer["results"]] == [201, 400]

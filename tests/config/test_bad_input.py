"""What a client sends by mistake or on purpose is answered with its own mistake, never with a 500."""

import json
import threading
from base64 import b64encode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client, RequestFactory

from config import context
from config.api import run_batch
from config.models import KeptAnswer
from config.wsgi import application
from tenants.isolation import owner_context
from tests.client import Api
from tests.owner import owners_cursor
from tests.portal.browser import signed_in

# The web server's entry says that this process serves tenants; here it is a test's, at the square.
context._serving = False
KELVIN = "\u212a"
DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/contacts/batch", r'{"items": [{"first_name": "a", "phone_region": "\ud800"}]}'),
        ("/api/v1/contacts", r'{"\ud800": 1}'),
        ("/api/v1/templates", r'{"kind": "\ud800"}'),
        ("/api/v1/campaigns", r'{"type": "\ud800"}'),
    ],
)
def test_half_of_a_surrogate_pair_is_not_read(acme, api, path, body):
    answer = api(acme).client.post(path, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_failed")


@pytest.mark.django_db
def test_a_whole_surrogate_pair_is_a_character(acme, api):
    body = r'{"first_name": "\ud83d\ude00", "email": "smile@example.test"}'
    answer = api(acme).client.post("/api/v1/contacts", body, content_type="application/json")

    assert (answer.status_code, answer.json()["first_name"]) == (201, "\U0001f600")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=" + "9" * 5_000, "limit"),
        ("cursor=cD1nYXJiYWdl&ordering=created_at", "cursor"),
        ("cursor=" + b64encode(b"p=").decode() + "&ordering=created_at", "cursor"),
        (
            "cursor=" + b64encode(b"p=0001-01-01 00:00:00+23:59").decode() + "&ordering=created_at",
            "cursor",
        ),
        ("created_at__gte=0001-01-01T00:00:00%2B23:59", "created_at__gte"),
        ("created_at__lte=9999-12-31T23:59:59-23:59", "created_at__lte"),
    ],
)
@pytest.mark.parametrize("noun", ["contacts", "campaigns", "briefs"])
def test_a_list_refuses_what_it_cannot_be_asked(acme, api, noun, query, field):
    problem = api(acme).get(f"/api/v1/{noun}?{query}", status=400)

    assert (problem["code"], list(problem["errors"])) == ("validation_failed", [field])


@pytest.mark.django_db
def test_a_flag_is_true_or_false(acme, api):
    client = api(acme)
    client.post("/api/v1/contacts", {"email": "ada@example.test"})
    shown = {
        flag: len(client.get(f"/api/v1/contacts?archived={flag}")["results"])
        for flag in ("", "true", "false", "1", "0")
    }
    problem = client.get("/api/v1/contacts?archived=x", status=400)

    assert shown == {"": 1, "true": 0, "false": 1, "1": 0, "0": 1}
    assert list(problem["errors"]) == ["archived"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("noun", "code"), [("tags", "tag_exists"), ("companies", "company_exists")]
)
def test_a_name_that_differs_in_case_alone_is_taken_whatever_its_letters(acme, api, noun, code):
    client = api(acme)
    first = client.post(f"/api/v1/{noun}", {"name": "k"})
    problem = client.post(f"/api/v1/{noun}", {"name": KELVIN}, status=409)

    assert (problem["code"], problem["id"]) == (code, first["id"])


@pytest.mark.django_db
def test_a_cookie_that_is_no_session_key_is_no_session(acme):
    client = Api.anonymous(acme).client
    client.cookies.load(f'{settings.SESSION_COOKIE_NAME}="aaaaaaaaaaa\\000"')

    assert client.get("/login").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["application/json; charset=zlib", "text/html; charset*=zlop''x"])
def test_a_charset_that_is_no_text_is_overlooked(acme, kind):
    said = []
    environ = RequestFactory().generic("GET", "/api/v1/contacts?search=%41").environ
    environ |= {"CONTENT_TYPE": kind, "HTTP_HOST": f"acme.{settings.PLAZA_DOMAIN}"}
    body = b"".join(application(environ, lambda status, _: said.append(status)))

    assert (said, json.loads(body)["code"]) == (["401 Unauthorized"], "credentials_missing")


@pytest.mark.django_db
@pytest.mark.parametrize("times", [1, 2])
def test_an_item_that_gave_way_to_another_writer_is_tried_again(db, times):
    calls = []

    def handle(item):
        calls.append(item)
        with connection.cursor() as cursor:
            if len(calls) <= times:
                cursor.execute(DEADLOCK)
        return 201, item

    with owner_context():  # whose alone plpgsql is
        answer = run_batch({"items": ["a"]}, handle)

    assert answer.data == {"results": [{"index": 0, "status": 201, "id": "a"}]}
    assert len(calls) == times + 1


@pytest.mark.django_db
def test_a_batch_with_an_item_that_failed_through_us_is_undone_and_not_kept(acme, api):
    client = api(acme)
    body = {"items": [{"first_name": "a"}, {"first_name": "unlucky"}]}
    with owners_cursor(acme) as cursor:
        cursor.execute(
            "CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER give_way BEFORE INSERT ON crm_contact FOR EACH ROW"
            " WHEN (NEW.first_name = 'unlucky') EXECUTE FUNCTION give_way()"
        )
    problem = client.post("/api/v1/contacts/batch", body, status=503, Idempotency_Key="k-1")
    left = (client.get("/api/v1/contacts")["results"], KeptAnswer.objects.count())
    with owners_cursor(acme) as cursor:
        cursor.execute("DROP TRIGGER give_way ON crm_contact")
    again = client.post("/api/v1/contacts/batch", body, status=207, Idempotency_Key="k-1")

    assert (problem["code"], left) == ("service_unavailable", ([], 0))
    assert [result["status"] for result in again["results"]] == [201, 201]


@pytest.mark.django_db(transaction=True)
def test_upserts_of_one_new_key_at_once_make_one_contact(acme, api):
    clients = [api(acme) for _ in range(8)]
    barrier = threading.Barrier(len(clients))
    statuses = []

    def send(client):
        try:
            barrier.wait()
            body = {"items": [{"email": "ada@example.test", "first_name": "Ada"}]}
            answer = client.post("/api/v1/contacts/batch?key=email", body, status=207)
            statuses.append(answer["results"][0]["status"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 7 + [201]


@pytest.mark.django_db
def test_answers_that_hold_secrets_are_stored_nowhere_on_the_way(acme, api):
    client = api(acme)
    wish = {"name": "ci", "scopes": ["read"]}
    seen = []
    for _ in range(2):
        client.post("/api/v1/api-keys", wish, Idempotency_Key="k-1")
        seen.append(client.last["Cache-Control"])

    assert seen == ["no-store", "no-store"]


@pytest.mark.django_db
def test_the_description_kept_for_all_takes_nothing_from_the_query(acme):
    client = Api.anonymous(acme)
    asked = client.get("/openapi.json?version=evil&lang=es")

    assert asked == client.get("/openapi.json")
    assert asked["info"]["version"] == "1.0.0"


@pytest.mark.django_db
def test_the_square_reads_no_half_of_a_surrogate_pair_either():
    client = Client(headers={"Host": settings.PLAZA_DOMAIN})
    answer = client.post("/api/v1/signup", r'{"plan": "\ud800"}', content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_failed")


@pytest.mark.django_db
def test_the_page_of_contacts_refuses_a_made_up_cursor(acme):
    signed_in(acme).get("/contacts?cursor=cD1nYXJiYWdl", status=400)

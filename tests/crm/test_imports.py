"""Ordinary files: what comes in, what is merged, what is refused row by row."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from apps.crm.models import Contact, Import
from tenants.isolation import tenant_context
from tests.crm.files import text_file, workbook
from tests.factories import ContactFactory
from tests.owner import owners_cursor

pytestmark = pytest.mark.django_db
IMPORTS = "/api/v1/imports"
ADA = {"email": "ada@x.test", "first_name": "Ada", "last_name": "Byron"}


def imported(client, tenant, work, file, **fields) -> Import:
    return work(tenant, client.upload(IMPORTS, {"file": file, **fields})["id"])


def people(tenant) -> list[dict]:
    with tenant_context(tenant):
        return [
            {name: value for name, value in row.items() if value}
            for row in Contact.objects.order_by("email").values("email", "first_name", "last_name")
        ]


@pytest.mark.parametrize(
    "file",
    [
        text_file("email,first_name,last_name\nAda@x.test,Ada,Byron\n"),
        text_file("\ufeffCorreo electrónico;Nombre;Apellidos\r\nada@x.test;Ada;Byron\r\n"),
        text_file("E-mail\tNombre\tApellido\nada@x.test\tAda\tByron"),
        text_file('"email", "name"\n"ada@x.test", "Ada Byron"\n'),
        text_file("email|first name|last name\n\n ada@x.test | Ada | Byron \n\n"),
        text_file("email,first_name,last_name\nada@x.test,Ada,Byron\n".encode("utf-16")),
        workbook([["Email", "First name", "Last name"], ["ada@x.test", "Ada", "Byron"]]),
    ],
    ids=["plain", "spanish with mark", "tabs", "quotes", "bars", "utf-16", "xlsx"],
)
def test_a_file_is_understood_as_it_was_written(acme, api, work, file):
    job = imported(api(acme), acme, work, file)
    assert (job.status, job.rows_total, job.rows_done) == ("completed", 1, 1)
    assert people(acme) == [ADA]


def test_latin_1_is_read_as_its_writer_meant_it(acme, api, work):
    file = text_file("email,nombre\nnunez@x.test,Begoña Núñez €\n".encode("cp1252"))
    imported(api(acme), acme, work, file)
    assert people(acme) == [{"email": "nunez@x.test", "first_name": "Begoña Núñez €"}]


def test_every_target_of_a_row_arrives(acme, api, work):
    client = api(acme)
    rows: list[list[Any]] = [
        ["Id", "Mail", "Tel", "Empresa", "Etiquetas", "Puntos", "Fecha", "Total", "Moneda", "Otra"],
        [17, "ada@x.test", 5512345678, "Engines", "vip; maths", 12.0, date(2026, 1, 31), 11.5, "mxn", "x"],
    ]  # fmt: skip
    mapping = (
        '{"Id": "external_id", "mail": "email", "3": "phone", "Empresa": "company",'
        ' "Etiquetas": "tags", "Puntos": "fields.points", "Fecha": "ordered_on",'
        ' "Total": "amount", "Moneda": "currency", "Otra": null}'
    )
    started = client.upload(
        IMPORTS, {"file": workbook(rows), "mapping": mapping, "phone_region": "MX"}
    )
    assert (started["file_format"], started["ignored_columns"]) == ("xlsx", ["Otra"])
    job = work(acme, started["id"])

    assert (job.status, job.orders_created) == ("completed", 1)
    contact = client.get("/api/v1/contacts?external_id=17")["results"][0]
    assert (contact["email"], contact["phone"], contact["company"]) == (
        "ada@x.test", "+525512345678", "Engines",
    )  # fmt: skip
    assert (contact["tags"], contact["fields"]) == (["maths", "vip"], {"points": "12"})
    order = client.get(f"/api/v1/orders?contact={contact['id']}")["results"][0]
    assert (order["ordered_on"], order["amount"]) == (
        "2026-01-31", {"amount": 1_150, "currency": "MXN"},
    )  # fmt: skip


def test_rows_of_one_contact_are_one_contact_and_blank_cells_erase_nothing(acme, api, work):
    with tenant_context(acme):
        known = ContactFactory(email="ada@x.test", first_name="Ada", last_name="", external_id=None)
    job = imported(
        api(acme), acme, work,
        text_file(
            "external_id,email,first_name,last_name\n"
            "1,ADA@x.test,,Byron\n1,,Augusta,\n,ada@x.test,,King\n2,bob@x.test,Bob,\n"
        ),
    )  # fmt: skip

    assert (job.contacts_created, job.contacts_updated, job.rows_done) == (1, 1, 4)
    with tenant_context(acme):
        known.refresh_from_db()
        assert (known.external_id, known.first_name, known.last_name) == ("1", "Augusta", "King")


def test_refused_rows_are_told_apart_and_given_back_to_be_mended(acme, api, work):
    with tenant_context(acme):
        ContactFactory(email="taken@x.test", external_id="9")
        ContactFactory(email="other@x.test", external_id="8")
    client = api(acme)
    text = (
        "email,id,phone,first_name\n"
        "good@x.test,1,+34600000000,Ana\n"
        "not-an-address,2,12,Bea\n"
        ",,,Nobody\n"
        "too@many.test,3,,Cells,here\n"
        "taken@x.test,8,,=cmd()\n"
        "taken@x.test,7,,-2+3\n"
    )
    job = imported(client, acme, work, text_file(text))

    assert (job.status, job.rows_done, job.rows_failed) == ("completed_with_errors", 1, 5)
    answer = client.get(f"{IMPORTS}/{job.pk}", status=200)
    assert answer["errors_url"].endswith(f"{IMPORTS}/{job.pk}/errors")
    written = client.get(f"{IMPORTS}/{job.pk}/errors", Accept="text/csv").decode()
    rows = list(csv.reader(io.StringIO(written)))
    assert rows[0] == ["row", "reasons", "email", "id", "phone", "first_name"]
    assert [(row[0], row[1]) for row in rows[1:]] == [
        ("3", "email: This is not an e-mail address.; phone: Write it with + and the country code, or name a region."),
        ("4", "Neither an e-mail address nor an external id."),
        ("5", "More cells than columns."),
        ("6", "The e-mail address belongs to another contact."),
        ("7", "The e-mail address belongs to a contact with another external id."),
    ]  # fmt: skip
    assert [row[5] for row in rows[4:]] == ["'=cmd()", "'-2+3"]

    mended = (
        written.replace("taken@x.test", "free@x.test").replace("8,,", "5,,").replace("7,,", "5,,")
    )
    again = imported(client, acme, work, text_file(mended))
    assert (again.rows_done, again.rows_failed) == (2, 3)
    assert client.get("/api/v1/contacts?email=free@x.test")["results"][0]["first_name"] == "-2+3"


def test_purchases_of_ordinary_files_are_numbered_where_they_are_equal(acme, api, work):
    client = api(acme)
    text = "email,date,total\na@x.test,2026-01-31,10\na@x.test,2026-01-31,10.00\nb@x.test,20260131,10\n"
    first = imported(client, acme, work, text_file(text))
    again = imported(client, acme, work, text_file(text))
    assert (first.orders_created, again.orders_created) == (3, 0)
    orders = client.get("/api/v1/orders")["results"]
    assert [(row["amount"]["amount"], row["ordered_on"]) for row in orders] == [
        (1_000, date(2026, 1, 31).isoformat())
    ] * 3


def test_a_purchase_with_a_number_of_its_own_comes_once(acme, api, work):
    client = api(acme)
    text = "email,order_id,date,total\na@x.test,A1,2026-01-31,10\na@x.test,A1,2026-01-31,10\na@x.test,A2,2026-01-31,10\n"
    assert imported(client, acme, work, text_file(text)).orders_created == 2


def test_an_address_that_one_contact_gives_up_may_be_taken_in_the_same_batch(acme, api, work):
    with tenant_context(acme):
        ContactFactory(email="a@x.test", external_id="1")
        ContactFactory(email="b@x.test", external_id="2")
    text = "email,external_id\nc@x.test,1\na@x.test,2\nb@x.test,3\n"
    job = imported(api(acme), acme, work, text_file(text))
    assert (job.status, job.contacts_created, job.contacts_updated) == ("completed", 1, 2)
    with tenant_context(acme):
        found = dict(Contact.objects.values_list("external_id", "email"))
    assert found == {"1": "c@x.test", "2": "a@x.test", "3": "b@x.test"}


def test_a_row_that_the_database_refuses_is_found_and_the_rest_comes_in(acme, api, work):
    """As when somebody else takes an address between the batch's look and its write, again and again."""
    with owners_cursor(acme) as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.email = 'poison@x.test' THEN"
            " RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation'; END IF;"
            " RETURN NEW; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON crm_contact"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    rows = [f"n{number}@x.test" for number in range(150)]
    rows.insert(103, "poison@x.test")
    job = imported(api(acme), acme, work, text_file("\n".join(["email", *rows])))

    assert (job.status, job.rows_done, job.rows_failed) == ("completed_with_errors", 150, 1)
    with tenant_context(acme):
        assert Contact.objects.count() == 150
        assert list(job.row_errors.values_list("row_number", flat=True)) == [105]

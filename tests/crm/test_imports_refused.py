"""Files and mappings that are refused before anything starts, in clear words."""

import zipfile
from io import BytesIO

import pytest

from tests.crm.files import text_file, workbook

pytestmark = pytest.mark.django_db
IMPORTS = "/api/v1/imports"


FIVE = "email\n" + "".join(f"p{number}@x.test\n" for number in range(5))


def bomb() -> BytesIO:
    file = workbook([["email"], ["a@x.test"]])
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(600 << 20))
    file.seek(0)
    return file


def with_entities() -> BytesIO:
    file = BytesIO()
    with (
        zipfile.ZipFile(workbook([["email"], ["a@x.test"]])) as good,
        zipfile.ZipFile(file, "w") as bad,
    ):
        for name in good.namelist():
            text = good.read(name)
            if name.endswith("sheet1.xml"):
                text = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + text
            bad.writestr(name, text)
    file.seek(0)
    file.name = "entities.xlsx"
    return file


@pytest.mark.parametrize(
    ("file", "field", "words"),
    [
        (text_file(""), "file", "empty"),
        (text_file("  \n \n"), "file", "empty"),
        (text_file("email\n"), "file", "no rows below"),
        (text_file("colour,size\nred,5\n"), "file", "No column tells contacts apart"),
        (text_file("email\nnobody\nno one\n"), "file", "No row can be imported. Row 2: email"),
        (text_file('email,name\n"a@x.test,Ada\nb@x.test,Bob\n'), "file", "cannot be read"),
        (text_file(bytes(range(256)) * 40), "file", "neither a text file nor"),
        (text_file(b"\xd0\xcf\x11\xe0" + bytes(100), "old.xls"), "file", "old Excel"),
        (text_file(b"PK\x03\x04 not really", "x.xlsx"), "file", "cannot be read"),
        (bomb(), "file", "unpacks to too much"),
        (with_entities(), "file", "cannot be read"),
        (text_file("date,total\n2026-01-01,5\n"), "file", "No column tells contacts apart"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_imported_is_refused_in_clear_words(acme, api, file, field, words):
    client = api(acme)
    refused = client.upload(IMPORTS, {"file": file}, status=400)
    assert refused["code"] == "validation_failed"
    assert words in refused["errors"][field][0]
    assert client.get(IMPORTS)["results"] == []


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ('{"Mail": "email"}', "no column “Mail”"),
        ('{"a": "nonsense"}', "nothing to map to"),
        ('{"a": "email", "b": "email"}', "Two columns"),
        ('{"a": "email", "b": "amount"}', "Orders need both"),
        ("[]", "An object"),
        ("{", "valid JSON"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(acme, api, mapping, words):
    fields = {"file": text_file("a,b\nx@x.test,y@x.test\n"), "mapping": mapping}
    refused = api(acme).upload(IMPORTS, fields, status=400)
    assert words in refused["errors"]["mapping"][0]


def test_a_file_beyond_the_size_limit_is_refused_by_its_length(acme, api, settings):
    settings.PLAZA_UPLOAD_LIMIT_BYTES = 10
    refused = api(acme).upload(IMPORTS, {"file": text_file(FIVE)}, status=413)
    assert (refused["code"], refused["limit_bytes"]) == ("payload_too_large", 10)
    settings.PLAZA_UPLOAD_LIMIT_BYTES = -(1 << 20)
    assert api(acme).upload(IMPORTS, {"file": text_file(FIVE)}, status=413)["code"]

"""A file of another kind is called by its name."""

import gzip
import io
import zipfile

import pytest

from apps.crm.services.imports.files import open_table
from config.errors import ValidationFailed
from tests.crm.files import text_file, workbook

CSV = "email\nada@x.test\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def refusal(data: bytes | str, name: str) -> str:
    with pytest.raises(ValidationFailed) as refused:
        open_table(text_file(data), name=name)
    return str(refused.value.facts["errors"]["file"][0])


@pytest.mark.parametrize("name", ["contacts.csv", "contacts.xlsx", ""])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.4\n1 0 obj\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "an image"),
        (b"\xff\xd8\xff\xe0" + bytes(9), "an image"),
        (b"GIF89a" + bytes(9), "an image"),
        (gzip.compress(CSV.encode(), mtime=0), "a compressed file (gzip)"),
        (zipped(), "a ZIP archive"),
        (zipped("contacts.csv"), "a ZIP archive"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a Word document"),
        (zipped("[Content_Types].xml", "ppt/slides.xml"), "a PowerPoint presentation"),
        (zipped("mimetype", "content.xml"), "an OpenDocument file"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(data, kind, name):
    assert refusal(data, name) == f"This is {kind}, not a CSV or XLSX file."


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (OLE, "old.xls", "This is an old Excel file (.xls)."),
        (OLE, "new.XLSX", "This workbook is protected by a password."),
        (CSV, "new.XLSX", "This is a text file named .xlsx."),
        ("hello\n", "new.xlsx", "This is a text file named .xlsx."),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "new.xlsx", "The workbook cannot"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_in_clear_words(data, name, words):
    assert refusal(data, name).startswith(words)


@pytest.mark.parametrize("name", ["contacts.csv", "contacts", "CONTACTS.TXT", "export.xls"])
def test_text_by_any_other_name_is_read(name):
    assert open_table(text_file(CSV), name=name).sample == [["email"], ["ada@x.test"]]


def test_a_workbook_is_read_whatever_its_name():
    assert open_table(workbook([["email"]]), name="contacts.csv").sample == [["email"]]


@pytest.mark.django_db
def test_an_upload_is_told_what_its_file_is(acme, api):
    file = text_file(b"%PDF-1.4\n", "contacts.xlsx")
    refused = api(acme).upload("/api/v1/imports", {"file": file}, status=400)
    assert refused["errors"] == {"file": ["This is a PDF, not a CSV or XLSX file."]}
    named = text_file(CSV, "contacts.xlsx")
    refused = api(acme).upload("/api/v1/imports", {"file": named}, status=400)
    assert refused["errors"]["file"][0].startswith("This is a text file named .xlsx.")

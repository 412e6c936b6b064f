"""Files of a few kilobytes that would take minutes or gigabytes are refused at once."""

import io
import time
import zipfile

import pytest

from apps.crm.services.imports import zip_bombs
from apps.crm.services.imports.columns import plan_of
from apps.crm.services.imports.files import open_table
from apps.crm.services.imports.watched_sheets import MAX_CELLS_IN_ROW as MAX_CELLS
from config.errors import ValidationFailed
from tests.crm.files import text_file, workbook

MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHARED = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def rebuilt(changes: dict[str, bytes], declare: str = "") -> io.BytesIO:
    """A good workbook with some parts replaced or added, and one more declared content type."""
    good = workbook([["email"], ["ada@x.test"]])
    made = io.BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            body = changes.pop(name, source.read(name))
            if name == "[Content_Types].xml" and declare:
                body = body.replace(b"</Types>", declare.encode() + b"</Types>")
            out.writestr(name, body)
        for name, body in changes.items():
            out.writestr(name, body)
    made.seek(0)
    made.name = "bomb.xlsx"
    return made


def sheet(rows: bytes) -> bytes:
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (MAIN, rows)


def wide_row(cells: int) -> bytes:
    return sheet(b"<row>" + b"<c/>" * cells + b"</row>")


def refusal(file: io.BytesIO) -> str:
    started = time.perf_counter()
    with pytest.raises(ValidationFailed) as refused:
        open_table(file)
    assert time.perf_counter() - started < 2
    return str(refused.value.facts["errors"]["file"][0])


@pytest.mark.parametrize(
    "file",
    [
        rebuilt({"xl/styles.xml": b"<a/>" * (zip_bombs.MAX_OTHER_PART_BYTES // 4 + 1)}),
        rebuilt({"xl/worksheets/sheet1.xml": wide_row(MAX_CELLS + 1)}),
        rebuilt(
            {"xl/worksheets/ss.xml": b" " * (zip_bombs.MAX_SHARED_STRINGS_BYTES + 1)},
            f'<Override PartName="/xl/worksheets/ss.xml" ContentType="{SHARED}"/>',
        ),
    ],
    ids=["styles", "one wide row", "shared strings by another name"],
)
def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_read(file):
    assert refusal(file) == "The workbook unpacks to too much; send it as CSV."


def test_the_widest_row_that_the_format_knows_is_counted_anew_in_each_row():
    rows = b"<row>" + b"<c/>" * 9_000 + b"</row>"
    sheet = b"<worksheet><sheetData>" + rows * 3 + b"</sheetData></worksheet>"

    zip_bombs.refuse_bomb(rebuilt({"xl/worksheets/sheet1.xml": sheet}))


def test_a_header_of_many_at_signs_costs_no_time():
    started = time.perf_counter()
    plan = plan_of(open_table(text_file("@" * 30_000 + " b,email\nzz,ada@x.test\n")))

    assert plan.targets[1] == "email"
    assert time.perf_counter() - started < 0.5

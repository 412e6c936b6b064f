"""Files to upload."""

import io
from typing import Any

import openpyxl


def text_file(text: str | bytes, name: str = "contacts.csv") -> io.BytesIO:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    file.name = name
    return file


def workbook(rows: list[list[Any]], name: str = "contacts.xlsx") -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    file.name = name
    return file

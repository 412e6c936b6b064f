"""Workbooks that unpack to more than a person's file would, refused by how they are read.

What openpyxl reads whole is bounded in bytes and elements; what it streams is watched as it passes.
No part's name or declared type is trusted: openpyxl goes by some of them and not by others.
"""

import zipfile
from typing import BinaryIO, cast

from apps.crm.services.imports.safe_xml import (
    MAIN,
    MAX_CELL_CHARACTERS,
    MAX_DEPTH,
    safe_parser,
    too_much,
)
from apps.crm.services.imports.watched_sheets import WatchedSheet

MAX_MEMBERS = 2_000
MAX_DIRECTORY_BYTES = 1 << 20
MAX_UNPACKED_BYTES = 512 << 20
MAX_SHARED_STRINGS_BYTES = 64 << 20
MAX_SHARED_STRINGS = 2_000_000
# Styles, relationships and so on become objects of openpyxl, a kilobyte for each element.
MAX_OTHER_PART_BYTES = 4 << 20
MAX_OTHER_PART_ELEMENTS = 100_000
_STRING, _RUN, _TEXT = (MAIN + tag for tag in ("si", "r", "t"))
_CHUNK = 1 << 16


def refuse_bomb(file: BinaryIO) -> int:
    """The unpacked bytes of a workbook whose directory is no bomb's. Raises ValidationFailed, BadZipFile."""
    file.seek(0)
    # ZipFile makes an object for each entry, before anybody could count them.
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]  # noqa: SLF001
        raise too_much()
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    # Python reads no more of a member than its header states, so the stated sizes bind.
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
        raise too_much()
    if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
        raise zipfile.BadZipFile("A part is neither stored nor deflated.")
    return unpacked


class BoundedArchive(zipfile.ZipFile):
    """A workbook's parts, of which none is read whole that is larger than a person's."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """The part. Raises ValidationFailed beyond MAX_OTHER_PART_BYTES and _ELEMENTS, KeyError."""
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if part.file_size > MAX_OTHER_PART_BYTES:
            raise too_much()
        body = super().read(part, pwd)
        _refuse_many_elements(body)
        return body

    def sheet(self, name: str, most_bytes: int | None = None) -> WatchedSheet:
        """The worksheet as a stream that refuses what no worksheet holds, and ends after `most_bytes`."""
        return WatchedSheet(cast("BinaryIO", self.open(name)), most_bytes)

    def shared_strings(self, name: str) -> list[str]:
        """The texts that cells name by number. Raises ValidationFailed, ExpatError, KeyError."""
        if self.getinfo(name).file_size > MAX_SHARED_STRINGS_BYTES:
            raise too_much()
        reader = _StringReader()
        with self.open(name) as part:
            while chunk := part.read(_CHUNK):
                reader.parser.Parse(chunk)
        reader.parser.Parse(b"", True)
        return reader.strings


class _StringReader:
    """The texts of a shared strings part: plain, or runs of formatted text; no phonetic guides."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._path: list[str] = []
        self._texts: list[str] = []
        self._characters = self._elements = 0
        self.parser = safe_parser()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._elements += 1
        if len(self._path) > MAX_DEPTH or self._elements > 4 * MAX_SHARED_STRINGS:
            raise too_much()

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == _STRING:
            # As openpyxl does: Excel escapes the underscore of what looks like an escape.
            self.strings.append("".join(self._texts).replace("x005F_", ""))
            self._texts, self._characters = [], 0
            if len(self.strings) > MAX_SHARED_STRINGS:
                raise too_much()

    def _text(self, text: str) -> None:
        if self._path[-1] != _TEXT or self._path[-2:-1] not in ([_STRING], [_RUN]):
            return
        self._characters += len(text)
        if self._characters > MAX_CELL_CHARACTERS:
            raise too_much()
        self._texts.append(text)


def _refuse_many_elements(body: bytes) -> None:
    elements = depth = 0

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal elements, depth
        elements += 1
        depth += 1
        if elements > MAX_OTHER_PART_ELEMENTS or depth > MAX_DEPTH:
            raise too_much()

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = safe_parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(body, True)

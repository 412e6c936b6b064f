"""The manifest of an archive: what it holds, with sizes, row counts and checksums, under a seal.

Read strictly: whatever is not as written here is refused, since an archive may be of anybody's making.
"""

import hashlib
import hmac
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from tenants.archives.refusals import ArchiveInvalid, ArchiveVersionUnknown

FORMAT = 1
NAME = "manifest.json"
SCHEMA = "schema.sql"
MEMBERS = "members.csv"
TABLES, PUBLIC, FILES = "tables/", "public/", "files/"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MOST_ENTRIES = 200_000
_LONGEST_NAME = 400
_LONGEST_STEP = 255  # bytes, of most file systems


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of the archive. `rows` and `columns` are a table's; a file has none."""

    size: int
    sha256: str
    rows: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive says of itself. `made_at` is RFC 3339 UTC, `release` the code's fingerprint."""

    tenant_id: UUID
    slug: str
    organisation: str
    locale: str
    plan: str
    made_at: str
    release: str
    schema_version: str
    entries: dict[str, Entry] = field(default_factory=dict)
    # Archives of earlier releases tell none.
    data_region: str = ""

    def tables(self, folder: str) -> dict[str, Entry]:
        """The entries of `tables/` or `public/` by the name of their table."""
        return {
            name.removeprefix(folder).removesuffix(".csv"): entry
            for name, entry in self.entries.items()
            if name.startswith(folder)
        }

    def dumped(self) -> bytes:
        """As JSON, with the seal of this installation."""
        document = self.document()
        return json.dumps(document | {"seal": _seal(document)}, indent=1).encode()

    def document(self) -> dict[str, Any]:
        """{format, tenant_id, slug, …, entries: {name: {size, sha256, rows, columns}}}, without the seal."""
        facts = asdict(self) | {"format": FORMAT, "tenant_id": str(self.tenant_id)}
        facts["entries"] = {
            name: asdict(entry) | {"columns": list(entry.columns)}
            for name, entry in self.entries.items()
        }
        return facts


def _seal(document: dict[str, Any]) -> str:
    key = hashlib.sha256(b"plaza.archives\n" + settings.SECRET_KEY.encode()).digest()
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def parsed(body: bytes) -> tuple[Manifest, bool]:
    """The manifest, and whether its seal is this installation's. Raises ArchiveInvalid, ArchiveVersionUnknown."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ArchiveInvalid(reason="The manifest is no JSON.") from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise ArchiveInvalid(reason="The manifest names no format.")
    if document["format"] != FORMAT:
        raise ArchiveVersionUnknown(format=document["format"], known=FORMAT)
    seal = document.pop("seal", "")
    is_ours = isinstance(seal, str) and hmac.compare_digest(_seal(document).encode(), seal.encode())
    try:
        return _read(document), is_ours
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveInvalid(reason=f"The manifest is malformed: {error!r:.100}.") from error


def _read(document: dict[str, Any]) -> Manifest:
    entries = document["entries"]
    if len(entries) > _MOST_ENTRIES:
        raise ArchiveInvalid(reason=f"More than {_MOST_ENTRIES} entries.")
    return Manifest(
        tenant_id=UUID(document["tenant_id"]),
        slug=_text(document["slug"], 40),
        organisation=_text(document["organisation"], 200),
        locale=_text(document["locale"], 8),
        plan=_text(document["plan"], 64),
        made_at=_text(document["made_at"], 40),
        release=_text(document["release"], 64),
        schema_version=_text(document["schema_version"], 64),
        entries={_name(name): _entry(name, facts) for name, facts in entries.items()},
        data_region=_text(document.get("data_region", ""), 32),
    )


def _entry(name: str, facts: dict[str, Any]) -> Entry:
    entry = Entry(facts["size"], facts["sha256"], facts["rows"], tuple(facts["columns"]))
    numbers = [entry.size, 0 if entry.rows is None else entry.rows]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ArchiveInvalid(reason=f"The size of {name!r:.100} is none.")
    if not _SHA256.fullmatch(entry.sha256):
        raise ArchiveInvalid(reason=f"The checksum of {name!r:.100} is none.")
    is_table = name == MEMBERS or name.startswith((TABLES, PUBLIC))
    if is_table is (entry.rows is None):
        raise ArchiveInvalid(reason=f"The rows of {name!r:.100} are missing.")
    for column in entry.columns:
        _text(column, 63)
    return entry


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ArchiveInvalid(reason=f"The manifest holds {value!r:.60} where a short text belongs.")
    return value


def _name(name: str) -> str:
    """An entry's name that can lead nowhere but into its own folder."""
    if name in {SCHEMA, MEMBERS}:
        return name
    folder, _, rest = name.partition("/")
    if f"{folder}/" in {TABLES, PUBLIC}:
        if rest.endswith(".csv") and _TABLE.fullmatch(rest.removesuffix(".csv")):
            return name
    elif f"{folder}/" == FILES and len(name) <= _LONGEST_NAME and is_inner_path(rest):
        return name
    raise ArchiveInvalid(reason=f"The archive may hold no {name!r:.100}.")


def is_inner_path(path: str) -> bool:
    """Whether a relative path stays where it begins (no `..`, no empty step, no backslash) and fits a disk."""
    steps = path.split("/")
    return path.isprintable() and not any(
        step in {"", ".", ".."} or "\\" in step or len(step.encode()) > _LONGEST_STEP
        for step in steps
    )

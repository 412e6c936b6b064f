"""An archive from outside: every byte is counted and checked before anything is made of it.

Nothing is unpacked by the names in it. What is read is bounded by what the manifest says, and all of
it by the size of the file, so that a small file cannot become a large one.
"""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenants.archives.manifest import NAME, Entry, parsed
from tenants.archives.refusals import ArchiveForeign, ArchiveInvalid

Tell = Callable[[str], None]
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 64 << 20
_LARGEST_DIRECTORY = 64 << 20
# Deflate makes at most 1,032 of 1; rows of a real table seldom 50 of 1.
_MOST_RATIO = 200
_ALWAYS_ALLOWED = 1 << 30
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What a damaged zip makes of Python's reader.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error,
    UnicodeDecodeError, ValueError, OverflowError,
)  # fmt: skip


class Archive:
    """An opened archive, whose manifest is read. `manifest` is believed only after `verify`."""

    def __init__(self, zipped: zipfile.ZipFile, *, is_foreign_allowed: bool) -> None:
        self._zipped = zipped
        body = b"".join(self._chunks(NAME, _LARGEST_MANIFEST))
        self.manifest, is_ours = parsed(body)
        if not is_ours and not is_foreign_allowed:
            raise ArchiveForeign(slug=self.manifest.slug, made_at=self.manifest.made_at)

    def verify(self, *, size: int, tell: Tell) -> None:
        """Read all of it once, and compare sizes and checksums. `size` is the file's. Raises ArchiveInvalid."""
        manifest = self.manifest
        names = [info.filename for info in self._zipped.infolist()]
        if sorted(names) != sorted([*manifest.entries, NAME]):
            raise ArchiveInvalid(reason="The archive holds other entries than its manifest says.")
        whole = sum(entry.size for entry in manifest.entries.values())
        if whole > max(_ALWAYS_ALLOWED, size * _MOST_RATIO):
            raise ArchiveInvalid(reason="The archive is packed too tightly to be one of ours.")
        for number, name in enumerate(manifest.entries, start=1):
            for _ in self.read(name):
                pass
            tell(f"entry {number} of {len(manifest.entries)} verified")

    def read(self, name: str) -> Iterator[bytes]:
        """An entry's bytes; after the last one they are known to be right. Raises ArchiveInvalid."""
        entry: Entry = self.manifest.entries[name]
        digest, size = hashlib.sha256(), 0
        for data in self._chunks(name, entry.size):
            digest.update(data)
            size += len(data)
            yield data
        if (size, digest.hexdigest()) != (entry.size, entry.sha256):
            raise ArchiveInvalid(reason=f"{name} is not what the manifest says.")

    def _chunks(self, name: str, most: int) -> Iterator[bytes]:
        try:
            info = self._zipped.getinfo(name)
            if info.compress_type not in _METHODS or info.flag_bits & 1:
                raise ArchiveInvalid(reason=f"{name} is packed in a way that is not ours.")
            with self._zipped.open(info) as part:
                left = most
                while data := part.read(min(_CHUNK, left + 1)):
                    left -= len(data)
                    if left < 0:
                        raise ArchiveInvalid(reason=f"{name} is longer than it should be.")
                    yield data
        except KeyError as error:
            raise ArchiveInvalid(reason=f"There is no {name} in it.") from error
        except _DAMAGE as error:
            raise ArchiveInvalid(reason=f"{name} is damaged.") from error


@contextmanager
def opened(path: Path, *, is_foreign_allowed: bool = False) -> Iterator[Archive]:
    """The archive in a file. Raises ArchiveInvalid, ArchiveForeign, ArchiveVersionUnknown, OSError."""
    with path.open("rb") as file:
        if _directory_size(file) > _LARGEST_DIRECTORY:
            raise ArchiveInvalid(reason="The archive has too many entries.")
        try:
            zipped = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise ArchiveInvalid(reason="This is no whole zip file.") from error
        with zipped:
            yield Archive(zipped, is_foreign_allowed=is_foreign_allowed)


def _directory_size(file: IO[bytes]) -> int:
    """Bytes of the zip's list of entries, which Python reads into memory as a whole."""
    length = file.seek(0, 2)
    start = max(0, length - (1 << 16) - 22)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise ArchiveInvalid(reason="This is no whole zip file.")
    (size,) = struct.unpack_from("<L", tail, at + 12)
    if size != 0xFFFFFFFF:
        return int(size)
    locator = tail[max(0, at - 20) : at]
    if len(locator) < 20 or not locator.startswith(b"PK\x06\x07"):
        raise ArchiveInvalid(reason="This is no whole zip file.")
    (offset,) = struct.unpack_from("<Q", locator, 8)
    # Beside a zip64 record the reader takes its size, wherever the locator says it lies.
    file.seek(min(offset, length))
    record = file.read(56)
    return int(struct.unpack_from("<Q", record, 40)[0]) if len(record) == 56 else 0


def checksum_of(path: Path) -> tuple[int, str]:
    """A file's size and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()

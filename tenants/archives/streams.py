"""Bytes that come in pieces, as a file that a storage can save."""

import io
from collections.abc import Iterator
from typing import IO, Any


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def file_of(pieces: Iterator[bytes]) -> IO[bytes]:
    """A file over an iterator of bytes: read once, from front to back."""
    return io.BufferedReader(_Pieces(pieces), 1 << 16)

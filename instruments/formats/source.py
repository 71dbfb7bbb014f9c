"""The bytes of a data file, with their hash, after the checks that every format needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from instruments.errors import UnreadableFile

LARGEST_FILE = 100_000_000
"""A one-dimensional pattern larger than this [bytes] is no pattern."""

_TEXT_CONTROLS = frozenset(b"\t\n\r\x0c")


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read.

    Attributes
    ----------
    sha256 : of exactly the bytes in `content`, in hexadecimal.
    """

    path: Path
    content: bytes
    sha256: str

    def text(self) -> str:
        """Return the content as text.

        Raises
        ------
        UnreadableFile
            It holds control characters that no text has.
        """
        for position, byte in enumerate(self.content):
            if byte < 32 and byte not in _TEXT_CONTROLS:
                raise self.unreadable(
                    f"holds binary data (byte {byte:#04x} at position {position}); a text file "
                    "was expected. Export it from the instrument's software as text or .xrdml"
                )
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.content.decode("latin-1")  # degree signs in old headers

    def unreadable(self, said: str, *, line: int | None = None) -> UnreadableFile:
        """Return the error that names this file, and the line where there is one."""
        where = f"{self.path} line {line}" if line is not None else f"{self.path}"
        return UnreadableFile(f"{where} {said}")


def read_source(path: Path) -> Source:
    """Return the bytes of a data file.

    Raises
    ------
    UnreadableFile
        The file is missing, no regular file, empty, too large or may not be read.
    """
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UnreadableFile(f"{path} {what}; a data file was expected")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UnreadableFile(
                f"{path} has {size} bytes; a pattern has at most {LARGEST_FILE}. Is it an image?"
            )
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{path} cannot be read: {error}") from error
    if not content.strip():
        raise UnreadableFile(f"{path} is empty; a pattern was expected")
    return Source(path, content, hashlib.sha256(content).hexdigest())

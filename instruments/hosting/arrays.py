"""The arrays of a command log: one file that only grows, so that a result costs one sync."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instruments.errors import InstrumentError

REMEMBERED = 64
"""Arrays that are not written again if they come again, such as the axis of every scan."""


class LogArrays:
    """Arrays one behind the other; each is found by its place and verified by its hash.

    What a process that died left behind without a line in the log that names it is never read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._end = os.fstat(self._file).st_size
        self._recent: dict[str, str] = {}

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def keep(self, array: NDArray[Any]) -> str:
        """Return the place of an array; it is on disk only after the next `sync`."""
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        packed = buffer.getvalue()
        seal = hashlib.sha256(packed).hexdigest()
        if seal in self._recent:
            return self._recent[seal]
        if os.pwrite(self._file, packed, self._end) != len(packed):
            raise OSError(None, "only part of an array was written")
        place = f"{self._end}:{len(packed)}:{seal}"
        self._end += len(packed)
        self._recent[seal] = place
        while len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        return place

    def sync(self) -> None:
        """Return once everything kept is on disk."""
        os.fsync(self._file)

    def find(self, place: str) -> NDArray[Any]:
        """Return the array of a place, verified.

        Raises
        ------
        InstrumentError
            The file does not hold it any more.
        """
        offset, length, seal = place.split(":")
        packed = os.pread(self._file, int(length), int(offset))
        if hashlib.sha256(packed).hexdigest() != seal:
            raise InstrumentError(
                f"{self._path} does not hold at byte {offset} what the command log says: it was "
                "changed after it was written; restore it from a backup"
            )
        array: NDArray[Any] = np.load(io.BytesIO(packed), allow_pickle=False)
        return array


def sync_folder(folder: Path) -> None:
    """Put on disk which files a folder holds."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Arrays beside a command log, in files named by their content."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instruments.errors import InstrumentError


class LogArrays:
    """A folder of ``ab/abcd….npy``; a damaged file betrays itself when it is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, array: NDArray[Any]) -> str:
        """Return the array's hash; the array is on disk when the call returns."""
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        packed = buffer.getvalue()
        name = hashlib.sha256(packed).hexdigest()
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        for folder in (path.parent, self._folder, self._folder.parent):
            sync_folder(folder)
        return name

    def find(self, name: str) -> NDArray[Any]:
        """Return the array of that hash, verified.

        Raises
        ------
        InstrumentError
            The file is missing or damaged; names it.
        """
        path = self._path(name)
        try:
            packed = path.read_bytes()
        except OSError as error:
            raise InstrumentError(
                f"the array {path} of a recorded outcome cannot be read ({error.strerror}); "
                "restore it from a backup"
            ) from error
        if hashlib.sha256(packed).hexdigest() != name:
            raise InstrumentError(
                f"the array {path} does not hold what its name promises: it was changed after it "
                "was written; restore it from a backup"
            )
        array: NDArray[Any] = np.load(io.BytesIO(packed), allow_pickle=False)
        return array

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.npy"


def sync_folder(folder: Path) -> None:
    """Put on disk which files a folder holds."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

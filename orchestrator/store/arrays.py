"""Arrays in files named by their content.

The same array is stored once, a file never changes after it has its name, and a damaged file
betrays itself when it is read.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import StoreCorrupt, StoreError, StoreFull

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def content_hash(array: NDArray[Any]) -> str:
    """Return the sha256, in hex, of an array's type, shape and bytes in C order."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class ArrayFiles:
    """A folder of ``ab/abcd….npy`` files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where the array of that hash is."""
        return Path(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name[:2]}/{name}.npy"

    def write(self, array: NDArray[Any], *, durable: bool) -> str:
        """Keep an array and return its hash; an array already there costs no write.

        Parameters
        ----------
        durable : on disk when the call returns, even if the power fails.

        Raises
        ------
        StoreFull
            There is no room; what was there before is untouched.
        StoreError
            The folder cannot be written, or the array holds Python objects.
        """
        if array.dtype.hasobject:
            raise StoreError("an array of Python objects cannot be kept; convert it to numbers")
        name = content_hash(array)
        path = self._path(name)
        try:
            if not _is_complete(path, array):
                _write_atomically(Path(path), array, durable=durable)
            elif durable:
                _sync(path)
        except OSError as error:
            raise _explained(error, self.folder) from error
        return name

    def read(self, name: str) -> NDArray[Any]:
        """Return the array of that hash, verified.

        Raises
        ------
        StoreCorrupt
            The file is missing or does not hold what its name promises; names the file.
        """
        path = self.path(name)
        try:
            array: NDArray[Any] = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise StoreCorrupt(
                f"the array file {path} is missing although the history refers to it; "
                "restore it from a backup"
            ) from None
        except (OSError, ValueError, EOFError) as error:
            raise StoreCorrupt(
                f"the array file {path} cannot be read as an array ({error}); "
                "restore it from a backup"
            ) from error
        if content_hash(array) != name:
            raise StoreCorrupt(
                f"the array file {path} does not hold what its name promises: it was changed "
                "after it was written; restore it from a backup"
            )
        return array


def _is_complete(path: str, array: NDArray[Any]) -> bool:
    """Return whether a file of at least the array's bytes is there; a power cut may empty one."""
    try:
        return os.stat(path).st_size > array.nbytes  # noqa: PTH116 as text, a third of the time
    except FileNotFoundError:
        return False


def _write_atomically(path: Path, array: NDArray[Any], *, durable: bool) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array, order="C"), allow_pickle=False)
    is_new = not path.parent.is_dir()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if durable:
        for folder in path.parents[: 3 if is_new else 1]:
            _sync(folder)


def _sync(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explained(error: OSError, folder: Path) -> StoreError:
    if error.errno in _NO_ROOM:
        return StoreFull(
            f"there is no room for another array in {folder} ({error.strerror}); make room and "
            "resume the campaign. Everything recorded before is intact"
        )
    return StoreError(f"arrays cannot be written to {folder}: {error.strerror}; check the folder")

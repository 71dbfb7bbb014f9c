"""Published data sets, or a skip that names what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from instruments.recorded_data import DATA_VARIABLE, data_folder


def data_set(name: str) -> Path:
    """Return the folder of a set such as ``xrd/dara_mixtures``; skip the test without it."""
    folder = data_folder() / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not here; set {DATA_VARIABLE} to the folder that holds it")
    return folder

"""What several tests of diffraction take time to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import weights
from analysis.xrd.training import phases_trainer

FEW = ["anatase", "rutile", "corundum", "periclase", "halite"]
"""Candidates of the networks in `few_phases`."""


@pytest.fixture(scope="session")
def few_phases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache of weights with networks for `FEW`, trained in seconds."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(folder))
        phases_trainer.train(
            {"phases": FEW}, folder, recipe="tiny", seed=0, told=lambda what, done, of: None
        )
    return folder

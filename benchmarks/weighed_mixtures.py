"""Twelve weighed precursor mixtures (Fei et al. 2026): where they lie, what they hold, candidates.

Each was scanned in 2 and in 8 minutes. The 51 candidates are the set's eleven structures and forty
of our own library that its authors could have met, polymorphs and calcite's whole family among
them. The data are found through SDLAB_DATA, or in ``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

from analysis.physics.published.carbonates import CARBONATES
from analysis.physics.published.oxides import OXIDES

SET = "xrd/dara_mixtures"

CANDIDATES = (
    "reference_cifs",
    "brookite",
    "corundum",
    "periclase",
    "quartz",
    *OXIDES,
    *(c for c in CARBONATES if c != "rhodochrosite"),  # the set has its own MnCO3
)
"""What an agent's ``phases`` should be, relative to the folder of the set."""


def data_directory() -> Path:
    """Return the folder of the set, or end the script where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SDLAB_DATA", beside)) / SET
    if not folder.is_dir():
        raise SystemExit(f"{SET} is not in {folder.parent}; set SDLAB_DATA to the folder of sets")
    return folder


def truths(folder: Path) -> dict[str, list[str]]:
    """Return mixture → names of its phases' structures."""
    found: dict[str, list[str]] = {}
    with (folder / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["mixture"], []).append(row["structure"])
    return found

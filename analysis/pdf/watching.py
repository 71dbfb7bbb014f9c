"""What is known and how strange its own curves look, made once from settings.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.errors import BadPhase
from analysis.learning.outlying import Known, known
from analysis.pdf import usual_curves
from analysis.pdf.curves import SCAN_Q_MAX, Reading, read_curve
from analysis.pdf.library import Entry, cluster_entries, covered_entries, folder_entries
from analysis.pdf.matching import Scanner
from analysis.pdf.novelty_settings import NoveltySettings
from analysis.pdf.strangeness import EarlierCurves, KnownThings, Signs, Structures
from instruments.formats import read_measurement
from instruments.measurement import Measurement

SUFFIXES = (".gr", ".sq", ".fq", ".iq", ".chi")
"""Of files that are earlier curves."""

FEWEST_CURVES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """Known things and how strange simulated curves of them look."""

    things: KnownThings
    usual: Known

    def read(self, reading: Reading) -> tuple[float, Signs]:
        """Return the p-value of a curve and what shows it."""
        signs = self.things.signs(reading)
        return float(self.usual.p_value(signs.unexplained)[0]), signs


def watches(said: NoveltySettings, folder: Path) -> list[Watch]:
    """Return a watch over structures, one over earlier curves, or both.

    Raises
    ------
    BadPhase
        A folder holds nothing that can be known, or all of the library is excluded.
    """
    found = []
    entries = _entries(said, folder)
    if entries:
        found.append(over_structures(entries, said))
    if said.curves is not None:
        found.append(_over_curves(folder / said.curves, said))
    return found


def over_structures(entries: tuple[Entry, ...], said: NoveltySettings) -> Watch:
    """Return a watch over a library."""
    things = Structures(Scanner(entries, bond_range=said.bond_range, q_max=SCAN_Q_MAX))

    def draw(rng: np.random.Generator) -> Reading:
        made = usual_curves.of_structure(
            entries, said.bond_range, r_range=said.r_range, q_damp=said.q_damp, rng=rng
        )
        return reading_of(made, said.model_copy(update={"q_min": None, "q_max": None}))

    return _watch(things, draw, said)


def reading_of(measurement: Measurement, said: NoveltySettings) -> Reading:
    """Return a measurement as the settings say that it is read.

    Raises
    ------
    BadPattern
        It is none of the four curves, or too short.
    """
    return read_curve(
        measurement,
        r_range=said.r_range,
        q_range=(said.q_min, said.q_max),
        q_damp=said.q_damp,
        element=said.element,
        probe=said.probe,
    )


def _entries(said: NoveltySettings, folder: Path) -> tuple[Entry, ...]:
    every: tuple[Entry, ...] = ()
    if said.clusters:
        every += cluster_entries(said.most_atoms) + covered_entries(said.most_atoms)
    if said.folder is not None:
        every += folder_entries(folder / said.folder, probe=said.probe)
    names = {name for e in every for name in (e.kind, e.lattice)}
    unheard = sorted(set(said.excluded) - names)
    entries = tuple(e for e in every if not {e.kind, e.lattice} & set(said.excluded))
    if unheard or (every and not entries):
        raise BadPhase(
            f"excluded = {list(said.excluded)} leaves {len(entries)} of {len(every)} structures; "
            f"some of {sorted(names)} were expected, not all; correct it"
        )
    return entries


def _over_curves(folder: Path, said: NoveltySettings) -> Watch:
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    if len(paths) < FEWEST_CURVES:
        raise BadPhase(
            f"{folder} holds {len(paths)} curves ({', '.join(SUFFIXES)}); {FEWEST_CURVES} were "
            "expected at least; name the folder of earlier curves"
        )
    readings = [reading_of(read_measurement(p, technique="pdf"), said) for p in paths]
    things = EarlierCurves([p.stem for p in paths], readings)
    return _watch(things, lambda rng: usual_curves.of_curve(readings, rng=rng), said)


def _watch(
    things: KnownThings, draw: Callable[[np.random.Generator], Reading], said: NoveltySettings
) -> Watch:
    rng = np.random.default_rng(said.seed)
    drawn = (draw(rng) for _ in range(said.simulations))
    return Watch(things, known([things.signs(reading).unexplained for reading in drawn]))

"""xrd.symmetry: crystal system, cell and space groups of a single phase.

Cells are searched in all systems (see `analysis.xrd.indexing`); trees on what they are worth tell
the system (after Suzuki et al. 2020, doi:10.1038/s41598-020-77474-4, who had the lines alone).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis import weights
from analysis.errors import BadPattern
from analysis.insight import Insight
from analysis.weights import Card, read_card
from analysis.xrd.indexing.lines import FEWEST, Lines, lines_of
from analysis.xrd.indexing.search import IndexedCell
from analysis.xrd.peaks import Peaks, find_peaks
from analysis.xrd.preprocess import check_measurement
from analysis.xrd.symmetry.attribution import Attribution
from analysis.xrd.symmetry.extinction import space_groups
from analysis.xrd.symmetry.features import cells_of
from analysis.xrd.symmetry.opinion import Learnt, load
from analysis.xrd.symmetry.recipes import AGENT, SymmetrySettings, digest, recipe_of
from analysis.xrd.symmetry.telling import estimates_of, evidence_of, higher_lattice, why_of
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

LEAST = 0.4
"""Probability of the most probable system below which the agent abstains."""

CONVINCING = 0.5
"""Probability of a cell from which its parameters are told."""

NAMED_GROUPS = 10
"""Space groups that are named; the others are put together."""

NAMED_PARTS = 3
"""Parts of the features that a remark names."""

UNITS = {
    "xrd.cell.a": "Å",
    "xrd.cell.b": "Å",
    "xrd.cell.c": "Å",
    "xrd.cell.alpha": "deg",
    "xrd.cell.beta": "deg",
    "xrd.cell.gamma": "deg",
    "xrd.cell.volume": "Å³",
}


class Symmetry:
    """Tells the crystal system of a powder pattern of one phase, of which nothing is known.

    Class probabilities: ``xrd.crystal_system`` over cubic, tetragonal, hexagonal (trigonal
    included), orthorhombic, monoclinic and triclinic, calibrated on held-out simulated patterns;
    ``xrd.space_group`` over the groups of the best cell's lattice, if that cell is convincing.

    Estimates: ``xrd.cell.<a|b|c|alpha|beta|gamma>`` of the conventional cell and
    ``xrd.cell.volume``, if the cell is right with probability 0.5 or more, as learnt on simulated
    patterns. Their std is the formal one of the least-squares fit to the lines' positions, times a
    factor by which 68 % of simulated volumes lie within one. They hold given that the cell is
    right.

    Evidence ``attribution`` and the last remark tell what each part of what was read adds to the
    probabilities, as Shapley values; see `analysis.xrd.symmetry.attribution`.

    `p_wrong` is the probability that the system is another than the most probable. The agent
    abstains if that one's probability is below 0.4 or there are fewer than five lines; its
    probabilities are told all the same. Of several measurements the one with most lines is read.

    Parameters
    ----------
    settings : radiation, and which of the grown forests to ask.

    Raises
    ------
    BadSettings, WeightsNotTrained
        There is no such recipe, or it was not trained.
    """

    name = AGENT
    technique = "xrd"

    def __init__(self, settings: SymmetrySettings) -> None:
        self.settings = settings
        self._radiation = settings.radiation.radiation()
        key = digest(self._radiation, recipe_of(settings), settings.seed)
        command = f"sdlab train {AGENT} --recipe {settings.recipe} --seed {settings.seed}"
        folder = weights.find(AGENT, key, command=command)
        self.card: Card = read_card(folder)
        self._learnt: Learnt = load(folder)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return dict(UNITS)

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the crystal system, and cell and space groups where they can be told.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            There is no measurement, or one is no powder pattern of this radiation.
        """
        del rng
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one powder pattern")
        found = [(self._peaks(m), m) for m in measurements]
        peaks, chosen = max(found, key=lambda pair: len(pair[0]))
        lines = lines_of(peaks, wavelength=self._radiation.wavelength)
        seen = tuple(m.id for m in measurements)
        if len(lines) < FEWEST:
            return Insight(
                id=f"{chosen.id}/{self.name}",
                agent=self.name,
                measurement_ids=seen,
                evidence=evidence_of(chosen, peaks, None, lines),
                abstained=True,
                remarks=(
                    f"{len(lines)} lines stand out of the noise, too few to tell a cell; measure "
                    "longer or over a wider range",
                ),
            )
        return self._insight(chosen, seen, peaks, lines)

    def opinion(self, lines: Lines) -> tuple[dict[str, float], dict[str, IndexedCell]]:
        """Return system → probability and system → best cell from a list of lines."""
        cells = cells_of(lines)
        return self._learnt.systems(lines, cells), cells

    def _peaks(self, measurement: Measurement) -> Peaks:
        check_measurement(measurement, radiation=self._radiation)
        x, y = np.asarray(measurement.x, float), np.asarray(measurement.y, float)
        steps = np.diff(x)
        if np.ptp(steps) > 0.01 * steps.mean():  # peaks are found on an even grid
            even = np.arange(x[0], x[-1], float(np.median(steps)))
            x, y = even, np.interp(even, x, y)
        return find_peaks(x, y, radiation=self._radiation)

    def _insight(
        self, chosen: Measurement, seen: tuple[str, ...], peaks: Peaks, lines: Lines
    ) -> Insight:
        systems, cells = self.opinion(lines)
        best = max(systems, key=lambda system: systems[system])
        cell = cells.get(best)
        p_cell = 0.0 if cell is None else self._learnt.p_cell(cell, p_system=systems[best])
        abstained = systems[best] < LEAST
        told = cell if p_cell >= CONVINCING and not abstained else None
        why = self._learnt.why(lines, cells)
        questions = {"xrd.crystal_system": systems}
        if told is not None:
            questions["xrd.space_group"] = _named(space_groups(told, lines))
        estimates = {} if told is None else estimates_of(told, scale=self._learnt.std_scale)
        logger.info(
            "indexed measurement=%s agent=%s system=%s p=%.2f p_cell=%.2f",
            chosen.id,
            self.name,
            best,
            systems[best],
            p_cell,
        )
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            estimates=estimates,
            class_probabilities=questions,
            p_wrong=1.0 - systems[best],
            quality=_quality(cell, p_cell, n_lines=len(lines)),
            evidence=evidence_of(chosen, peaks, cell, lines) | {"attribution": why_of(why)},
            abstained=abstained,
            remarks=(
                *_remarks(systems, best, told, abstained=abstained),
                _reasons(systems, best, why),
            ),
        )


def make(settings: Mapping[str, object], folder: Path) -> Symmetry:
    """Return the agent that a campaign's settings describe; no file is read from `folder`.

    Raises
    ------
    pydantic.ValidationError, BadSettings, WeightsNotTrained
        The settings are wrong, or nothing was trained for them.
    """
    del folder
    return Symmetry(SymmetrySettings.model_validate(dict(settings)))


def _named(groups: Mapping[str, float]) -> dict[str, float]:
    """Return the most probable groups, and what is left under ``other``."""
    first = dict(list(groups.items())[:NAMED_GROUPS])
    return first | {"other": max(1.0 - sum(first.values()), 0.0)}


def _quality(cell: IndexedCell | None, p_cell: float, *, n_lines: int) -> dict[str, float]:
    found = {"lines": float(n_lines), "p_cell": p_cell}
    if cell is not None:
        found |= {
            "evidence": cell.found.evidence,
            "de_wolff_merit": cell.found.merit,
            "unindexed": float((np.abs(cell.found.residual) > 0.06).sum()),
        }
    return found


def _remarks(
    systems: Mapping[str, float], best: str, told: IndexedCell | None, *, abstained: bool
) -> tuple[str, ...]:
    second = sorted(systems, key=lambda system: -systems[system])[1]
    found = []
    if abstained:
        found.append(
            f"no system is probable enough: {best} {systems[best]:.2f}, {second} "
            f"{systems[second]:.2f}; measure with better resolution or longer"
        )
    if told is None:
        found.append("no cell is convincing; none is told")
        return tuple(found)
    found.append(f"the lattice is {told.system} {told.centring}")
    higher = higher_lattice(told)
    if higher:
        found.append(f"the cell's lengths and angles suit a {higher} lattice as well")
    if told.centring == "R":
        found.append("a rhombohedral lattice is trigonal")
    return tuple(found)


def _reasons(systems: Mapping[str, float], best: str, why: Attribution) -> str:
    """Return what moved the probability of the best system most, from its average."""
    place = list(systems).index(best)
    added = {part: float(values[place]) for part, values in why.parts.items()}
    first = sorted(added, key=lambda part: -abs(added[part]))[:NAMED_PARTS]
    told = ", ".join(f"{part} {added[part]:+.2f}" for part in first)
    return f"{best} {systems[best]:.2f} against {why.average[place]:.2f} on average: {told}"

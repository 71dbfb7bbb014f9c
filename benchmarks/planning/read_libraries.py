"""Libraries whose samples have patterns, as pools of which an agent reads each structure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from analysis.xrd.agents.fingerprint import make as make_fingerprint
from orchestrator.scoring import structure_of
from planners import CandidateList, Objective, Observation, Planner, SearchSpace, Target
from planners.bayesian.planner import make as make_bayesian
from planners.benchmarking import Replay, replay, starts
from planners.structural.families import families_of
from planners.structural.planner import make as make_structure
from planners.structure import Structure
from planning import phase_worlds
from planning.phase_worlds import Library
from planning.pools import data_directory

STARTS = 2
"""Random rows before the first suggestion."""

SWAPPED = 0.15
"""Share of the samples whose patterns are swapped among one another."""

RECORDED = "fe_ga_pd"
QUANTITY = "property"
COLUMNS = ("a", "b", "c")
OBJECTIVE = Objective(targets=(Target(quantity=QUANTITY, goal="maximize"),))

ARMS = {
    "composition": ("none", {}),
    "structure": ("own", {}),
    "face value": ("own", {"at_face_value": True}),
    "swapped": ("swapped", {}),
    "face value, swapped": ("swapped", {"at_face_value": True}),
    "shuffled": ("shuffled", {}),
    "all known": ("foreknown", {}),
}
"""What is compared → whose pattern a sample is told to have, and settings of the planner.

With ``foreknown`` the scores of every sample, also of those not made, are settings like its
composition: what the patterns could be worth at most to a process over settings.
"""


@dataclass(frozen=True)
class ReadLibrary:
    """A pool with what an agent read of each sample.

    Attributes
    ----------
    composition : (n, 3).
    value : (n,) to be maximised.
    structures : of each sample, as the orchestrator gives them to a planner.
    """

    composition: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    structures: tuple[Structure, ...]

    def told(self, whose: str, *, rng: np.random.Generator) -> ReadLibrary:
        """Return the library with patterns that are missing, its own, swapped or all shuffled."""
        n = len(self.value)
        order = np.arange(n)
        if whose in ("none", "foreknown"):
            return replace(self, structures=(Structure(),) * n)
        if whose == "shuffled":
            order = rng.permutation(n)
        if whose == "swapped":
            chosen = rng.choice(n, round(SWAPPED * n), replace=False)
            order[chosen] = np.roll(chosen, 1)
        return replace(self, structures=tuple(self.structures[int(i)] for i in order))


@cache
def read_library(world: str, seed: int) -> ReadLibrary:
    """Return a world with its patterns read: the recorded one, ``step`` or ``smooth``.

    Parameters
    ----------
    seed : of a simulated world; the recorded one has none.
    """
    if world == RECORDED:
        return _read(_recorded())
    return _read(phase_worlds.library(cast("phase_worlds.Kind", world), seed))


def replayed(world: str, arm: str, *, seed: int, budget: int) -> Replay:
    """Return what the planner of an arm chose on a world."""
    whose, settings = ARMS[arm]
    own = read_library(world, 0 if world == RECORDED else seed)
    library = own.told(whose, rng=np.random.default_rng([seed, 5]))
    seen = whose not in ("none", "foreknown")
    made: Planner = (
        make_structure({"seed": seed, **settings}) if seen else make_bayesian({"seed": seed})
    )
    table = library.composition if whose != "foreknown" else _with_scores(own)
    columns = (*COLUMNS, *(f"score_{k}" for k in range(table.shape[1] - len(COLUMNS))))
    rows = tuple(tuple(float(v) for v in row) for row in table)
    space = SearchSpace(candidates=CandidateList(columns=columns, rows=rows))

    def answer(row: int) -> Observation:
        return Observation(
            values=dict(zip(columns, rows[row], strict=True)),
            outcomes={QUANTITY: float(library.value[row])},
            structure=library.structures[row],
        )

    return replay(
        made,
        space,
        OBJECTIVE,
        answer=answer,
        given=starts(len(rows), STARTS, rng=np.random.default_rng(seed)),
        budget=budget,
        rng_at=lambda n: np.random.default_rng([seed, n]),
    )


def _with_scores(library: ReadLibrary) -> npt.NDArray[np.float64]:
    """Return compositions beside the scores of every sample's pattern."""
    read = [
        Observation(values={"row": float(i)}, outcomes={QUANTITY: 0.0}, structure=s)
        for i, s in enumerate(library.structures)
    ]
    return np.hstack([library.composition, families_of(read)[0].scores])


def _recorded() -> Library:
    """Return the Fe-Ga-Pd library (Kusne et al. 2020, doi:10.1038/s41467-020-19597-w)."""
    folder = data_directory() / "cameo_fegapd"
    table = np.loadtxt(folder / "FeGaPd_XRD.txt", delimiter=",")
    composition = np.loadtxt(folder / "FeGaPd_CMP.txt", skiprows=1)
    value = np.loadtxt(folder / "FeGaPd_Mag.txt", delimiter=",")[:, 1]
    return Library(table[0], composition, table[1:], value)


def _read(library: Library) -> ReadLibrary:
    two_theta, wavelength = library.two_theta, phase_worlds.WAVELENGTH
    low, high = 4 * np.pi / wavelength * np.sin(np.radians(two_theta[[0, -1]] / 2))
    agent = make_fingerprint({"q": (float(low), float(high))}, Path())
    structures = []
    for row in range(len(library.value)):
        measurement = phase_worlds.measured(library, row)
        insight = agent.analyze([measurement], rng=np.random.default_rng(row))
        structures.append(structure_of([insight]))
    return ReadLibrary(library.composition, library.value, tuple(structures))

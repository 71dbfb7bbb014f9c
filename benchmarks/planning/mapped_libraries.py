"""Libraries of which a campaign makes a phase map: what was chosen, and how good the map is."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import fowlkes_mallows_score

from planners import CandidateList, Objective, Observation, Planner, SearchSpace, Target
from planners.baselines import make_random
from planners.benchmarking import replay, starts
from planners.encoding import Encoding
from planners.mapping.charting import chart_of
from planners.mapping.planner import make as make_phase_map
from planners.objective import PhaseMapWish
from planners.structural.planner import make as make_structure
from planners.structure import Answer, Structure
from planning import phase_worlds
from planning.pools import data_directory
from planning.read_libraries import COLUMNS, QUANTITY, RECORDED, STARTS, read_library

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

ARMS = {"map": 1.0, "property": 0.0, "both": 0.5, "random": 0.0}
"""What is compared → share of the interest that the map has."""

TARGET = Target(quantity=QUANTITY, goal="maximize")
OBSERVED = "xrd.fingerprint"


def rows_chosen(world: str, arm: str, *, seed: int, budget: int) -> tuple[int, ...]:
    """Return the samples that a campaign measured, in order, the random starts first."""
    share = ARMS[arm]
    wish = PhaseMapWish(of=OBSERVED, share=share) if share > 0 else None
    found = replay(
        _planner(arm, seed),
        _space(world, seed),
        Objective(targets=(TARGET,), phase_map=wish),
        answer=lambda row: told(world, row, seed=seed),
        given=starts(len(regions_of(world, seed)), STARTS, rng=np.random.default_rng(seed)),
        budget=budget,
        rng_at=lambda n: np.random.default_rng([seed, n]),
    )
    return found.rows


def map_of(world: str, rows: tuple[int, ...], *, seed: int) -> Labels:
    """Return the likeliest region of every sample, told from the readings of some, (n,)."""
    encoding = Encoding(_space(world, seed))
    chart = chart_of(encoding, [told(world, r, seed=seed) for r in rows], of=OBSERVED)
    n = len(regions_of(world, seed))
    if chart is None:
        return np.zeros(n, dtype=np.int64)
    points = [told(world, row, seed=seed).values for row in range(n)]
    return np.asarray(chart.probabilities(encoding.encode(points)).argmax(axis=1))


def foretold_phases(seed: int, *, n_read: int, share_wrong: float) -> tuple[Array, Array]:
    """Return how sure a map is of each unread sample of a simulated library, and if it is right.

    Shape (n_unread,) each. Read are the true main phases of random samples, as answers of
    probability 0.9, of which a share is replaced by random ones; the answers state that share.
    """
    rng = np.random.default_rng([seed, n_read])
    true = regions_of("step", seed)
    rows = rng.choice(len(true), n_read, replace=False)
    names = [f"phase {k}" for k in range(phase_worlds.N_PHASES)]
    seen = np.where(
        rng.random(n_read) < share_wrong, rng.integers(len(names), size=n_read), true[rows]
    )
    observations = []
    for row, phase in zip(rows, seen, strict=True):
        p = {name: 0.9 if k == phase else 0.1 / (len(names) - 1) for k, name in enumerate(names)}
        answers = {"phase": Answer(probabilities=p, p_wrong=share_wrong)}
        found = told("step", int(row), seed=seed)
        observations.append(found.model_copy(update={"structure": Structure(answers=answers)}))
    encoding = Encoding(_space("step", seed))
    chart = chart_of(encoding, observations, of="phase")
    assert chart is not None
    unread = np.setdiff1d(np.arange(len(true)), rows)
    points = [told("step", int(row), seed=seed).values for row in unread]
    probabilities = chart.probabilities(encoding.encode(points))
    likeliest = np.array([names.index(name) for name in chart.names])[probabilities.argmax(axis=1)]
    return probabilities.max(axis=1), (likeliest == true[unread]).astype(np.float64)


def told(world: str, row: int, *, seed: int) -> Observation:
    """Return what measuring a sample tells: its property, and what an agent read of it."""
    library = read_library(world, _own(world, seed))
    return Observation(
        values=dict(zip(COLUMNS, map(float, library.composition[row]), strict=True)),
        outcomes={QUANTITY: float(library.value[row])},
        structure=library.structures[row],
    )


def values_of(world: str, seed: int) -> Array:
    """Return the property of every sample, (n,)."""
    return read_library(world, _own(world, seed)).value


@cache
def regions_of(world: str, seed: int) -> Labels:
    """Return the true region of every sample, (n,), which no planner sees.

    Of the recorded library the regions computed from theory and published with it; of a simulated
    one the phase of the largest share.
    """
    if world == RECORDED:
        table = np.loadtxt(data_directory() / "cameo_fegapd" / "FeGaPd_DFT_regions.txt")
        return np.asarray(table, dtype=np.int64)
    return phase_worlds.main_phases(seed)


def agreement(found: Labels, true: Labels) -> tuple[float, float]:
    """Return the Fowlkes-Mallows index of two maps, and the accuracy once regions are matched.

    The index is the geometric mean of the shares of pairs that lie in one region of one map and do
    so in the other (Fowlkes & Mallows 1983, doi:10.1080/01621459.1983.10478008). For the accuracy
    found regions meet true ones one to one as it suits them best; what is left over counts as
    wrong.
    """
    table = np.zeros((found.max() + 1, true.max() + 1))
    np.add.at(table, (found, true), 1)
    matched = table[linear_sum_assignment(-table)].sum() / len(true)
    return float(fowlkes_mallows_score(true, found)), float(matched)


def _planner(arm: str, seed: int) -> Planner:
    if arm == "random":
        return make_random({})
    return make_structure({"seed": seed}) if arm == "property" else make_phase_map({"seed": seed})


@cache
def _space(world: str, seed: int) -> SearchSpace:
    table = read_library(world, _own(world, seed)).composition
    rows = tuple(tuple(float(v) for v in row) for row in table)
    return SearchSpace(candidates=CandidateList(columns=COLUMNS, rows=rows))


def _own(world: str, seed: int) -> int:
    return 0 if world == RECORDED else seed

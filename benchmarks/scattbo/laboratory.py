"""ScattBO's laboratory: from pH, pressure and solvent to a gold cluster.

After Anker, ScattBO (2024), github.com/AndySAnker/ScattBO (Apache-2.0). The rules are those of the
simulated reactor (`instruments.simulated.gold`). They changed after the scoreboard's runs were
made, hence the editions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scipy.interpolate import CubicSpline

from analysis.physics.debye_table import pair_distances, tabulate
from instruments.simulated import gold
from instruments.simulated.gold import FACE_CENTRED, SOLVENTS, Kind, Particle, positions
from planners import CategoricalParameter, ContinuousParameter, SearchSpace
from planners.space import Point
from scattbo.scattering import X_MAX


@dataclass(frozen=True, slots=True)
class Edition:
    """One state of the author's laboratory.

    Attributes
    ----------
    target : settings whose pattern is the simulated target.
    r_step : of the simulated G(r), Å; the target's own step is 0.01 Å.
    scales_measured : measured targets are scaled to a highest peak of one, as simulated ones are.
    """

    name: gold.Edition
    commit: str
    target: Point
    r_step: float
    scales_measured: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ranges of one size of the benchmark."""

    ph: tuple[float, float]
    pressure: tuple[float, float]
    solvents: tuple[str, ...]

    def space(self) -> SearchSpace:
        """Return what a planner is told: names, ranges, labels."""
        return SearchSpace(
            parameters=(
                ContinuousParameter(name="pH", low=self.ph[0], high=self.ph[1]),
                ContinuousParameter(
                    name="pressure", low=self.pressure[0], high=self.pressure[1], unit="a.u."
                ),
                CategoricalParameter(name="solvent", categories=self.solvents),
            )
        )


SMALL = Bounds(ph=(2.0, 12.0), pressure=(15.0, 80.0), solvents=SOLVENTS[:2])
LARGE = Bounds(ph=(0.0, 14.0), pressure=(0.0, 100.0), solvents=SOLVENTS)


def pressure_of(distance: float) -> float:
    """Return the pressure that makes an interatomic distance (Å)."""
    return 50.0 * (distance - 2.5)


PUBLISHED = Edition(
    name="2024-04",
    commit="f71421a",
    # recovered from the target's curve: 3.99 Å, pH anywhere within seven shells
    target={"pH": 9.0, "pressure": pressure_of(3.99 / FACE_CENTRED), "solvent": "Ethanol"},
    r_step=0.01,
    scales_measured=False,
)
"""The laboratory of the published runs: their records are met to four digits."""

PRESENT = Edition(
    name="2024-11",
    commit="13a991c",
    target={"pH": 10.0, "pressure": 75.0, "solvent": "Ethanol"},
    r_step=0.1,
    scales_measured=True,
)
"""The repository's last state. Its coarse r leaves R_wp = 0.042 for G(r) at the target itself, so
that no experiment reaches 0.04."""

EDITIONS = {e.name: e for e in (PUBLISHED, PRESENT)}


def particle(point: Point, edition: Edition) -> Particle:
    """Return the cluster that settings make."""
    return gold.from_solution(
        ph=float(point["pH"]),
        pressure=float(point["pressure"]),
        solvent=str(point["solvent"]),
        edition=edition.name,
    )


def kind_and_size(point: Point, edition: Edition) -> tuple[Kind, int]:
    """Return which cluster settings make, its length aside."""
    made = particle(point, edition)
    return made.kind, made.size


@cache
def table(kind: Kind, size: int) -> CubicSpline:
    """Return the cluster's Debye sum as a function of Q times its length, kept once made."""
    return tabulate(pair_distances(positions(kind, size)), x_max=X_MAX)

"""Settings of `pdf.structure`, its recipes, and where its weights are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.physics.scattering_factors import Probe
from analysis.trainers import named_recipe
from analysis.weights import digest_of

AGENT = "pdf.structure"
FORMAT = 2
"""Raised whenever weights of before can no longer be read, or mean something else."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is trained and its answers are calibrated.

    Attributes
    ----------
    most_atoms : of the shapes that are learnt.
    random_shapes : polyhedra and ellipsoids of each lattice, beside the regular clusters.
    steps, batch, rate : of the training.
    width : of the network.
    n_calibration : curves of regular clusters that calibrate.
    """

    name: str
    most_atoms: int
    random_shapes: int
    steps: int
    batch: int
    rate: float
    width: int
    n_calibration: int


RECIPES = {
    r.name: r
    for r in (
        Recipe("tiny", 60, 10, 60, 32, 3e-3, 48, 8),
        Recipe("standard", 300, 150, 2200, 96, 3e-3, 96, 48),
    )
}


class StructureSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.structure``.

    Attributes
    ----------
    elements : of the sample: one where it is known, several where it is one of them; none leaves
        it open. Distances between neighbours in the metal then bound the bond.
    bond_range : shortest distances that are tried [Å].
    r_range : first and last distance of a G(r) that count [Å].
    q_min, q_max : range of Q [1/Å] instead of the one that a G(r) states, or the others hold.
    q_damp : of the instrument, for G(r) [1/Å].
    probe : what was scattered.
    draws : points of the plane drawn for each lattice.
    write_to : folder for the best structures as ``.xyz``; None writes none.
    written : how many of them.
    recipe, seed : which trained network.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    elements: tuple[str, ...] = ()
    bond_range: tuple[float, float] = (1.9, 3.6)
    r_range: tuple[float, float] = (1.5, 30.0)
    q_min: float | None = Field(default=None, ge=0)
    q_max: float | None = Field(default=None, gt=0, le=100)
    q_damp: float = Field(default=0.04, ge=0, le=0.5)
    probe: Probe = "x-ray"
    draws: int = Field(default=8, ge=1, le=100)
    write_to: Path | None = None
    written: int = Field(default=3, ge=1, le=50)
    recipe: str = "standard"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> StructureSettings:
        for name, (low, high), most in (
            ("bond_range", self.bond_range, 20.0),
            ("r_range", self.r_range, 200.0),
        ):
            if not 0 < low < high <= most:
                raise ValueError(
                    f"{name} runs from {low:g} to {high:g} Å; it must rise between 0 and {most:g}"
                )
        return self


def recipe_of(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    return named_recipe(name, RECIPES, agent=AGENT)


def digest(recipe: Recipe, seed: int) -> str:
    """Return the hash of what trained weights depend on."""
    return digest_of({"format": FORMAT, "recipe": asdict(recipe), "seed": seed})


def command(recipe: str, seed: int) -> str:
    """Return what a person types to train."""
    return f"sdlab train {AGENT} --recipe {recipe} --seed {seed}"

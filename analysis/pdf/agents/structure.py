"""pdf.structure: draws structures of a nanoparticle of one element for its curve, and refines them.

After DeepStruc (Kjær et al. 2023, doi:10.1039/D2DD00086E). Importing this file imports torch.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis import weights
from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.pdf.curves import Reading, read_curve
from analysis.pdf.structure.disposing import Effort, Found
from analysis.pdf.structure.elements import element_probabilities, possible_bonds
from analysis.pdf.structure.settings import AGENT, StructureSettings, command, digest, recipe_of
from analysis.pdf.structure.sites import LATTICES
from analysis.pdf.structure.solving import Solution, solve
from analysis.pdf.structure.trained import load
from analysis.pdf.structure.weighing import (
    QUANTITIES,
    by_lattice,
    doubt_features,
    probabilities,
    together,
)
from analysis.pdf.structure.writing import write_xyz
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

LATTICE, ELEMENT = "pdf.lattice", "pdf.element"
WORST_RW = 0.5
"""R_w of the best structure above which nothing is said."""

_UNITS = {**QUANTITIES, "pdf.b_iso": "Å²", "pdf.rw": ""}
_DOUBTFUL = 0.5
_NAMED = 3


class StructureAgent:
    """A generative model draws structures; each is fitted, searched and ranked by R_w.

    Of several measurements the one with most independent points is read.

    Class probabilities: ``pdf.lattice`` (an octahedron is face-centred), by the best structure of
    each; ``pdf.element``, where several are named, from the bond alone.

    Estimates: ``pdf.bond``, the shortest distance, ``pdf.n_atoms`` and ``pdf.radius_of_gyration``
    over all structures by their probabilities, the std calibrated so that one holds 68 % of
    simulated clusters that the network had not learnt, under four kinds of faults (see the card);
    the calibration of Q is in none; ``pdf.b_iso`` of the best structure, without a std;
    ``pdf.rw`` of the best structure.

    `p_wrong` and `novelty` are the probability that the best structure has another lattice than the
    sample's or every sixth atom misplaced. It abstains if the best R_w is above `WORST_RW`.

    Parameters
    ----------
    settings : elements, ranges, how much is drawn.
    folder : where relative paths start.

    Raises
    ------
    WeightsNotTrained
        Nothing was trained for the recipe and seed.
    BadSettings
        An element is none, or fits no bond.
    """

    name = AGENT
    technique = "pdf"

    def __init__(self, settings: StructureSettings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        recipe = recipe_of(settings.recipe)
        where = weights.find(
            AGENT,
            digest(recipe, settings.seed),
            command=command(settings.recipe, settings.seed),
        )
        self.trained = load(where, width=recipe.width)
        self.bonds = possible_bonds(settings.elements, settings.bond_range)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return dict(_UNITS)

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return lattice, bond and size, with the best structures behind them.

        Raises
        ------
        BadPattern
            A measurement is none of I(Q), S(Q), F(Q) and G(r), or too short.
        """
        taken, reading = self._choose(measurements)
        seen = tuple(m.id for m in measurements)
        solution = self.solve(reading, rng=rng)
        best = solution.found[0]
        if self.settings.write_to is not None and best.fit.rw <= WORST_RW:
            self._write(taken, solution)
        logger.info(
            "drew structures measurement=%s agent=%s lattice=%s atoms=%d rw=%.4f",
            taken.id,
            self.name,
            best.lattice,
            best.mask.sum(),
            best.fit.rw,
        )
        return replace(self.told(taken, reading, solution), measurement_ids=seen)

    def told(self, taken: Measurement, reading: Reading, solution: Solution) -> Insight:
        """Return what is said of a measurement whose curve is solved."""
        if solution.found[0].fit.rw > WORST_RW:
            return self._abstain(taken, reading, solution.found[0])
        return self._insight(taken, reading, solution)

    def likeliest_lattice(self, solution: Solution) -> str:
        """Return the lattice that the network alone, before any fit, finds most probable."""
        return LATTICES[int(solution.read.p_lattice.argmax())]

    def solve(self, reading: Reading, *, rng: np.random.Generator) -> Solution:
        """Return what was drawn for a curve, and the structures fitted to it."""
        return solve(
            self.trained.network,
            reading,
            bonds=self.bonds,
            each=self.settings.draws,
            effort=Effort(),
            rng=rng,
        )

    def read(self, measurement: Measurement) -> Reading:
        """Return a measurement as the settings say that it is read."""
        said = self.settings
        return read_curve(
            measurement,
            r_range=said.r_range,
            q_range=(said.q_min, said.q_max),
            q_damp=said.q_damp,
            element=said.elements[0] if len(said.elements) == 1 else None,
            probe=said.probe,
        )

    def _choose(self, measurements: Sequence[Measurement]) -> tuple[Measurement, Reading]:
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one curve")
        read = [(m, self.read(m)) for m in measurements]
        return max(read, key=lambda pair: pair[1].n_independent)

    def _write(self, taken: Measurement, solution: Solution) -> None:
        assert self.settings.write_to is not None
        p = probabilities(solution.found, sharpness=self.trained.calibration.sharpness)
        stem = re.sub(r"[^\w.-]+", "_", taken.id)
        symbol = self._likeliest_element(solution.found[0])
        for rank, (found, weight) in enumerate(zip(solution.found, p, strict=True)):
            if rank < self.settings.written:
                path = self.folder / self.settings.write_to / f"{stem}-{rank + 1}.xyz"
                write_xyz(path, found, element=symbol, probability=float(weight))

    def _likeliest_element(self, best: Found) -> str:
        """Return the likeliest of the named elements; X, a dummy, where none is named."""
        if not self.settings.elements:
            return "X"
        told = element_probabilities(self.settings.elements, best.fit.bond)
        return max(told, key=told.__getitem__)

    def _insight(self, taken: Measurement, reading: Reading, solution: Solution) -> Insight:
        calibration, best = self.trained.calibration, solution.found[0]
        said = dict(zip(LATTICES, solution.read.p_lattice.tolist(), strict=True))
        features = doubt_features(solution.found, said)
        unsure = float(calibration.doubt.probability(features)[0])
        questions = {
            LATTICE: by_lattice(solution.found, sharpness=calibration.sharpness, known=LATTICES)
        }
        if len(self.settings.elements) > 1:
            questions[ELEMENT] = element_probabilities(self.settings.elements, best.fit.bond)
        return Insight(
            id=f"{taken.id}/{self.name}",
            agent=self.name,
            measurement_ids=(taken.id,),
            estimates=self._estimates(reading, solution),
            class_probabilities=questions,
            p_wrong=unsure,
            novelty=unsure,
            quality={
                "rw": best.fit.rw,
                "n_independent": reading.n_independent,
                "draws": float(len(solution.draws)),
            },
            evidence={taken.y_name: _curve(taken, reading, best), "plane": self._plane(solution)},
            remarks=self._remarks(solution, unsure=unsure),
        )

    def _estimates(self, reading: Reading, solution: Solution) -> dict[str, Estimate]:
        calibration, best = self.trained.calibration, solution.found[0]
        told = together(solution.found, sharpness=calibration.sharpness)
        found = {
            name: Estimate(mean, std * calibration.factors[name], QUANTITIES[name])
            for name, (mean, std) in told.items()
        }
        rw_std = best.fit.rw / np.sqrt(2 * reading.n_independent)
        found["pdf.b_iso"] = Estimate(best.fit.thermal.b_iso, None, "Å²")
        found["pdf.rw"] = Estimate(best.fit.rw, float(rw_std), "")
        return found

    def _plane(self, solution: Solution) -> Curve:
        """Return the points of the plane that were drawn on the best structure's lattice."""
        lattice = solution.found[0].lattice
        z = np.array([d.z for d in solution.draws if d.sites.lattice == lattice])
        order = np.argsort(z[:, 0])
        return Curve(z[order, 0], "z1", "", {"z2": z[order, 1]})

    def _abstain(self, taken: Measurement, reading: Reading, best: Found) -> Insight:
        reason = (
            f"the best structure, {best.mask.sum()} atoms of {best.lattice}, ends at R_w = "
            f"{best.fit.rw:.2f}"
        )
        logger.warning("abstained measurement=%s agent=%s: %s", taken.id, self.name, reason)
        return Insight(
            id=f"{taken.id}/{self.name}",
            agent=self.name,
            measurement_ids=(taken.id,),
            novelty=1.0,
            quality={"rw": best.fit.rw},
            evidence={taken.y_name: _curve(taken, reading, best)},
            abstained=True,
            remarks=(
                f"{reason}, worse than {WORST_RW}; no particle of one element on these lattices, "
                "or bond_range too narrow",
            ),
        )

    def _remarks(self, solution: Solution, *, unsure: float) -> tuple[str, ...]:
        names = ", ".join(
            f"{f.lattice} of {f.mask.sum()} atoms (R_w = {f.fit.rw:.4f})"
            for f in solution.found[:_NAMED]
        )
        found = [f"of {len(solution.draws)} draws came {names}"]
        if unsure > _DOUBTFUL:
            found.append("the structure may well be another: see p_wrong")
        return tuple(found)


def make(settings: Mapping[str, object], folder: Path) -> StructureAgent:
    """Return the agent that a campaign's settings describe.

    Raises
    ------
    pydantic.ValidationError, BadSettings, WeightsNotTrained
        The settings are wrong, or nothing was trained for them.
    """
    return StructureAgent(StructureSettings.model_validate(dict(settings)), folder)


def _curve(taken: Measurement, reading: Reading, best: Found) -> Curve:
    columns = {
        "observed": reading.y,
        "calculated": best.fit.calculated,
        "difference": reading.y - best.fit.calculated,
    }
    return Curve(reading.x, taken.x_name, taken.x_unit, columns, taken.y_unit)

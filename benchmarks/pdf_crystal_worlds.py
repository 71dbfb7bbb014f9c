"""Simulated G(r) of crystals, of other crystals and of mixtures, for the doubt of `pdf.parameters`.

Two worlds. In the *usual* one constants are learnt: sites that move each in their own way, by
periodic sums, or atoms listed one by one that move more along some axes than others and are
strained; small grains, counting noise, slow errors of the reduction. The *harsh* one has other
crystals and, besides, stacking faults, vacancies, a Q_damp unlike the one that is stated, and
amorphous second phases. In both, a sample is the crystal that will be fitted, another crystal of
its density (a polymorph where there is one), or the crystal with a second phase besides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist

from analysis.pdf.artefacts import draw_faults, measured_f_q
from analysis.pdf.broadening import sphere_envelope
from analysis.pdf.forward import CrystalPDF, parameters_of
from analysis.pdf.preprocess import FitRange
from analysis.pdf.transform import QRange, Termination
from analysis.physics.cell import scale_cell
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import forward_scattering
from analysis.physics.structures import STRUCTURES, structure

FloatArray = np.ndarray
R = np.arange(1.5, 25.0, 0.05)
LARGEST_CELL = 24
CORE = 120
"""Atoms, at least, whose surroundings stand for a crystal without end."""
STACKED = {"copper", "nickel", "aluminium", "gold", "silver", "palladium"}
TETRAHEDRAL = {"sphalerite": ("Zn", "S"), "silicon": ("Si", "Si"), "diamond": ("C", "C")}


@dataclass(frozen=True)
class Sample:
    """A simulated measurement and what is known of it.

    `q_damp` is the stated one, None if the fit is to refine it; `stretch` multiplies all lengths of
    the fitted crystal's cell in the sample.
    """

    fitted: Crystal
    kind: str
    data: FitRange
    q_damp: float | None
    stretch: float

    @property
    def wrong(self) -> bool:
        """Whether the fitted crystal is not all that the sample holds."""
        return self.kind != "right"


@dataclass(frozen=True)
class Instrument:
    """What one measurement shares among its phases."""

    q_max: float
    q_damp: float
    diameter: float | None


def crystals(*, harsh: bool) -> list[Crystal]:
    """Return half of the library's crystals of not too large cells; one formula, one half."""
    found = [structure(name) for name in STRUCTURES]
    found = [c for c in found if sum(c.composition.values()) <= LARGEST_CELL]
    formulas = sorted({c.formula for c in found})
    return [c for c in found if formulas.index(c.formula) % 2 == int(harsh)]


def sample(seed: int, *, harsh: bool) -> Sample:
    """Return a sample; half of them hold the crystal that is fitted and nothing else."""
    rng = np.random.default_rng([seed, int(harsh)])
    pool = crystals(harsh=harsh)
    fitted = pool[rng.integers(len(pool))]
    kind = ("right", "right", "another", "mixture")[rng.integers(4)]
    diameter = float(np.exp(rng.uniform(*np.log([25, 120])))) if rng.random() < 0.5 else None
    made = Instrument(float(rng.uniform(15, 28)), float(rng.uniform(0.01, 0.06)), diameter)
    stranger = alike_in_density(_other(fitted, pool, rng), fitted)
    stretch = float(1 + rng.normal(0, 0.005))
    listed = harsh or rng.random() < 0.5
    curve = partial(_listed_f_q, harsh=harsh) if listed else _periodic_f_q
    f_q = curve(stranger if kind == "another" else fitted, stretch, made, rng)
    if kind == "mixture":
        share = rng.uniform(0.1, 0.5)
        amorphous = harsh and rng.random() < 0.5
        beside = replace(made, diameter=rng.uniform(9, 14)) if amorphous else made
        f_q = (1 - share) * f_q + share * curve(stranger, 1.0, beside, rng)
    q = Termination(R, QRange(0.0, made.q_max)).q
    f_q = measured_f_q(f_q, q, draw_faults(rng), rng=rng)
    g_r = f_q @ ((2 / np.pi) * (q[1] - q[0]) * np.sin(np.outer(q, R)))
    stated = made.q_damp * (rng.uniform(0.7, 1.3) if harsh else 1.0)
    data = FitRange(R, g_r, 0.0, made.q_max)
    return Sample(fitted, kind, data, stated if diameter is not None else None, stretch)


def alike_in_density(wrong: Crystal, right: Crystal) -> Crystal:
    """Return a crystal with its cell scaled to the atoms per volume of another."""
    per_atom = [c.volume / sum(c.composition.values()) for c in (wrong, right)]
    return replace(wrong, cell=scale_cell(wrong, (per_atom[1] / per_atom[0]) ** (1 / 3)))


def _other(crystal: Crystal, pool: list[Crystal], rng: np.random.Generator) -> Crystal:
    """Return a polymorph if there is one, else a crystal of another space group or cell content."""
    same = [c for c in pool if c.formula == crystal.formula and c is not crystal]
    unlike = [c for c in pool if _prototype(c) != _prototype(crystal)]
    candidates = same or unlike
    return candidates[rng.integers(len(candidates))]


def _prototype(crystal: Crystal) -> tuple[str, int]:
    return crystal.structure.spacegroup_hm, sum(crystal.composition.values())


def _periodic_f_q(
    crystal: Crystal,
    stretch: float,
    made: Instrument,
    rng: np.random.Generator,
) -> FloatArray:
    """Return F(Q) [1/Å] by periodic sums, (n_q,)."""
    model = CrystalPDF(crystal, R, QRange(0.0, made.q_max))
    own = parameters_of(crystal)
    u_iso = 0.006 * np.exp(rng.normal(0.0, 0.4, len(own.u_iso)))
    parameters = replace(
        own,
        u_iso=torch.from_numpy(u_iso),
        cell=own.cell * torch.tensor([stretch] * 3 + [1.0] * 3),
        q_damp=made.q_damp,
        delta2=float(rng.uniform(0, 3)),
        diameter=made.diameter,
    )
    return model.f_q(parameters).numpy()


def _listed_f_q(
    crystal: Crystal, stretch: float, made: Instrument, rng: np.random.Generator, *, harsh: bool
) -> FloatArray:
    """Return F(Q) [1/Å] of atoms listed one by one, (n_q,)."""
    termination = Termination(R, QRange(0.0, made.q_max))
    reach = termination.r_max + 1.0
    positions, strength, density, n_core = _atoms(crystal, reach, rng, harsh=harsh)
    positions = stretch * positions
    moved = _moves(len(positions), rng)
    amorphous = made.diameter is not None and made.diameter < 20
    positions = positions + moved * (3.0 if amorphous else 1.0)
    present = rng.random(len(positions)) > (rng.uniform(0.0, 0.06) if harsh else 0.0)
    core = np.flatnonzero(present[:n_core])
    apart = cdist(positions[core], positions[present]).ravel()
    product = np.outer(strength[core], strength[present]).ravel()
    near = (apart > 0.5) & (apart < reach)
    apart = apart[near] * (1 + rng.uniform(0.0, 0.006) * rng.normal(size=int(near.sum())))
    r = termination.fine_r
    step = float(r[1] - r[0])
    edges = np.append(r - step / 2, r[-1] + step / 2)
    pairs = np.histogram(apart, bins=edges, weights=product[near])[0] / step
    density = density / stretch**3 * float(present.mean())
    fine = pairs / (len(core) * float(strength[core].mean()) ** 2) / r - 4 * np.pi * r * density
    fine = gaussian_filter1d(fine, 0.03 / step) * np.exp(-0.5 * (made.q_damp * r) ** 2)
    if made.diameter is not None:
        fine = fine * sphere_envelope(torch.from_numpy(r), made.diameter).numpy()
    return termination.f_q(torch.from_numpy(fine)).numpy()


def _atoms(
    crystal: Crystal, reach: float, rng: np.random.Generator, *, harsh: bool
) -> tuple[FloatArray, FloatArray, float, int]:
    """Return positions [Å], electrons, atoms a volume [1/Å³], and how many first ones are core."""
    if harsh and crystal.name in STACKED | TETRAHEDRAL.keys() and rng.random() < 0.6:
        return _stacked(crystal, reach, rng)
    cell = np.asarray(crystal.structure.cell.orth.mat, dtype=np.float64)
    sites = crystal.structure.get_all_unit_cell_sites()
    fractions = np.array([[s.fract.x, s.fract.y, s.fract.z] for s in sites])
    strength = np.array([forward_scattering(s.element.name, probe="x-ray") for s in sites])
    return _surrounded(cell, fractions, strength, reach)


def _stacked(
    crystal: Crystal, reach: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float, int]:
    """Return a face-centred or tetrahedral crystal whose layers are misplaced here and there."""
    a = crystal.cell[0]
    side, spacing = a / 2**0.5, a / 3**0.5
    n_layers = 2 * int(np.ceil(reach / spacing)) + 3
    turn, place, places = 1, 0, []
    faulty = rng.uniform(0.03, 0.15)
    for _ in range(n_layers):
        places.append(place)
        turn = -turn if rng.random() < faulty else turn
        place = (place + turn) % 3
    cell = np.array([[side, -side / 2, 0], [0, side * 3**0.5 / 2, 0], [0, 0, spacing * n_layers]])
    elements = TETRAHEDRAL.get(crystal.name, (next(iter(crystal.composition)),))
    fractions, strength = [], []
    for layer, where in enumerate(places):
        for k, element in enumerate(elements):
            height = (layer + 0.75 * k) / n_layers
            fractions.append([(0, 2 / 3, 1 / 3)[where], (0, 1 / 3, 2 / 3)[where], height])
            strength.append(forward_scattering(element, probe="x-ray"))
    return _surrounded(cell, np.array(fractions), np.array(strength), reach)


def _surrounded(
    cell: FloatArray, fractions: FloatArray, strength: FloatArray, reach: float
) -> tuple[FloatArray, FloatArray, float, int]:
    """Return the atoms of enough cells first, then all that lie within reach of them."""
    span = np.linalg.norm(np.linalg.inv(cell), axis=1)
    n_cells = max(1, round((CORE / len(fractions)) ** (1 / 3)))
    far = np.ceil(reach * span).astype(int) + 1
    ranges = [np.arange(-n, n + n_cells) for n in far]
    steps = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    core = ((steps >= 0) & (steps < n_cells)).all(axis=1)
    steps = np.concatenate([steps[core], steps[~core]])
    positions = ((steps[:, None] + fractions) @ cell.T).reshape(-1, 3)
    weights = np.tile(strength, len(steps))
    n_core = int(core.sum()) * len(fractions)
    middle = positions[:n_core].mean(axis=0)
    radius = np.linalg.norm(positions[:n_core] - middle, axis=1).max()
    kept = np.linalg.norm(positions - middle, axis=1) <= radius + reach
    density = len(fractions) / float(np.linalg.det(cell))
    return positions[kept], weights[kept], density, n_core


def _moves(n_atoms: int, rng: np.random.Generator) -> FloatArray:
    """Return displacements [Å] that are larger along some axes than along others, (n_atoms, 3)."""
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    spread = np.sqrt(0.006 * np.exp(rng.normal(0.0, 0.5, 3)))
    return (rng.normal(size=(n_atoms, 3)) * spread) @ axes

"""pdf.motifs: which atoms of a starting model explain a G(r), by fits of random fragments.

ML-MotEx (Anker et al. 2022, doi:10.1038/s41524-022-00896-3) with fits by matrix products. Importing
this file imports torch.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.pdf.motifs.contributions import Contributions, contributions, draw_masks
from analysis.pdf.motifs.doubt import WORST_RW, doubt
from analysis.pdf.motifs.fragments import FragmentFits
from analysis.pdf.motifs.naming import Motif, name_motif
from analysis.pdf.motifs.settings import MotifsSettings
from analysis.pdf.motifs.symmetry import symmetries
from analysis.pdf.preprocess import prepare
from analysis.physics.scattering_factors import Probe
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

SIZE = "pdf.motif.n_atoms"
"""Quantity: sampled atoms in the motif."""

DOUBTFUL = 0.5
"""Probability of a wrong motif from which a remark warns."""

_SAME_RW = 1e-3
"""R_w of copies of one cluster, whose coordinates were rounded, differ by less."""

_FORMULA = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")


class Motifs:
    """Contributions of the atoms of one starting model to the fit of one G(r), and a motif.

    Of several measurements the one with most independent points is read.

    Estimates: ``pdf.contribution.<element><number>`` for each sampled atom, numbered from 1 as in
    the file: R_w of random fragments that keep it less R_w of those without, negative where it
    helps. Their std comes from the number of fits alone (a posterior, see
    `analysis.pdf.motifs.contributions`). ``pdf.motif.n_atoms`` counts the sampled atoms of the
    motif; its std is unknown, `p_wrong` speaks for it. Evidence: ``pattern`` (G(r)),
    ``contributions`` and ``motif`` (positions [Å]), the latter two by number in the file.

    `p_wrong` is the probability that the sample holds something else than the motif (see
    `analysis.pdf.motifs.doubt`). Where copies of a cluster explain the data alike, one is named.

    It abstains if no linked atoms make fits better, or the motif's fit ends above
    `analysis.pdf.motifs.doubt.WORST_RW`; without any atoms R_w is 1.

    Parameters
    ----------
    settings : the starting model and how it is fitted.
    folder : where the model's relative path starts.

    Raises
    ------
    BadPhase, BadSettings
        The model cannot be read, or has too few atoms to choose from.
    """

    name = "pdf.motifs"
    technique = "pdf"

    def __init__(self, settings: MotifsSettings, folder: Path) -> None:
        self.settings = settings
        self.model = settings.starting_model(folder)
        self._symmetries = symmetries(self.model)
        self._labels = [f"{self.model.elements[i]}{i + 1}" for i in self.model.sampled]

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return {SIZE: "", **{f"pdf.contribution.{label}": "" for label in self._labels}}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the contributions and the motif.

        Raises
        ------
        BadPattern
            A measurement is no G(r), or too short, or nobody knows its Q_max.
        """
        chosen, fits = self._choose(measurements)
        seen = tuple(m.id for m in measurements)
        masks = draw_masks(self.settings.fits, self.model.n_sampled, rng=rng)
        random_rw = fits.fit(masks).rw
        found = contributions(masks, random_rw, symmetries=self._symmetries)
        motif = name_motif(fits, found.value)
        if motif is None or motif.rw > WORST_RW:
            return self._abstain(chosen, seen, fits, found, motif)
        logger.info(
            "named motif measurement=%s agent=%s atoms=%d rw=%.3f",
            chosen.id, self.name, motif.mask.sum(), motif.rw,
        )  # fmt: skip
        p_wrong = doubt(motif.rw, random_rw, prior=self.settings.prior_wrong)
        return self._insight(chosen, seen, fits, found, motif, p_wrong=p_wrong)

    def _choose(self, measurements: Sequence[Measurement]) -> tuple[Measurement, FragmentFits]:
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one G(r)")
        said = self.settings
        prepared = [
            (m, prepare(m, r_range=said.r_range, q_min=said.q_min, q_max=said.q_max))
            for m in measurements
        ]
        chosen, data = max(prepared, key=lambda pair: pair[1].n_independent)
        stated: Probe = "neutron" if chosen.settings.get("probe") == "neutron" else "x-ray"
        fits = FragmentFits(
            self.model,
            data,
            conditions=said.conditions,
            probe=said.probe or stated,
            composition=_composition(str(chosen.settings.get("composition", ""))),
        )
        return chosen, fits

    def _insight(
        self,
        chosen: Measurement,
        seen: tuple[str, ...],
        fits: FragmentFits,
        found: Contributions,
        motif: Motif,
        *,
        p_wrong: float,
    ) -> Insight:
        keys = tuple(f"pdf.contribution.{label}" for label in self._labels)
        size = Estimate(float(motif.mask.sum()), None, "")
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            estimates={SIZE: size}
            | {
                key: Estimate(float(value), float(std), "")
                for key, value, std in zip(keys, found.value, found.std, strict=True)
            },
            covariance_keys=keys,
            covariance=found.covariance,
            p_wrong=p_wrong,
            quality={"rw": motif.rw, "unexplained": found.unexplained},
            evidence={
                "pattern": _pattern(fits, motif),
                "contributions": self._contributions(found, motif),
                "motif": self._positions(motif),
            },
            remarks=self._remarks(fits, motif, p_wrong=p_wrong),
        )

    def _abstain(
        self,
        chosen: Measurement,
        seen: tuple[str, ...],
        fits: FragmentFits,
        found: Contributions,
        motif: Motif | None,
    ) -> Insight:
        reason = (
            "no linked atoms of the starting model make fits better than without them"
            if motif is None
            else f"the best piece of the starting model ends at R_w = {motif.rw:.2f}, worse than "
            f"{WORST_RW} (without any atoms it is 1)"
        )
        logger.warning("abstained measurement=%s agent=%s: %s", chosen.id, self.name, reason)
        return Insight(
            id=f"{chosen.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            quality={"unexplained": found.unexplained} | ({"rw": motif.rw} if motif else {}),
            evidence={
                "pattern": _pattern(fits, motif),
                "contributions": self._contributions(found, motif),
            },
            abstained=True,
            remarks=(f"{reason}; try another starting model",),
        )

    def _contributions(self, found: Contributions, motif: Motif | None) -> Curve:
        named = np.zeros(self.model.n_sampled) if motif is None else motif.mask.astype(float)
        columns = {"contribution": found.value, "std": found.std, "motif": named}
        return Curve(1 + self.model.sampled.astype(np.float64), "atom", "", columns)

    def _positions(self, motif: Motif) -> Curve:
        stay = np.flatnonzero(self.model.kept(motif.mask[None])[0])
        columns = dict(zip("xyz", self.model.positions[stay].T, strict=True))
        return Curve(1 + stay.astype(np.float64), "atom", "", columns, "Å")

    def _remarks(self, fits: FragmentFits, motif: Motif, *, p_wrong: float) -> tuple[str, ...]:
        atoms = ", ".join(self._labels[i] for i in np.flatnonzero(motif.mask))
        said = [f"the motif is {atoms}, with the atoms bound to them; R_w = {motif.rw:.2f}"]
        others = motif.candidates[motif.candidate_rw <= motif.rw + _SAME_RW]
        others = others[others.sum(axis=1) == motif.mask.sum()]
        n_equal = int(np.sum(np.any(others != motif.mask, axis=1)))
        if n_equal:
            said.append(f"as well explained by {n_equal} other piece(s) of as many atoms")
        if p_wrong > DOUBTFUL:
            said.append("it fits little better than random fragments; the sample may be another")
        zooms = fits.conditions.zooms
        if len(zooms) > 1 and fits.fit(motif.mask[None]).zoom[0] in (zooms[0], zooms[-1]):
            said.append("distances stand at the limit of their zoom; widen it")
        return tuple(said)


def make(settings: Mapping[str, object], folder: Path) -> Motifs:
    """Return the agent that a campaign's settings describe, its starting model read.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    return Motifs(MotifsSettings.model_validate(dict(settings)), folder)


def _pattern(fits: FragmentFits, motif: Motif | None) -> Curve:
    """Return G(r) as measured, beside the motif's where there is one."""
    columns = {"observed": fits.data.g_r}
    if motif is not None:
        calculated = fits.curve(motif.mask)
        columns |= {"calculated": calculated, "difference": fits.data.g_r - calculated}
    return Curve(fits.data.r, "r", "Å", columns, "1/Å²")


def _composition(formula: str) -> dict[str, float] | None:
    """Return element → amount of a plain formula such as ``W12O40``; None if it is none."""
    compact = "".join(formula.split())
    parts = _FORMULA.findall(compact)
    if not parts or "".join(symbol + amount for symbol, amount in parts) != compact:
        return None
    amounts: dict[str, float] = {}
    for symbol, amount in parts:
        amounts[symbol] = amounts.get(symbol, 0.0) + float(amount or 1)
    return amounts

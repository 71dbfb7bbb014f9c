"""pdf.match: which structure of a library explains an I(Q), S(Q), F(Q) or G(r)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.errors import BadPattern
from analysis.insight import Curve, Estimate, Insight
from analysis.pdf.clusters import LATTICES
from analysis.pdf.curves import SCAN_Q_MAX, Reading, read_curve
from analysis.pdf.library import Entry, cluster_entries, covered_entries, folder_entries
from analysis.pdf.match_settings import MatchSettings
from analysis.pdf.matching import Match, Scanner, chosen, fit
from analysis.pdf.weighing import WORST_RW, bond, by_class, doubt, n_atoms
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)

TYPE, LATTICE = "pdf.type", "pdf.lattice"
_UNITS = {"pdf.bond": "Å", "pdf.n_atoms": "", "pdf.b_iso": "Å²", "pdf.rw": ""}
_DOUBTFUL = 0.5
_NAMED = 3


class MatchAgent:
    """A scan of the whole library over the bond, then least squares of the best.

    Of several measurements the one with most independent points is matched.

    Class probabilities: ``pdf.type`` (octahedra apart from face-centred shapes, files by name) and
    ``pdf.lattice`` (octahedra counted as face-centred), each by the best structure of a class.

    Estimates: ``pdf.bond``, the shortest distance; ``pdf.n_atoms``; ``pdf.b_iso`` without a std
    that would be worth stating; ``pdf.rw`` of the best structure. The std of bond and size is the
    spread over the fitted structures by their probabilities, with each fit's own error; see
    `analysis.pdf.weighing`.

    `novelty` and `p_wrong` are the probability that the lattice named first is not the sample's,
    most often because no structure of the library is; see `analysis.pdf.weighing.doubt`.
    It abstains if the best fit is worse than `analysis.pdf.weighing.WORST_RW`.

    Parameters
    ----------
    settings : the library and how to read the curve.
    folder : where relative paths start.

    Raises
    ------
    BadPhase
        A folder holds no structures, or one that cannot be read.
    """

    name = "pdf.match"
    technique = "pdf"

    def __init__(self, settings: MatchSettings, folder: Path) -> None:
        self.settings = settings
        entries: tuple[Entry, ...] = ()
        if settings.clusters:
            entries += cluster_entries(settings.most_atoms) + covered_entries(settings.most_atoms)
        if settings.folder is not None:
            entries += folder_entries(folder / settings.folder, probe=settings.probe)
        self.scanner = Scanner(entries, bond_range=settings.bond_range, q_max=SCAN_Q_MAX)
        self._lattice_of: dict[str, str] = {}
        if settings.clusters:
            self._lattice_of.update(LATTICES.items())
        self._lattice_of.update((e.kind, e.lattice) for e in entries)

    @property
    def quantities(self) -> dict[str, str]:
        """Every quantity it can estimate → unit."""
        return dict(_UNITS)

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return type, bond and size of the structure that explains the curve best.

        The result depends on the measurements alone; `rng` is not used.

        Raises
        ------
        BadPattern
            A measurement is none of the four curves, or too short.
        """
        del rng
        taken, reading = self._choose(measurements)
        seen = tuple(m.id for m in measurements)
        matches = self.match(reading)
        best = matches[0]
        if best.rw > WORST_RW:
            return self._abstain(taken, seen, reading, matches)
        logger.info(
            "matched measurement=%s agent=%s entry=%s rw=%.4f",
            taken.id,
            self.name,
            best.entry.name,
            best.rw,
        )
        return self._insight(taken, seen, reading, matches)

    def match(self, reading: Reading) -> list[Match]:
        """Return the fitted structures, the best first."""
        candidates = chosen(self.scanner.scan(reading), best=self.settings.fitted, each=1)
        return sorted((fit(c, reading) for c in candidates), key=lambda m: m.rw)

    def read(self, measurement: Measurement) -> Reading:
        """Return a measurement as the settings say that it is read."""
        said = self.settings
        return read_curve(
            measurement,
            r_range=said.r_range,
            q_range=(said.q_min, said.q_max),
            q_damp=said.q_damp,
            element=said.element,
            probe=said.probe,
        )

    def _choose(self, measurements: Sequence[Measurement]) -> tuple[Measurement, Reading]:
        if not measurements:
            raise BadPattern(f"{self.name} was given no measurement; it needs one curve")
        read = [(m, self.read(m)) for m in measurements]
        return max(read, key=lambda pair: pair[1].n_independent)

    def _insight(
        self, taken: Measurement, seen: tuple[str, ...], reading: Reading, matches: Sequence[Match]
    ) -> Insight:
        best, length, size = matches[0], bond(matches), n_atoms(matches)
        unsure = doubt(matches, reading)
        rw_std = best.rw / np.sqrt(2 * reading.n_independent)
        return Insight(
            id=f"{taken.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            estimates={
                "pdf.bond": Estimate(length.mean, length.std, "Å"),
                "pdf.n_atoms": Estimate(size.mean, size.std, ""),
                "pdf.b_iso": Estimate(best.b_iso, None, "Å²"),
                "pdf.rw": Estimate(best.rw, float(rw_std), ""),
            },
            class_probabilities={
                TYPE: by_class(matches, of=lambda m: m.entry.kind, known=tuple(self._lattice_of)),
                LATTICE: by_class(
                    matches,
                    of=lambda m: m.entry.lattice,
                    known=tuple(dict.fromkeys(self._lattice_of.values())),
                ),
            },
            p_wrong=unsure,
            novelty=unsure,
            quality={"rw": best.rw, "n_independent": reading.n_independent},
            evidence={taken.y_name: _curve(taken, reading, best)},
            remarks=self._remarks(matches, unsure=unsure),
        )

    def _abstain(
        self, taken: Measurement, seen: tuple[str, ...], reading: Reading, matches: Sequence[Match]
    ) -> Insight:
        best = matches[0]
        reason = f"the best of the library, {best.entry.name}, ends at R_w = {best.rw:.2f}"
        logger.warning("abstained measurement=%s agent=%s: %s", taken.id, self.name, reason)
        return Insight(
            id=f"{taken.id}/{self.name}",
            agent=self.name,
            measurement_ids=seen,
            novelty=doubt(matches, reading),
            quality={"rw": best.rw},
            evidence={taken.y_name: _curve(taken, reading, best)},
            abstained=True,
            remarks=(f"{reason}, worse than {WORST_RW}; widen bond_range, or give its structure",),
        )

    def _remarks(self, matches: Sequence[Match], *, unsure: float) -> tuple[str, ...]:
        best = matches[0]
        names = ", ".join(
            f"{m.entry.name} ({m.entry.n_atoms} atoms, R_w = {m.rw:.3f})" for m in matches[:_NAMED]
        )
        found = [f"explained best by {names}"]
        if unsure > _DOUBTFUL:
            found.append("R_w is high: the structure may be none of the library")
        kin = [e.n_atoms for e in self.scanner.entries if e.kind == best.entry.kind]
        if len(kin) > 1 and best.entry.n_atoms > 0.95 * max(kin):
            found.append("the best is the largest of its kind; the sample may be larger")
        return tuple(found)


def make(settings: Mapping[str, object], folder: Path) -> MatchAgent:
    """Return the agent that a campaign's settings describe, its library made.

    Raises
    ------
    pydantic.ValidationError, BadPhase
        The settings are wrong.
    """
    return MatchAgent(MatchSettings.model_validate(dict(settings)), folder)


def _curve(taken: Measurement, reading: Reading, best: Match) -> Curve:
    columns = {
        "observed": reading.y,
        "calculated": best.calculated,
        "difference": reading.y - best.calculated,
    }
    return Curve(reading.x, taken.x_name, taken.x_unit, columns, taken.y_unit)

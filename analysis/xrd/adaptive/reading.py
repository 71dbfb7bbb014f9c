"""Reading: a spliced pattern → the phase sets that it allows, with the fit that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Crystal
from analysis.xrd.adaptive.hypotheses import Hypotheses, hypotheses, prior_log_odds
from analysis.xrd.adaptive.linear import LinearModel, linear_model
from analysis.xrd.adaptive.proposing import Proposer
from analysis.xrd.adaptive.scoring import Score, Scorer
from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.layout import Axis, Layout
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.splicing import Spliced
from analysis.xrd.texturing import carried, textured

FloatArray = NDArray[np.float64]

BACKGROUND_ORDER = 8

SCREENED = 0.003
"""Share of the Bragg area from which the screen proposes a candidate."""

MOST_SCREENED = 8
MOST_FITTED = 9

HOPELESS = 1e-3
"""Probability of being there below which a phase leaves the fit."""

WORTH = -5.0
"""Logarithm of the odds of being there from which a candidate outside joins the fit."""

ROUNDS = 2
"""How often phases join and leave, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a pattern says before anything more is measured.

    Attributes
    ----------
    proposed : indices of the candidates that were fitted.
    fit, model : of all of them; the model reaches as far as the instrument.
    sets : which of them may be there; its phases are in the order of `proposed`.
    """

    proposed: tuple[int, ...]
    fit: Fit
    model: LinearModel
    sets: Hypotheses

    @property
    def named(self) -> tuple[int, ...]:
        """Indices of the candidates of the likeliest set."""
        return tuple(i for i, held in zip(self.proposed, self.sets.holds[0], strict=True) if held)


class Reader:
    """Candidates and an instrument, ready to read patterns.

    Parameters
    ----------
    texture : phase → axis along which its March–Dollase texture is refined.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        *,
        radiation: Radiation,
        resolution: Resolution,
        texture: Mapping[str, Axis],
    ) -> None:
        self.crystals = tuple(crystals)
        self._radiation, self._resolution, self._texture = radiation, resolution, texture
        self._proposer = Proposer(
            self.crystals,
            radiation=radiation,
            resolution=resolution,
            least=SCREENED,
            most=MOST_SCREENED,
        )
        self._scorer = Scorer(self.crystals, radiation=radiation, resolution=resolution)

    def read(self, spliced: Spliced, *, reach: tuple[float, float] | None) -> Reading | None:
        """Return what a pattern says, None if no candidate is in it at all.

        What a screen proposes is fitted. Then the phases that are not there leave, the candidates
        of best score join, and all are fitted again.

        Parameters
        ----------
        reach : lowest and highest angle that can be measured [deg]; those of the pattern if None.
        """
        proposed = self._proposer.propose(spliced.fit_range(), step=spliced.step)
        if not proposed:
            return None
        whole = reach or (float(spliced.two_theta[0]), float(spliced.two_theta[-1]))
        reading = self._weighed(self.fitted(spliced, proposed), proposed, spliced, whole)
        for _ in range(ROUNDS):
            kept, joining = self._changed(reading)
            if not joining:
                break
            phases, layout, start = self._start(reading, kept, joining)
            fit = self._refined(spliced, layout, start)
            reading = self._weighed(fit, phases, spliced, whole)
        return reading

    def fitted(self, spliced: Spliced, phases: Sequence[int]) -> Fit:
        """Return the refined pattern of some candidates, textured where that explains much."""
        return self._refined(spliced, self._layout(phases, self._texture), None)

    def _refined(self, spliced: Spliced, layout: Layout, start: FloatArray | None) -> Fit:
        def refine(layout: Layout, start: FloatArray | None) -> Fit:
            return fit_pattern(
                spliced.fit_range(),
                layout=layout,
                radiation=self._radiation,
                background_order=BACKGROUND_ORDER,
                start=start,
            )

        return textured(refine(layout, start), refine)

    def _layout(self, phases: Sequence[int], texture: Mapping[str, Axis]) -> Layout:
        crystals = tuple(self.crystals[i] for i in phases)
        names = {c.name for c in crystals}
        return Layout(
            crystals,
            self._resolution,
            texture={n: axis for n, axis in texture.items() if n in names},
        )

    def _weighed(
        self, fit: Fit, phases: tuple[int, ...], spliced: Spliced, reach: tuple[float, float]
    ) -> Reading:
        model = linear_model(fit, spliced, reach=reach)
        information, statistic = model.statistic()
        sets = hypotheses(
            information,
            statistic,
            total=max(float(fit.scales.sum()), 1e-300),
            log_odds=self._log_odds(len(phases)) + model.freedom(),
        )
        return Reading(phases, fit, model, sets)

    def _log_odds(self, n: int) -> FloatArray:
        return prior_log_odds(n, n_candidates=len(self.crystals))

    def _changed(self, reading: Reading) -> tuple[tuple[int, ...], dict[int, Score]]:
        """Return which phases stay in the fit, and which join it with what is known of them."""
        kept = tuple(
            i for i, p in zip(reading.proposed, reading.sets.presence, strict=True) if p > HOPELESS
        )
        layout = reading.fit.problem.layout
        scores = self._scorer.scores(
            reading.model, reading.proposed, displacement=layout.displacement(reading.fit.vector)
        )
        odds = float(self._log_odds(1)[0])
        order = sorted(scores, key=lambda i: -scores[i].log_evidence)
        worth = [i for i in order if scores[i].log_evidence + odds > WORTH]
        return kept, {i: scores[i] for i in worth[: MOST_FITTED - len(kept)]}

    def _start(
        self, reading: Reading, kept: tuple[int, ...], joining: Mapping[int, Score]
    ) -> tuple[tuple[int, ...], Layout, FloatArray]:
        """Return the phases of the next fit in order, its layout, and where it starts."""
        phases = tuple(sorted((*kept, *joining)))
        layout = self._layout(phases, {**self._texture, **reading.fit.problem.layout.texture})
        vector = carried(reading.fit, layout)
        for k, slot in enumerate(layout.slots):
            if slot.phase is None or phases[slot.phase] in kept:
                continue
            score = joining[phases[slot.phase]]
            if slot.name in ("a", "b", "c"):
                vector[k] = 1.0 + score.strain
            elif slot.name == "size":
                vector[k] = np.log(score.size)
        return phases, layout, vector

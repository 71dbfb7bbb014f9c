"""Reading: a spliced pattern → the phase sets that it allows, with the fit that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.physics.crystal import Crystal
from analysis.xrd.adaptive.hypotheses import Hypotheses, hypotheses, prior_log_odds
from analysis.xrd.adaptive.linear import LinearModel, linear_model
from analysis.xrd.adaptive.proposing import Proposer
from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.layout import Axis, Layout
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.splicing import Spliced

BACKGROUND_ORDER = 8

SCREENED = 0.003
"""Share of the Bragg area from which a candidate is proposed."""

MOST_PROPOSED = 9


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
            most=MOST_PROPOSED,
        )

    def read(self, spliced: Spliced, *, reach: tuple[float, float] | None) -> Reading | None:
        """Return what a pattern says, None if no candidate is in it at all.

        Parameters
        ----------
        reach : lowest and highest angle that can be measured [deg]; those of the pattern if None.
        """
        proposed = self._proposer.propose(spliced.fit_range(), step=spliced.step)
        if not proposed:
            return None
        fit = self.fitted(spliced, proposed)
        whole = (float(spliced.two_theta[0]), float(spliced.two_theta[-1]))
        model = linear_model(fit, spliced, reach=reach or whole)
        information, statistic = model.statistic()
        sets = hypotheses(
            information,
            statistic,
            total=max(float(fit.scales.sum()), 1e-300),
            log_odds=prior_log_odds(len(proposed), n_candidates=len(self.crystals)),
        )
        return Reading(proposed, fit, model, sets)

    def fitted(self, spliced: Spliced, phases: Sequence[int]) -> Fit:
        """Return the refined pattern of some candidates."""
        crystals = tuple(self.crystals[i] for i in phases)
        names = {c.name for c in crystals}
        layout = Layout(
            crystals,
            self._resolution,
            texture={n: axis for n, axis in self._texture.items() if n in names},
        )
        return fit_pattern(
            spliced.fit_range(),
            layout=layout,
            radiation=self._radiation,
            background_order=BACKGROUND_ORDER,
        )

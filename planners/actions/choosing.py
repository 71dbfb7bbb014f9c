"""The action of most worth per cost: a new experiment, a replicate, or another look at a sample."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planners.actions.grounds import grounds_of
from planners.actions.records import Option
from planners.actions.scene import Scene
from planners.actions.weighing import Price, Weighed, weigh
from planners.errors import NothingLeftToPropose
from planners.objective import Objective
from planners.proposal import Alternative, Proposal, Reason
from planners.space import Point

logger = logging.getLogger(__name__)

SceneOf = Callable[[Sequence[Point]], Scene]
"""Takes what a planner would make next and its runners-up, nothing if nothing is left; returns
them, and other promising points, among the observations, with what is believed of all."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """A choice among actions.

    Attributes
    ----------
    planner : name of the planner that chooses.
    propose : returns what the planner would make next, were there nothing else to do.
    scene : as `SceneOf`; None where actions cannot be weighed, as `why_not` says.
    price : of new samples, in the currency of the options.
    replicates : whether an earlier recipe may be made once more.
    """

    planner: str
    objective: Objective
    propose: Callable[[], Proposal]
    scene: SceneOf | None
    price: Price
    replicates: bool
    why_not: str = ""

    def among(self, options: Sequence[Option]) -> Proposal:
        """Return the action of most worth per cost; a new experiment where nothing is worth more.

        Raises
        ------
        NothingLeftToPropose
            Nothing new can be made, and nothing that could be done instead is worth anything.
        """
        try:
            new = self.propose()
        except NothingLeftToPropose:
            if self.scene is None:
                raise
            scene = self.scene(())
            weighed = self._weighed(scene, options)
            if not weighed or weighed[0].worth <= 0.0:
                raise
            return self._proposed(scene, weighed, None)
        if self.scene is None:
            if not options:
                return new
            return _after(new, f"Samples that are there were not weighed, as {self.why_not}.")
        points = [new.values, *(a.values for a in new.reason.alternatives)]
        scene = self.scene(points)
        return self._proposed(scene, self._weighed(scene, options), new)

    def _weighed(self, scene: Scene, options: Sequence[Option]) -> list[Weighed]:
        return weigh(scene, options, price=self.price, replicates=self.replicates)

    def _proposed(self, scene: Scene, weighed: Sequence[Weighed], new: Proposal | None) -> Proposal:
        best = weighed[0]
        reason = Reason(planner=self.planner, text="") if new is None else new.reason
        grounds = grounds_of(scene, weighed, self.objective, reason.grounds)
        logger.info("chose to %s, worth %.3g a unit of cost", best.what, best.rate)
        if best.is_new and new is not None:
            return new.model_copy(update={"reason": reason.model_copy(update={"grounds": grounds})})
        reason = reason.model_copy(
            update={
                "planner": self.planner,
                "text": _text(best, weighed),
                "acquisition": "worth per cost",
                "acquisition_value": best.rate,
                "predicted": dict(best.predicted),
                "alternatives": _alternatives(new, weighed),
                "outlook": None,
                "grounds": grounds,
            }
        )
        again = None if best.option is None else best.option.again
        return Proposal(values=dict(best.values), reason=reason, measure_again=again)


def _text(best: Weighed, weighed: Sequence[Weighed]) -> str:
    new = next((w for w in weighed if w.is_new), None)
    text = f"To {best.what} is worth {best.worth:.3g} of utility for a cost of {best.cost:.3g}"
    if new is not None:
        text += f", a new experiment {new.worth:.3g} for {new.cost:.3g}"
    said = f" {best.option.reason}" if best.option is not None and best.option.reason else ""
    return f"{text}.{said}"


def _alternatives(new: Proposal | None, weighed: Sequence[Weighed]) -> tuple[Alternative, ...]:
    if new is None:
        return ()
    rate = next(w.rate for w in weighed if w.is_new)
    first = Alternative(values=new.values, acquisition_value=rate, predicted=new.reason.predicted)
    others = (a.model_copy(update={"acquisition_value": None}) for a in new.reason.alternatives)
    return (first, *others)


def _after(proposal: Proposal, text: str) -> Proposal:
    reason = proposal.reason.model_copy(update={"text": f"{proposal.reason.text} {text}"})
    return proposal.model_copy(update={"reason": reason})

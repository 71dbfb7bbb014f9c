"""What a planner holds of earlier campaigns: checked, fitted once, and opened with."""

from __future__ import annotations

from collections.abc import Sequence

from planners.bayesian.ranking import LEAST_RANKED
from planners.bayesian.transfer import EarlierProcess, earlier_processes
from planners.earlier import EarlierCampaign, best_of, check_earlier, shared_names
from planners.encoding import Encoding
from planners.errors import PlanningError
from planners.objective import Objective
from planners.parameters import CategoricalParameter
from planners.proposal import Proposal, Reason
from planners.settable import Value
from planners.space import Point, SearchSpace


class Lessons:
    """The earlier campaigns of one planner.

    Their processes depend on the space alone and are kept while it is the same; they are no memory
    of the campaign.

    Parameters
    ----------
    asked : what the settings ask to learn from.
    campaigns : what was found of it.
    """

    def __init__(self, asked: Sequence[str], campaigns: Sequence[EarlierCampaign]) -> None:
        self._asked, self._campaigns = tuple(asked), tuple(campaigns)
        self._space: SearchSpace | None = None
        self._fitted: dict[str, tuple[EarlierProcess, ...]] = {}

    def check(self, space: SearchSpace, objective: Objective) -> None:
        """Raise PlanningError if something asked for is missing or teaches nothing here."""
        if len(self._asked) > len(self._campaigns):
            raise PlanningError(
                f"`learn_from` asks for {', '.join(self._asked)}, and the experiments of "
                f"{len(self._campaigns)} earlier campaigns were given; a planner knows no store. "
                "Run the campaign where its earlier ones are kept, or give the planner `earlier`"
            )
        check_earlier(space, objective, self._campaigns)

    def may_end_filling(self, n_made: int) -> bool:
        """Return whether so many experiments can show that an earlier campaign foretells."""
        return bool(self._campaigns) and n_made >= LEAST_RANKED

    def processes(
        self, encoding: Encoding, quantities: Sequence[str]
    ) -> dict[str, tuple[EarlierProcess, ...]]:
        """Return quantity → the processes of earlier campaigns that know it."""
        if self._space is not encoding.space:
            self._space, self._fitted = encoding.space, {}
        for quantity in quantities:
            if quantity not in self._fitted:
                self._fitted[quantity] = earlier_processes(encoding, quantity, self._campaigns)
        return {q: self._fitted[q] for q in quantities}

    def opening(self, encoding: Encoding, objective: Objective, other: Point) -> Proposal | None:
        """Return the best experiment of an earlier campaign, as made here; None without any.

        It is of the first campaign that has one and foretells its own outcomes: the best of what
        looks like noise is a matter of luck.

        Parameters
        ----------
        other : gives the settings that the earlier campaign did not know.
        """
        fitted = self.processes(encoding, [t.quantity for t in objective.targets])
        for campaign in self._campaigns:
            best = best_of(objective, campaign)
            known = all(any(p.name == campaign.name for p in told) for told in fitted.values())
            if best is None or not known:
                continue
            point = {**other, **_settable(encoding.space, campaign.space, best.values)}
            made = encoding.decode(encoding.encode([point]))[0]
            text = f"The best experiment of the earlier campaign {campaign.name}, made here."
            return Proposal(values=made, reason=Reason(planner="bayesian", text=text))
        return None


def _settable(space: SearchSpace, earlier: SearchSpace, values: Point) -> dict[str, Value]:
    """Return what is shared of a point, without categories that are none here."""
    found: dict[str, Value] = {}
    for name in shared_names(space, earlier):
        if name not in values or name not in space.names:
            continue
        p = space.parameter(name)
        if not isinstance(p, CategoricalParameter) or values[name] in p.categories:
            found[name] = values[name]
    return found

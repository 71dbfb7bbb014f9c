"""The planner `preference`: for what nobody can put in numbers, but anybody can compare.

Two samples are laid side by side, and somebody says which one is better: a colour, a texture, a
diffraction pattern that looks cleaner. The planner learns a hidden utility from the answers, and
says which sample to make next and with which one to compare it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from planners.baselines import tried_points
from planners.comparing import Comparison, answers_of, comparisons_of, duels
from planners.context import latest
from planners.encoding import Encoding
from planners.errors import PlanningError
from planners.objective import Objective
from planners.proposal import Alternative, Observation, Prediction, Proposal, Reason
from planners.space import Point, SearchSpace

if TYPE_CHECKING:
    from planners.bayesian.goals.pairwise import PreferenceModel
    from planners.columns import Array

logger = logging.getLogger(__name__)

MAX_PARTNERS = 40
"""Samples with the highest utility among which a partner is sought."""

UTILITY = "utility"


class PreferenceSettings(BaseModel):
    """Settings of the planner `preference`.

    Attributes
    ----------
    n_initial : samples that fill the space before the answers steer.
    comparisons : answers beside those among the outcomes: the index of the better observation,
        then that of the worse one; the first observation is 0.
    n_candidates : random points scored before the best are improved, in infinite spaces.
    n_alternatives : runners-up stored with each proposal.
    seed : scrambles the initial design; a campaign fills in a number drawn from its own seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_initial: int = Field(default=3, ge=1)
    comparisons: tuple[tuple[int, int], ...] = ()
    n_candidates: int = Field(default=512, ge=16)
    n_alternatives: int = Field(default=3, ge=0)
    seed: int = Field(default=0, ge=0)


def preference_model(encoding: Encoding, comparisons: Sequence[Comparison]) -> PreferenceModel:
    """Return the utility that comparisons tell of. Raises PlanningError without any."""
    # Here, since a space is filled before anything needs scipy's optimiser.
    from planners.bayesian.goals.pairwise import fit_preferences

    rows: dict[tuple[float, ...], int] = {}
    pairs: list[tuple[int, int]] = []
    for comparison in comparisons:
        x = encoding.encode([comparison.better, comparison.worse])
        better, worse = (rows.setdefault(tuple(row.tolist()), len(rows)) for row in x)
        if better != worse:
            pairs.append((better, worse))
    return fit_preferences(np.array(list(rows)), pairs, groups=encoding.groups)


def pair_to_compare(
    space: SearchSpace, observations: Sequence[Observation], settings: PreferenceSettings
) -> tuple[int, int]:
    """Return the indices of the two samples made whose comparison is worth most.

    For when no new sample is made: of the pairs not compared yet, the one whose better sample is
    expected to be the best. Without any answer so far, the first two.

    Raises
    ------
    PlanningError
        Fewer than two samples were made, or every pair was compared.
    """
    told = (pair for i, o in enumerate(observations) for pair in answers_of(i, o))
    answers = [*settings.comparisons, *told]
    done = {frozenset(pair) for pair in answers}
    made = [i for i, o in enumerate(observations) if not o.failed]
    open_pairs = [(i, j) for i in made for j in made if i < j and frozenset((i, j)) not in done]
    if not open_pairs:
        raise PlanningError(
            f"{len(made)} samples were made and every pair of them was compared; make another one"
        )
    if not answers:
        return open_pairs[0]
    encoding = Encoding(space).at(latest(observations))
    model = preference_model(encoding, comparisons_of(observations, settings.comparisons))
    x = encoding.encode([o.values for o in observations])
    worth = model.best_of_two(x, x)
    return max(open_pairs, key=lambda pair: float(worth[pair]))


class PreferencePlanner:
    """Proposes samples to be compared, by the expected utility of the better one (EUBO).

    What is wanted is in the eye of whoever compares; of the objective only the quantity of the
    first target is looked at. Where it is among the outcomes it tells of duels with the leader
    (`duels`), and every new sample is to meet the leader. Else an observation tells any
    comparisons (`PREFERRED_TO`), and the best pair is sought. The text of a proposal, and
    ``compare_with`` in its reason's model, say with which sample to compare it; of two proposals
    asked for at once, the second is to be compared with the first.
    """

    name = "preference"

    def __init__(self, settings: PreferenceSettings) -> None:
        self.settings = settings

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """Return `n` samples to make next. See `Planner.propose`."""
        encoding = Encoding(space).at(latest(observations))
        quantity = objective.targets[0].quantity
        comparisons = comparisons_of(observations, self.settings.comparisons, quantity=quantity)
        leader = duels(observations, quantity)[1]
        made = sum(not o.failed for o in observations) + len(pending)
        if made < self.settings.n_initial or not comparisons:
            return self._fill(
                encoding, observations, pending, n, n_answers=len(comparisons), leader=leader
            )
        model = preference_model(encoding, comparisons)
        proposals: list[Proposal] = []
        waiting: list[Point] = list(pending)
        for _ in range(n):
            proposal = self._next(
                encoding, model, observations, waiting, len(comparisons), leader=leader, rng=rng
            )
            proposals.append(proposal)
            waiting.append(proposal.values)
        return proposals

    def _fill(
        self,
        encoding: Encoding,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
        *,
        n_answers: int,
        leader: int | None,
    ) -> list[Proposal]:
        from planners.bayesian.filling import fill

        points = fill(encoding, tried_points(observations, pending), n, seed=self.settings.seed)
        made = [i for i, o in enumerate(observations) if not o.failed]
        other = leader if leader is not None else made[-1] if made else None
        ask = "" if other is None else f" Compare it with experiment {other} (the first is 0)."
        reason = Reason(
            planner=self.name,
            text=f"Fills the space evenly, with {n_answers} comparisons so far.{ask}",
            model={} if other is None else {"compare_with": float(other)},
        )
        return [Proposal(values=point, reason=reason) for point in points]

    def _next(
        self,
        encoding: Encoding,
        model: PreferenceModel,
        observations: Sequence[Observation],
        waiting: Sequence[Point],
        n_answers: int,
        *,
        leader: int | None,
        rng: np.random.Generator,
    ) -> Proposal:
        from planners.bayesian.goals.pool import best_points

        made = [i for i, o in enumerate(observations) if not o.failed]
        partners = encoding.encode([observations[i].values for i in made])
        order = np.argsort(-model.predict(partners)[0], kind="stable")[:MAX_PARTNERS]
        favourite = made[int(order[0])]
        if leader is not None:
            order = np.array([made.index(leader)])
        under_way = encoding.encode(list(waiting)) if waiting else partners[:0]
        beside = under_way[-1:] if waiting else partners[order]

        def score(points: Sequence[Point], x: Array) -> Array:
            del points
            return np.asarray(model.best_of_two(x, beside).max(axis=1))

        broken = [o.values for o in observations if o.failed]
        failed = encoding.encode(broken) if broken else partners[:0]
        choices = best_points(
            encoding,
            score,
            tried=tried_points(observations, waiting),
            keep_away=np.concatenate([failed, under_way]),
            pinned=(),
            n_candidates=self.settings.n_candidates,
            count=1 + self.settings.n_alternatives,
            rng=rng,
        )
        x = np.array([c.x for c in choices])
        worth = model.best_of_two(x[:1], beside)[0]
        partner = None if waiting else made[int(order[int(np.argmax(worth))])]
        mean, std = model.predict(x)
        predicted = [
            {UTILITY: Prediction(mean=float(m), std=float(s))}
            for m, s in zip(mean, std, strict=True)
        ]
        with_what = "the sample under way" if partner is None else f"experiment {partner}"
        logger.info("chose %s to compare with %s", choices[0].point, with_what)
        reason = Reason(
            planner=self.name,
            text=(
                f"Compare it with {with_what}: of all pairs the better of these two is expected "
                f"to be the best. Utility predicted {mean[0]:.2g} ± {std[0]:.2g} from {n_answers} "
                f"comparisons; experiment {favourite} is believed the best so far (the first is 0)."
            ),
            acquisition="EUBO",
            acquisition_value=float(choices[0].value),
            predicted=predicted[0],
            alternatives=tuple(
                Alternative(values=c.point, acquisition_value=float(c.value), predicted=p)
                for c, p in zip(choices[1:], predicted[1:], strict=True)
            ),
            model={} if partner is None else {"compare_with": float(partner)},
        )
        return Proposal(values=choices[0].point, reason=reason)


def make(settings: Mapping[str, object]) -> PreferencePlanner:
    """Return the planner `preference`; its settings are those of `PreferenceSettings`."""
    return PreferencePlanner(PreferenceSettings.model_validate(dict(settings)))

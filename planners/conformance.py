"""What every planner must do, as one function for the authors of planners.

::

    from planners.conformance import check_planner

    def test_my_planner_keeps_the_contract():
        check_planner(make({}))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from planners.actions.protocols import ActionAware
from planners.actions.records import MeasureAgain, Option
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose, UnsupportedSpace
from planners.example_spaces import example_spaces
from planners.finite import table_of
from planners.objective import Objective, Target
from planners.parameters import Value
from planners.proposal import Observation, Proposal
from planners.protocols import Foretelling, Planner
from planners.sampling import draw_uniform
from planners.space import ContextVariable, Point, SearchSpace

__all__ = [
    "CHECKS",
    "OBJECTIVE",
    "check_planner",
    "example_observations",
    "example_spaces",
]

OBJECTIVE = Objective(targets=(Target(quantity="yield", goal="maximize"),))


def check_planner(
    planner: Planner,
    *,
    spaces: Mapping[str, SearchSpace] | None = None,
    n_observations: int = 12,
    seed: int = 0,
) -> None:
    """Check one planner against the contract; a broken promise raises AssertionError and names it.

    A planner may refuse a kind of space with `UnsupportedSpace`; it must serve at least one.

    Parameters
    ----------
    spaces : name → space to check in, by default `example_spaces`.
    n_observations : experiments in the tables of observations; enough that a model-based planner
        is past its initial design.
    seed : of the tables and of the planner's `rng`.
    """
    served = 0
    for name, space in (example_spaces() if spaces is None else spaces).items():
        try:
            planner.propose(space, OBJECTIVE, observations=(), rng=np.random.default_rng(seed))
        except UnsupportedSpace:
            continue
        served += 1
        for check in CHECKS:
            try:
                check(planner, space, n_observations, seed)
            except AssertionError as broken:
                raise AssertionError(
                    f"planner {planner.name!r} in the space {name!r}: {broken}"
                ) from broken
    assert served, f"planner {planner.name!r} refused every space"


def example_observations(
    space: SearchSpace, n: int, *, seed: int, failed: Sequence[int] = ()
) -> list[Observation]:
    """Return observations of a smooth function at random points, those in `failed` failed."""
    rng = np.random.default_rng(seed)
    points = draw_uniform(space, n, rng=rng, at_least=1)
    return [_observe(space, p, failed=i in failed) for i, p in enumerate(points)]


def starts_feasible(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """Without observations, `n` = 3 gives three distinct feasible points."""
    del n
    _expect_valid(_ask(planner, space, [], n=3, seed=seed), space, count=3)


def continues_feasible(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """With observations, a batch of two is distinct, feasible and explained."""
    observations = example_observations(space, _fit_in(space, n), seed=seed)
    proposals = _ask(planner, space, observations, n=2, seed=seed)
    _expect_valid(proposals, space, count=2)
    assert all(p.reason.planner and p.reason.text for p in proposals), "a proposal gives no reason"


def tells_its_outlook(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """What a planner says it foretells stands in the proposals of its model."""
    if not isinstance(planner, Foretelling):
        return
    observations = example_observations(space, _fit_in(space, n), seed=seed)
    reason = _ask(planner, space, observations, seed=seed)[0].reason
    if not reason.predicted:
        return
    told = {} if reason.outlook is None else reason.outlook.model_dump(exclude_none=True)
    missing = planner.foretells(OBJECTIVE) - set(told)
    assert not missing, f"the planner foretells {sorted(missing)}, and its reason does not say"


def repeats_itself(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """Equal arguments give equal proposals, whatever objects carry them, whatever came between."""
    observations = example_observations(space, _fit_in(space, n), seed=seed)
    first = _ask(planner, space, observations, seed=seed)
    _ask(planner, space, observations[:3], seed=seed + 1)
    copies = [Observation.model_validate_json(o.model_dump_json()) for o in observations]
    twin = SearchSpace.model_validate_json(space.model_dump_json())
    assert first == _ask(planner, twin, copies, seed=seed), (
        "equal arguments gave different proposals; a planner keeps no memory and draws only "
        "from `rng`"
    )


def respects_pending(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """A point under way does not come again."""
    observations = example_observations(space, _fit_in(space, n), seed=seed)
    waiting = [p.values for p in _ask(planner, space, observations, n=2, seed=seed)]
    proposals = _ask(planner, space, observations, pending=waiting, seed=seed)
    _expect_valid(proposals, space, count=1)
    assert proposals[0].values not in waiting, f"proposed {proposals[0].values}, which is pending"


def survives_failures(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """Failed experiments, even nothing but failed ones, do not stop the planner."""
    count = _fit_in(space, n)
    for failed in (range(count), range(0, count, 3)):
        observations = example_observations(space, count, seed=seed, failed=tuple(failed))
        proposals = _ask(planner, space, observations, seed=seed)
        _expect_valid(proposals, space, count=1)
        broken = [o.values for o in observations if o.failed]
        assert proposals[0].values not in broken, "proposed a point again that had failed"


def leaves_inputs_alone(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """The arguments are the same after the call."""
    observations = example_observations(space, _fit_in(space, n), seed=seed)
    pending: list[Point] = [observations.pop().values]
    before = [o.model_dump_json() for o in observations], [dict(p) for p in pending], space.names
    _ask(planner, space, observations, pending=pending, seed=seed)
    after = [o.model_dump_json() for o in observations], [dict(p) for p in pending], space.names
    assert before == after, "the planner changed its arguments"


def says_when_nothing_is_left(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """In a finite space every point comes once, then `NothingLeftToPropose`."""
    del n
    points = _all_points(space)
    if points is None:
        return
    observations = [_observe(space, p) for p in points[:-1]]
    last = _ask(planner, space, observations, seed=seed)[0].values
    assert last == points[-1], f"one point was left untried, {points[-1]}; proposed {last}"
    for pending in ([], [points[-1]]):
        done = observations if pending else [_observe(space, p) for p in points]
        try:
            extra = _ask(planner, space, done, pending=pending, seed=seed)
        except NothingLeftToPropose:
            continue
        raise AssertionError(f"every point was tried, yet {extra[0].values} was proposed")


def weighs_what_is_offered(planner: Planner, space: SearchSpace, n: int, seed: int) -> None:
    """A planner that weighs actions takes an option as it was offered, or a feasible new sample."""
    if not isinstance(planner, ActionAware):
        return
    observations = [
        o.model_copy(update={"stds": dict.fromkeys(o.outcomes, 0.2), "p_wrong": 0.1})
        for o in example_observations(space, _fit_in(space, n), seed=seed)
    ]
    options = _options(observations)
    for offered in (options, options[:1], []):
        chosen = _choose(planner, space, observations, offered, seed=seed)
        assert chosen == _choose(planner, space, observations, offered, seed=seed), (
            "equal arguments gave different actions; a planner keeps no memory and draws only "
            "from `rng`"
        )
        assert chosen.reason.text, "an action gives no reason"
        if chosen.measure_again is None:
            _expect_valid([chosen], space, count=1)
            continue
        rows = [o.row for o in offered if o.again == chosen.measure_again]
        assert rows, f"chose {chosen.measure_again!r}, which was not offered"
        assert chosen.values == observations[rows[0]].values, (
            f"proposed {chosen.values} for the sample made at {observations[rows[0]].values}"
        )


def _options(observations: Sequence[Observation]) -> list[Option]:
    """Return a cheap measurement of each sample, every second one with a promise."""
    return [
        Option(
            again=MeasureAgain(experiment=row, technique="table", settings={"repeats": 4.0}),
            row=row,
            cost=0.01 * (row + 1),
            stds=dict.fromkeys(o.outcomes, 0.01) if row % 2 else {},
            p_wrong=0.01 if row % 2 else None,
        )
        for row, o in enumerate(observations)
    ]


def _choose(
    planner: ActionAware,
    space: SearchSpace,
    observations: Sequence[Observation],
    options: Sequence[Option],
    *,
    seed: int,
) -> Proposal:
    return planner.choose_action(
        space,
        OBJECTIVE,
        observations=observations,
        options=options,
        new_cost=1.0,
        rng=np.random.default_rng(seed),
    )


Check = Callable[[Planner, SearchSpace, int, int], None]

CHECKS: tuple[Check, ...] = (
    leaves_inputs_alone,
    starts_feasible,
    continues_feasible,
    tells_its_outlook,
    repeats_itself,
    respects_pending,
    survives_failures,
    weighs_what_is_offered,
    says_when_nothing_is_left,
)
"""The promises, one function each."""


def _ask(
    planner: Planner,
    space: SearchSpace,
    observations: Sequence[Observation],
    *,
    seed: int,
    pending: Sequence[Point] = (),
    n: int = 1,
) -> list[Proposal]:
    return planner.propose(
        space,
        OBJECTIVE,
        observations=observations,
        pending=pending,
        n=n,
        rng=np.random.default_rng(seed),
    )


def _expect_valid(proposals: Sequence[Proposal], space: SearchSpace, *, count: int) -> None:
    assert len(proposals) == count, f"{count} proposals were asked for, {len(proposals)} came"
    for proposal in proposals:
        faults = space.faults(proposal.values)
        assert not faults, f"{proposal.values} is not feasible: {'; '.join(faults)}"
    keys = {tuple(sorted(p.values.items())) for p in proposals}
    assert len(keys) == count, "a batch proposes one point twice"


def _observe(
    space: SearchSpace, point: Mapping[str, Value], *, failed: bool = False
) -> Observation:
    if failed:
        return Observation(values=dict(point), failed=True, failure="the crucible broke")
    x = Encoding(space).encode([point])[0]
    context = {v.name: _reported(v, float(x[0])) for v in space.context}
    outcome = float(-((x - 0.4) ** 2).sum())
    return Observation(values=dict(point), outcomes={"yield": outcome}, context=context)


def _reported(variable: ContextVariable, share: float) -> Value:
    if variable.low is None or variable.high is None:
        return variable.categories[int(share * 7) % len(variable.categories)]
    return variable.low + share * (variable.high - variable.low)


def _fit_in(space: SearchSpace, n: int) -> int:
    points = _all_points(space)
    return n if points is None else min(n, len(points) - 3)


def _all_points(space: SearchSpace) -> list[dict[str, Value]] | None:
    table = table_of(space)
    return None if table is None else [table.point(i) for i in range(len(table))]

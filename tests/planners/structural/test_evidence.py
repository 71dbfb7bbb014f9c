"""Structure as evidence: it helps where the wanted quantity follows it, and costs nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import check_grad

from planners import (
    CandidateList,
    ContinuousParameter,
    Objective,
    Observation,
    SearchSpace,
    Target,
)
from planners.bayesian.gaussian_process import distance, matern52
from planners.bayesian.seeking import aimed_at, is_sought
from planners.bayesian.surrogate import fit_surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.structural.additive import AdditiveProcess, expected_rbf
from planners.structural.additive_fit import _Problem, fit_additive
from planners.structural.evidence import MEMBER, gathered
from planners.structural.families import families_of
from planners.structural.planner import StructuralPlanner, make
from planners.structural.whereabouts import Gap, Whereabouts
from planners.structure import Answer, Reading, Structure

OBJECTIVE = Objective(targets=(Target(quantity="hardness", goal="maximize"),))
BORDER = 0.55


@cache
def candidates() -> Array:
    return np.random.default_rng(7).uniform(size=(80, 2))


def space() -> SearchSpace:
    rows = tuple(tuple(map(float, row)) for row in candidates())
    return SearchSpace(candidates=CandidateList(columns=("iron", "nickel"), rows=rows))


def phase_at(x: Array) -> Array:
    """Return the share of the hard phase: a sharp, bent border."""
    border = BORDER + 0.15 * np.sin(6 * x[:, 1])
    return 1 / (1 + np.exp(-(x[:, 0] - border) / 0.01))


def structure(share: float, rng: np.random.Generator, *, p_wrong: float = 0.0) -> Structure:
    """Return what an agent reads: a pattern of six channels, and the phase."""
    soft, hard = np.array([1, 0.8, 0.1, 0, 0.2, 0]), np.array([0, 0.2, 0.1, 1, 0.9, 0.4])
    channels = share * hard + (1 - share) * soft + 0.02 * rng.standard_normal(6)
    p = float(np.clip(share, 0.02, 0.98))
    return Structure(
        numbers={
            f"xrd.channel.{k}": Reading(value=float(v), std=0.02, p_wrong=p_wrong)
            for k, v in enumerate(channels)
        },
        answers={"phase": Answer(probabilities={"hard": p, "soft": 1 - p}, p_wrong=p_wrong)},
    )


def made(
    rows: Array, *, rng: np.random.Generator, follows: bool = True, shuffled: bool = False
) -> list[Observation]:
    x = candidates()[rows]
    shares = phase_at(x)
    value = 2 * shares + 0.3 * x[:, 1] if follows else np.sin(3 * x[:, 0]) + x[:, 1]
    read = rng.permutation(shares) if shuffled else shares
    return [
        Observation(
            values={"iron": float(a), "nickel": float(b)},
            outcomes={"hardness": float(v)},
            structure=structure(float(s), rng),
        )
        for (a, b), v, s in zip(x, value, read, strict=True)
    ]


def weight(observations: list[Observation]) -> tuple[float, AdditiveProcess]:
    """Return the weight of the process with structure, and that process."""
    encoding = Encoding(space())
    found = gathered(
        encoding,
        OBJECTIVE,
        observations,
        [],
        settings=make({}).settings.otherwise,
        at_face_value=False,
    )
    assert found is not None
    blend = found.surrogates["hardness"].blend
    assert blend is not None
    assert blend.names[-1] == MEMBER
    return float(blend.weights[-1]), found.processes["hardness"]


def whereabouts(observations: list[Observation], *, plain: bool = False) -> Whereabouts:
    encoding = Encoding(space())
    family = next(f for f in families_of(observations) if f.name == "xrd.channel")
    x = encoding.encode_observations(observations)
    return Whereabouts(family, x, groups=encoding.groups, at_face_value=plain)


def test_numbers_that_differ_in_their_last_part_and_answers_are_families() -> None:
    observations = made(np.arange(12), rng=np.random.default_rng(0))
    found = {f.name: f for f in families_of(observations)}
    assert set(found) == {"xrd.channel", "phase"}
    scores = found["xrd.channel"].scores
    assert scores.shape[1] <= 4
    # Two phases mix along one direction: its score has unit variance, whatever else is noise.
    assert scores[:, 0].std() == pytest.approx(1.0, abs=1e-6)
    assert np.all(scores[:, 1:].std(axis=0) < 0.3)


def test_readings_that_few_samples_have_are_no_family() -> None:
    observations = made(np.arange(12), rng=np.random.default_rng(0))
    few = [
        o if i < 3 else o.model_copy(update={"structure": Structure()})
        for i, o in enumerate(observations)
    ]
    assert families_of(few) == []


def test_certain_samples_are_as_near_as_a_plain_kernel_says() -> None:
    mean = np.random.default_rng(1).normal(size=(5, 3))
    square = (mean[:, None] - mean) ** 2
    plain = np.exp(-0.5 * square.sum(axis=2) / 0.7**2)
    assert expected_rbf(Gap(square, np.zeros(square.shape)), 0.7) == pytest.approx(plain, rel=1e-12)


def test_expected_nearness_is_the_mean_over_draws() -> None:
    off, wide = np.array([0.8, -0.8]), np.array([0.6, 0.4])
    draws = off + np.sqrt(wide) * np.random.default_rng(2).standard_normal((200_000, 2))
    seen = np.exp(-0.5 * (draws**2).sum(axis=1) / 0.8**2).mean()
    gap = Gap((off**2)[None, None], wide[None, None])
    # Standard error of the mean of 200 000 values between 0 and 1 is below 0.001.
    assert expected_rbf(gap, 0.8)[0, 0] == pytest.approx(seen, abs=0.004)


def test_gradients_of_the_evidence_are_those_of_differences() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(size=(9, 2)), rng.normal(size=9)
    gaps = []
    for _ in range(2):
        mean, variance = rng.normal(size=(9, 2)), rng.uniform(0, 0.5, (9, 2))
        wide = variance[:, None] + variance
        wide[np.arange(9), np.arange(9)] = 0.0
        gaps.append(Gap((mean[:, None] - mean) ** 2, wide))
    known = np.where(np.arange(9) < 4, 0.05, np.nan)
    problem = _Problem(x, y, known, np.zeros(9), np.array([0, 1]), gaps)
    for _ in range(3):
        theta = problem.start() + 0.5 * rng.standard_normal(len(problem.start()))
        off = check_grad(lambda t: problem.loss(t)[0], lambda t: problem.loss(t)[1], theta)
        assert off < 1e-4 * np.linalg.norm(problem.loss(theta)[1])


def test_structure_that_decides_the_quantity_gets_weight() -> None:
    found, process = weight(made(np.arange(24), rng=np.random.default_rng(0)))
    assert found > 0.4
    assert process.parameters.shares.sum() > 0.3


def test_shuffled_structure_switches_itself_off() -> None:
    rng = np.random.default_rng(1)
    found, process = weight(made(np.arange(24), rng=rng, follows=False, shuffled=True))
    # Half the weight is the prior's; what counts is the variance given to structure.
    assert found * process.parameters.shares.sum() < 0.15


def test_a_swapped_reading_is_noticed_though_its_agent_was_sure() -> None:
    observations = made(np.arange(30), rng=np.random.default_rng(2))
    shares = phase_at(candidates()[:30])
    far = np.abs(candidates()[:30, 0] - BORDER) > 0.25
    wrong = int(np.flatnonzero(far & (shares < 0.5))[0])
    swapped = observations[wrong].model_copy(
        update={"structure": structure(1.0, np.random.default_rng(0))}
    )
    changed = [swapped if i == wrong else o for i, o in enumerate(observations)]
    assert whereabouts(observations).right[wrong] > 0.8
    assert whereabouts(changed).right[wrong] < 0.5
    assert whereabouts(changed, plain=True).right[wrong] == 1.0


def test_doubt_widens_where_a_sample_lies_continuously() -> None:
    observations = made(np.arange(30), rng=np.random.default_rng(2))
    widths = []
    for p_wrong in (0.0, 0.5, 0.9, 0.99):
        read = structure(float(phase_at(candidates()[:1])[0]), np.random.default_rng(5))
        doubted = read.model_copy(
            update={
                "numbers": {
                    n: r.model_copy(update={"p_wrong": p_wrong}) for n, r in read.numbers.items()
                }
            }
        )
        changed = [observations[0].model_copy(update={"structure": doubted}), *observations[1:]]
        widths.append(float(whereabouts(changed).at(candidates()[:1])[1][0, 0]))
    assert widths == sorted(widths)
    assert widths[-1] > 2 * widths[0]


def test_unmade_samples_are_foretold_with_more_doubt_than_made_ones() -> None:
    observations = made(np.arange(30), rng=np.random.default_rng(2))
    _, variance = whereabouts(observations).at(candidates())
    assert variance[:30, 0].mean() < 0.7 * variance[30:, 0].mean()


def test_a_sample_is_as_near_to_itself_as_can_be_though_its_structure_is_unknown() -> None:
    observations = made(np.arange(12), rng=np.random.default_rng(2))
    x = candidates()[40:50]
    gap = whereabouts(observations).between(x, x)
    assert np.diagonal(gap.wide, axis1=0, axis2=1) == pytest.approx(0.0, abs=1e-9)
    assert gap.wide[0, 1:].max() > 0.01


def test_what_is_foretold_of_a_sample_unread_is_what_the_others_foretell() -> None:
    observations = made(np.arange(16), rng=np.random.default_rng(4))
    encoding = Encoding(space())
    x = encoding.encode_observations(observations)
    found = whereabouts(observations)
    gap = found.unread(x)
    course, spread = found._courses[0], found._spread[0]
    scales = course.parameters.lengths[course.groups]
    prior = course.parameters.signal * matern52(distance(x / scales, x / scales))
    full = prior + np.diag(course.variances)
    for i in (0, 7):
        rest = np.arange(16) != i
        solved = np.linalg.solve(full[np.ix_(rest, rest)], prior[rest])
        mean = course.parameters.mean + solved.T @ (course.y[rest] - course.parameters.mean)
        left = prior - prior[rest].T @ solved
        everyone, variance = found.at(x)
        j = (i + 3) % 16
        assert gap.square[i, j, 0] == pytest.approx((mean[i] * spread - everyone[j, 0]) ** 2)
        wide = (left[i, i] - 2 * left[i, j]) * spread**2 + variance[j, 0]
        assert gap.wide[i, j, 0] == pytest.approx(max(wide, 0.0), abs=1e-9)


def test_leaving_a_sample_out_takes_outcome_and_structure_away() -> None:
    _, process = weight(made(np.arange(16), rng=np.random.default_rng(4)))
    mean, std = process.leave_one_out()
    p = process.parameters
    scaled = process.x / p.lengths[process.groups]
    full = p.signal * matern52(distance(scaled, scaled))
    cross = full.copy()
    for family, share, reach in zip(process.families, p.structure, p.reaches, strict=True):
        full += share * expected_rbf(family.between(process.x, process.x), reach)
        cross += share * expected_rbf(family.unread(process.x), reach)
    for i in (0, 5, 11):
        rest = np.arange(16) != i
        among = full[np.ix_(rest, rest)] + np.diag(process.variances[rest])
        solved = np.linalg.solve(among, cross[i, rest])
        told = p.mean + solved @ (process.y[rest] - p.mean)
        assert mean[i] == pytest.approx(told, abs=1e-6)
        left = p.signal + p.structure.sum() - solved @ cross[i, rest] + process.variances[i]
        assert std[i] == pytest.approx(np.sqrt(left), rel=1e-5)


def test_a_process_tells_the_same_alone_and_jointly_and_falls_where_believed() -> None:
    _, process = weight(made(np.arange(20), rng=np.random.default_rng(4)))
    x = candidates()[20:30]
    mean, std = process.predict(x)
    together, covariance = process.joint(x)
    assert together == pytest.approx(mean, abs=1e-9)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(std, abs=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > -1e-8
    later = process.believing(x[:3])
    assert later.predict(x)[0] == pytest.approx(mean, abs=1e-6)
    assert np.all(later.predict(x[:3])[1] < std[:3])


def steps(planner: StructuralPlanner, *, seed: int) -> int:
    """Return the number of experiments until a third of the ten hardest are found."""
    rng = np.random.default_rng([seed, 9])
    all_rows = made(np.arange(80), rng=rng)
    value = np.array([o.outcomes["hardness"] for o in all_rows])
    best, listed = set(np.argsort(-value)[:10].tolist()), space().candidates
    assert listed is not None
    rows = rng.choice(80, 2, replace=False).tolist()
    while len(best & set(rows)) < 4 and len(rows) < 60:
        [proposal] = planner.propose(
            space(),
            OBJECTIVE,
            observations=[all_rows[i] for i in rows],
            rng=np.random.default_rng([seed, len(rows)]),
        )
        row = listed.index(proposal.values)
        assert row is not None
        rows.append(row)
    return len(rows)


def test_campaigns_with_structure_find_hard_samples_early() -> None:
    found = [steps(make({"seed": seed}), seed=seed) for seed in range(3)]
    # At random four of the ten hardest of eighty take 28 experiments in the median.
    assert np.median(found) <= 16


def test_a_space_that_is_not_finite_is_searched_where_the_hard_phase_is_foretold() -> None:
    free = SearchSpace(
        parameters=(
            ContinuousParameter(name="iron", low=0.0, high=1.0),
            ContinuousParameter(name="nickel", low=0.0, high=1.0),
        )
    )
    observations = made(np.arange(20), rng=np.random.default_rng(4))
    pending = [{"iron": 0.9, "nickel": 0.9}]
    proposals = make({}).propose(
        free,
        OBJECTIVE,
        observations=observations,
        pending=pending,
        n=2,
        rng=np.random.default_rng(0),
    )
    points = np.array([[float(p.values["iron"]), float(p.values["nickel"])] for p in proposals])
    assert np.all(phase_at(points) > 0.5)
    assert not np.allclose(points[0], points[1], atol=0.005)
    assert all("Structure has weight" in p.reason.text for p in proposals)
    again = make({}).propose(
        free,
        OBJECTIVE,
        observations=observations,
        pending=pending,
        n=2,
        rng=np.random.default_rng(0),
    )
    assert [p.values for p in again] == [p.values for p in proposals]


@pytest.mark.parametrize("goal", ["match", "boundary"])
def test_what_is_not_maximised_or_minimised_is_left_to_gaussian_processes(goal: str) -> None:
    target = Target.model_validate({"quantity": "hardness", "goal": goal, "value": 1.0})
    [proposal] = make({}).propose(
        space(),
        Objective(targets=(target,)),
        observations=made(np.arange(12), rng=np.random.default_rng(4)),
        rng=np.random.default_rng(0),
    )
    assert proposal.reason.planner == "bayesian"


def test_a_proposal_says_how_much_structure_weighs_and_which_reading() -> None:
    observations = made(np.arange(20), rng=np.random.default_rng(4))
    [proposal] = make({}).propose(
        space(), OBJECTIVE, observations=observations, rng=np.random.default_rng(0)
    )
    assert proposal.reason.planner == "structure"
    assert "Structure has weight" in proposal.reason.text
    assert "likeness of structures" in proposal.reason.text
    assert {"hardness follows xrd.channel", "hardness follows phase"} <= set(proposal.reason.model)


def test_without_structure_it_chooses_as_the_bayesian_planner() -> None:
    observations = [
        o.model_copy(update={"structure": Structure()})
        for o in made(np.arange(12), rng=np.random.default_rng(4))
    ]
    planner = make({})
    [proposal] = planner.propose(
        space(), OBJECTIVE, observations=observations, rng=np.random.default_rng(0)
    )
    assert proposal.reason.planner == "bayesian"
    assert "Chosen without structure" in proposal.reason.text


def test_fitting_needs_no_number_of_families_in_particular() -> None:
    observations = made(np.arange(20), rng=np.random.default_rng(4))
    encoding = Encoding(space())
    x = encoding.encode_observations(observations)
    y = np.array([o.outcomes["hardness"] for o in observations])
    y = (y - y.mean()) / y.std()
    families = [
        Whereabouts(f, x, groups=encoding.groups, at_face_value=False)
        for f in families_of(observations)
    ]
    for count in (1, 2):
        process = fit_additive(
            x,
            y,
            np.full(20, np.nan),
            np.zeros(20),
            groups=encoding.groups,
            families=families[:count],
        )
        assert process.parameters.shares.shape == (count,)
        mean, std = process.leave_one_out()
        assert np.corrcoef(mean, y)[0, 1] > 0.8
        assert np.all(std > 0)


def test_a_level_that_no_known_phase_reaches_sends_the_planner_to_what_nobody_has_made() -> None:
    """Both sides of the plateau are known; a sliver of the space is of a third phase."""
    rng = np.random.default_rng(6)
    rows = np.flatnonzero(candidates()[:, 0] < 0.75)[:16]
    known = made(rows, rng=rng)
    chosen = {}
    for level in (None, 5.0):
        objective = Objective(targets=(Target(quantity="hardness", goal="maximize", value=level),))
        proposal = make({"seed": 0}).propose(space(), objective, observations=known, rng=rng)[0]
        chosen[level] = float(proposal.values["iron"])
        assert ("is not reached" in proposal.reason.text) == (level is not None)
    farthest = candidates()[rows, 0].max()
    assert chosen[5.0] - farthest > 0.1


def test_a_level_is_sought_until_it_is_expected_to_be_reached() -> None:
    rng = np.random.default_rng(6)
    encoding, known = Encoding(space()), made(np.arange(16), rng=rng)
    x = encoding.encode_observations(known)
    best = max(o.outcomes["hardness"] for o in known)
    for level, sought in ((None, False), (best - 0.2, False), (best + 0.2, True)):
        objective = Objective(targets=(Target(quantity="hardness", goal="maximize", value=level),))
        surrogates = fit_surrogates(encoding, objective, known)
        assert is_sought(objective, surrogates, x) is sought


def test_what_is_aimed_at_is_a_utility_whatever_the_direction() -> None:
    low = Objective(targets=(Target(quantity="loss", goal="minimize", value=0.3),))
    assert aimed_at(low) == pytest.approx(-0.3)
    assert aimed_at(OBJECTIVE) == -np.inf


def test_a_person_may_say_which_readings_can_be_evidence() -> None:
    observations = made(np.arange(16), rng=np.random.default_rng(0))
    assert [f.name for f in families_of(observations, among=["phase"])] == ["phase"]
    planner = make({"seed": 0, "evidence": ["phase"]})
    rng = np.random.default_rng(0)
    proposal = planner.propose(space(), OBJECTIVE, observations=observations, rng=rng)[0]
    told = [name for name in proposal.reason.model if " follows " in name]
    assert told == ["hardness follows phase"]

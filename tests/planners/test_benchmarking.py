"""How replays on recorded pools are counted, and anybody's table as a pool."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planners import (
    CandidateList,
    ContinuousParameter,
    Objective,
    Observation,
    PlanningError,
    SearchSpace,
    Target,
)
from planners.baselines import make_random, make_sobol
from planners.benchmarking import (
    area,
    first_hit,
    found,
    front_course,
    pool_from_csv,
    random_area,
    random_first_hit,
    replay,
    starts,
    summary,
    top_rows,
)
from planners.errors import UnsupportedSpace

CSV = "salt,temperature,name,yield\n" + "".join(
    f"{'NaCl' if i % 2 else 'KCl'},{300 + 10 * i},s{i},{-((i - 13) ** 2)}\n" for i in range(20)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "furnace.csv"
    path.write_text(CSV)
    return path


def test_the_top_is_the_best_twentieth_rounded_up() -> None:
    gains = np.arange(101.0)
    assert list(top_rows(gains)) == [100, 99, 98, 97, 96, 95]


def test_finding_the_whole_top_at_once_leaves_only_the_wait_for_it() -> None:
    assert list(found([7, 8, 1, 2], [7, 8])) == [0.5, 1.0, 1.0, 1.0]
    assert area([7, 8, 1, 2], [7, 8]) == pytest.approx(87.5)
    assert first_hit([1, 2, 8], [7, 8]) == 3
    assert first_hit([1, 2], [7, 8]) == np.inf


@given(n=st.integers(4, 9), k=st.integers(1, 3))
def test_the_median_first_hit_of_chance_is_that_of_all_orders(n: int, k: int) -> None:
    firsts = [min(where) + 1 for where in combinations(range(n), k)]
    exact = next(t for t in range(1, n + 1) if np.mean([f <= t for f in firsts]) >= 0.5)
    assert random_first_hit(n, k) == exact


def test_chance_needs_thirteen_of_a_hundred_for_one_of_five() -> None:
    # P(no hit within 12) = 0.514, within 13 = 0.483
    assert random_first_hit(100, 5) == 13


def test_random_replays_have_the_area_that_is_expected_of_them(table: Path) -> None:
    pool = pool_from_csv(table, target="yield", maximize=True, ignore=["name"])
    top = top_rows(pool.gains)
    areas = [
        area(np.random.default_rng(seed).permutation(20)[:10].tolist(), top) for seed in range(4000)
    ]
    # standard deviation 33 over 4000 draws: three standard errors
    assert np.mean(areas) == pytest.approx(random_area(20, 10), abs=1.6)


def test_a_front_is_complete_when_every_trade_off_was_made() -> None:
    gains = [[0.0, 0.0], [1.0, 50.0], [2.0, 0.0], [0.0, 100.0], [0.5, 10.0]]
    course = front_course([0, 1, 2, 3, 4], gains)
    # scaled to the unit square the point (0.5, 0.5) is all the volume that has two sides
    assert course == pytest.approx([0, 100, 100, 100, 100])


def test_the_front_does_not_depend_on_units() -> None:
    rng = np.random.default_rng(0)
    gains = rng.random((30, 3))
    scaled = gains * [1e-6, 1.0, 1e6] + [5.0, 0.0, -1e6]
    rows = list(range(30))
    assert front_course(rows, scaled) == pytest.approx(front_course(rows, gains))


def test_every_planner_gets_the_same_starts() -> None:
    one = starts(50, 2, rng=np.random.default_rng(4))
    assert one == starts(50, 2, rng=np.random.default_rng(4))
    assert len(set(one)) == 2


@pytest.mark.parametrize(("late", "batch"), [(0, 1), (3, 1), (0, 4)])
def test_a_replay_evaluates_each_candidate_at_most_once(table: Path, late: int, batch: int) -> None:
    pool = pool_from_csv(table, target="yield", maximize=True)
    made = replay(
        make_random({}),
        pool.space,
        pool.objective,
        answer=pool.answer,
        given=[0, 1],
        budget=50,
        rng_at=lambda n: np.random.default_rng([1, n]),
        late=late,
        batch=batch,
    )
    assert sorted(made.rows) == list(range(20))
    assert len(made.cpu_seconds) == 18


def test_late_results_are_pending_and_not_known() -> None:
    class Watching:
        name = "watching"

        def __init__(self) -> None:
            self.seen: list[tuple[int, int]] = []

        def propose(self, space, objective, *, observations, pending=(), n=1, rng):  # type: ignore[no-untyped-def]
            self.seen.append((len(observations), len(pending)))
            return make_random({}).propose(
                space, objective, observations=observations, pending=pending, n=n, rng=rng
            )

    listed = CandidateList(columns=("x",), rows=tuple((float(i),) for i in range(12)))
    space = SearchSpace(candidates=listed)
    planner = Watching()
    replay(
        planner,
        space,
        Objective(targets=(Target(quantity="y", goal="maximize"),)),
        answer=lambda row: Observation(values={"x": float(row)}, outcomes={"y": 1.0}),
        given=[0, 1],
        budget=8,
        rng_at=np.random.default_rng,
        late=3,
    )
    assert planner.seen[1:] == [(2, 0), (2, 1), (2, 2), (2, 3), (3, 3), (4, 3)]


def test_a_space_that_no_record_can_answer_is_refused(table: Path) -> None:
    pool = pool_from_csv(table, target="yield", maximize=True)
    free = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=1),))
    with pytest.raises(UnsupportedSpace, match="list of candidates"):
        replay(
            make_sobol({}),
            free,
            pool.objective,
            answer=pool.answer,
            given=[0, 1],
            budget=5,
            rng_at=np.random.default_rng,
        )


def test_a_minimised_column_has_its_best_at_the_bottom(table: Path) -> None:
    pool = pool_from_csv(table, target="yield", maximize=False, ignore=["name"])
    assert list(top_rows(pool.gains)) == [0]
    assert pool.objective.targets[0].goal == "minimize"


def test_text_is_categorical_and_repeated_settings_are_one_candidate(table: Path) -> None:
    table.write_text(CSV + "KCl,300,s0,-69\n")
    pool = pool_from_csv(table, target="yield", maximize=True, ignore=["name"])
    assert len(pool) == 20
    assert pool.space.parameter("salt").type == "categorical"
    assert pool.answer(0).outcomes == {"yield": (-169 - 69) / 2}


@pytest.mark.parametrize(
    ("change", "options", "why"),
    [
        (("yield", "gain"), {}, "no column 'yield'; it has salt, temperature, name, gain"),
        (("NaCl,310", ",310"), {}, "no value of 'salt' in line 3; every candidate"),
        (("-169", "much"), {}, "'much' as 'yield' in line 2; the target must be a number"),
        (("-169", ""), {}, "no value of 'yield' in line 2"),
        (("-169", "inf"), {}, "infinite value of 'yield'"),
        (("", ""), {"ignore": ["salts"]}, "no column 'salts'"),
        (("", ""), {"ignore": ["name", "temperature", "salt"]}, "no column beside the target"),
        (("", ""), {"ignore": ["name", "temperature"]}, "holds 2 different candidates"),
    ],
)
def test_a_table_that_is_no_pool_says_what_to_mend(
    table: Path, change: tuple[str, str], options: dict[str, list[str]], why: str
) -> None:
    table.write_text(CSV.replace(*change, 1) if change[0] else CSV)
    with pytest.raises(PlanningError, match=why):
        pool_from_csv(table, target="yield", maximize=True, **options)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanningError, match="cannot be read as a table"):
        pool_from_csv(tmp_path / "absent.csv", target="y", maximize=True)


def test_a_summary_rests_on_all_seeds() -> None:
    s = summary(
        [[0, 1, 2], [2, 1, 0]], [0], cpu_seconds=[0.1, 0.3, 0.2], rng=np.random.default_rng(0)
    )
    assert (s.area, s.first_hit, s.found, s.n_seeds) == pytest.approx((200 / 3, 2.0, 1.0, 2))
    assert s.low <= s.area <= s.high
    assert s.cpu_seconds == 0.2

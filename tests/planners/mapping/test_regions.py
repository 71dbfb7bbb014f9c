"""Regions are found from patterns alone, and a wrong reading makes none."""

from __future__ import annotations

import numpy as np
import pytest

from planners.columns import Array
from planners.encoding import Encoding
from planners.mapping.charting import chart_of
from planners.mapping.classifying import RegionMap
from planners.mapping.maps import PhaseMap, doubt_of
from planners.mapping.readings import Labels, readings_for
from planners.mapping.regions import labelled_regions
from planners.proposal import Observation
from tests.planners.mapping.world import observed, places, region_at, space

ROWS = range(30)


def chart(observations: list[Observation], of: str = "xrd.channel") -> PhaseMap:
    found = chart_of(Encoding(space()), observations, of=of)
    assert found is not None
    return found


def agreement(found: PhaseMap, x: Array) -> float:
    """Return the share of points whose region has the name that most of its region bear."""
    told = found.probabilities(x).argmax(axis=1)
    true = region_at(x)
    right = sum(np.bincount(true[told == k]).max() for k in np.unique(told))
    return float(right / len(x))


@pytest.mark.parametrize("of", ["xrd.channel", "xrd.class", ""])
def test_three_regions_are_found_from_thirty_samples(of: str) -> None:
    found = chart([observed(i) for i in ROWS], of)
    assert len(found.names) == 3
    # A quarter of the places are measured; a nearest neighbour of 30 in a square errs at borders.
    assert agreement(found, Encoding(space()).encode(list(points()))) > 0.85


def test_a_question_gives_its_own_names_to_the_regions() -> None:
    assert set(chart([observed(i) for i in ROWS], "xrd.class").names) == {
        "phase 0",
        "phase 1",
        "phase 2",
    }


def test_a_reading_that_may_be_wrong_and_contradicts_its_neighbours_is_not_believed() -> None:
    regions = region_at(places()[:30])
    apart = np.linalg.norm(places()[:30, None] - places()[None, :30], axis=2)
    nearest = np.argsort(apart, axis=1)[:, 1:6]
    inside = int(np.flatnonzero((regions[nearest] == regions[:, None]).all(axis=1))[0])
    stranger = observed(inside, seen_as=(int(regions[inside]) + 1) % 3, p_wrong=0.4)
    found = chart([stranger, *(observed(i) for i in ROWS if i != inside)])
    assert len(found.names) == 3
    assert isinstance(found, RegionMap)
    assert found.regions.right[0] < 0.5
    assert found.doubted == 1


def test_a_single_odd_pattern_rests_on_too_little_for_a_region() -> None:
    odd = observed(3)
    numbers = {
        name: reading.model_copy(update={"value": 2.0 if name.endswith("4") else 0.0})
        for name, reading in odd.structure.numbers.items()
    }
    odd = odd.model_copy(
        update={"structure": odd.structure.model_copy(update={"numbers": numbers})}
    )
    found = chart([observed(i) for i in ROWS if i != 3] + [odd])
    assert isinstance(found, RegionMap)
    assert found.regions.support.min() >= 2.0


def test_an_answer_that_its_neighbours_contradict_follows_them() -> None:
    x = np.random.default_rng(0).uniform(size=(20, 2))
    told = np.tile([0.97, 0.03], (20, 1))
    told[4] = [0.03, 0.97]
    wrong = np.full(20, 0.03)
    wrong[4] = 0.6
    labels = Labels("xrd.class", np.ones(20, dtype=np.bool_), ("a", "b"), told, wrong)
    found = labelled_regions(labels, x)
    assert found.members[4, 0] > 0.5
    assert found.right[4] < 0.4


def test_doubt_is_highest_at_borders() -> None:
    found = chart([observed(i) for i in ROWS])
    x = Encoding(space()).encode(list(points()))
    p = np.sort(found.probabilities(x), axis=1)
    between = p[:, -1] - p[:, -2] < 0.2
    assert doubt_of(p)[between].min() > np.median(doubt_of(p))


def test_a_reading_where_regions_meet_tells_more_than_one_inside() -> None:
    found = chart([observed(i) for i in ROWS])
    x = Encoding(space()).encode(list(points()))
    gain, doubt = found.gain(x, x), doubt_of(found.probabilities(x))
    order = np.argsort(doubt)
    assert gain[order[-30:]].mean() > 3 * gain[order[:30]].mean()


def test_what_is_under_way_is_not_worth_reading_again() -> None:
    found = chart([observed(i) for i in ROWS])
    x = Encoding(space()).encode(list(points()))
    best = int(found.gain(x, x).argmax())
    waiting = found.believing(x[best : best + 1])
    assert waiting.gain(x, x)[best] < found.gain(x, x)[best]


def test_probabilities_sum_to_one_and_mean_what_they_say() -> None:
    found = chart([observed(i) for i in ROWS], "xrd.class")
    x = Encoding(space()).encode(list(points()))
    p = found.probabilities(x)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    order = [int(name[-1]) for name in found.names]
    right = np.array(order)[p.argmax(axis=1)] == region_at(x)
    # Confidence and frequency of 90 places that were not read differ by chance by up to 0.1.
    assert abs(right[30:].mean() - p[30:].max(axis=1).mean()) < 0.12


def test_nothing_is_mapped_where_nothing_was_read() -> None:
    blind = [o.model_copy(update={"structure": type(o.structure)()}) for o in map(observed, ROWS)]
    assert readings_for(blind, "") is None
    assert chart_of(Encoding(space()), blind, of="") is None


def points() -> list[dict[str, float]]:
    return [dict(zip(("iron", "nickel"), map(float, row), strict=True)) for row in places()]

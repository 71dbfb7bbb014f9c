"""The property beside a map: it may jump at borders, and what is left to gain is told."""

from __future__ import annotations

import numpy as np

from planners.bayesian.settings import BayesianSettings
from planners.columns import Array
from planners.encoding import Encoding
from planners.mapping.charting import chart_of, points_of
from planners.mapping.property import Property, learnt_property
from planners.proposal import Observation
from tests.planners.mapping.world import OBJECTIVE, hardness, observed, places, region_at, space

ENCODING = Encoding(space())


def learnt(observations: list[Observation]) -> Property:
    chart = chart_of(ENCODING, observations, of="xrd.class")
    assert chart is not None
    found = learnt_property(
        ENCODING,
        OBJECTIVE,
        observations,
        (),
        chart=chart,
        over=points_of(ENCODING, seed=0),
        settings=BayesianSettings(),
        rng=np.random.default_rng(0),
    )
    assert found is not None
    return found


def smooth(observation: Observation, x: Array) -> Observation:
    """Return the same experiment with a property that knows no regions."""
    value = float(np.sin(3 * x[0]) + np.cos(2 * x[1]))
    return observation.model_copy(update={"outcomes": {"hardness": value}})


def test_regions_tell_of_a_property_that_jumps_and_not_of_one_that_runs_smoothly() -> None:
    jumping = [observed(i) for i in range(30)]
    running = [smooth(o, places()[i]) for i, o in enumerate(jumping)]
    jumps, runs = (learnt(o).weight_of_regions()["hardness"] for o in (jumping, running))
    assert jumps > 0.3
    assert runs < jumps


def test_a_property_that_jumps_is_foretold_better_with_its_regions() -> None:
    found = learnt([observed(i) for i in range(30)])
    unread = ENCODING.encode(list(_points()))[30:]
    true = hardness(places()[30:])
    surrogate = found.surrogates["hardness"]
    assert surrogate.blend is not None
    told, _ = surrogate.predict(unread)
    alone = surrogate.process.predict(unread)[0] * surrogate.scale + surrogate.location
    assert np.abs(told - true).mean() < np.abs(alone - true).mean()


def test_little_is_left_to_gain_where_most_is_measured() -> None:
    few, most = learnt([observed(i) for i in range(14)]), learnt([observed(i) for i in range(100)])
    assert 0 <= most.left < 0.5 * few.left


def test_the_share_is_of_the_whole_range_and_so_below_one() -> None:
    found = learnt([observed(i) for i in range(20)])
    share = found.share(ENCODING.encode(list(_points())))
    assert share.min() >= 0
    assert share.max() < 1
    # The hard region is known, so that the soft one promises less.
    soft = region_at(places()) == 0
    assert share[soft].mean() < share[~soft].mean()


def _points() -> list[dict[str, float]]:
    return [dict(zip(("iron", "nickel"), map(float, row), strict=True)) for row in places()]

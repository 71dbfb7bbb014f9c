"""Maps put every insight where its pattern was taken."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.insight import Estimate, Insight
from analysis.xrd.maps import map_of

KEY = "xrd.lattice.rutile.a"


def insight(value: float | None, *, std: float | None = 0.001) -> Insight:
    if value is None:
        return Insight("m/a", "a", ("m",), abstained=True, remarks=("nothing there",))
    return Insight("m/a", "a", ("m",), {KEY: Estimate(value, std, "Å")})


def test_values_stand_at_their_places_whatever_the_order() -> None:
    places = [(1.0, 0.0), (0.0, 2.0), (0.0, 0.0), (1.0, 2.0), (0.5, 2.0)]
    x, y = zip(*places, strict=True)
    found = map_of([insight(10 * a + b) for a, b in places], KEY, x=x, y=y)
    assert found.x.tolist() == [0.0, 0.5, 1.0]
    assert found.y.tolist() == [0.0, 2.0]
    wanted = [[0.0, np.nan, 10.0], [2.0, 7.0, 12.0]]
    np.testing.assert_array_equal(found.values, wanted)
    assert found.unit == "Å"


def test_what_was_not_told_is_nan() -> None:
    found = map_of(
        [insight(4.6), insight(None), insight(4.5, std=None)], KEY, x=[0, 1, 2], y=[0] * 3
    )
    np.testing.assert_array_equal(found.values, [[4.6, np.nan, 4.5]])
    np.testing.assert_array_equal(found.std, [[0.001, np.nan, np.nan]])


@pytest.mark.parametrize(("x", "sentence"), [([0.0], "one place an insight"), ([1.0, 1.0], "two")])
def test_places_that_do_not_fit_are_refused(x: list[float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        map_of([insight(1.0), insight(2.0)], KEY, x=x, y=[0.0, 0.0])

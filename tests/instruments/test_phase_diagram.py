"""An invented phase diagram keeps the rules of real ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.simulated.phase_diagram import (
    DWELL,
    PERCOLATION,
    PhaseDiagram,
    shares_of,
)

DIAGRAM = PhaseDiagram.draw(3)
LOOKED = np.random.default_rng(0).random((300, 3))


def fired_to_the_end(shares: np.ndarray) -> np.ndarray:
    """Return the points with so long a dwell that nothing is left of the precursor."""
    return np.column_stack([shares[:, :2], np.full(len(shares), 5.0)])


def test_fractions_of_all_phases_sum_to_one():
    found = DIAGRAM.fractions(LOOKED)
    assert found.min() >= 0.0
    assert found.sum(axis=1) == pytest.approx(np.ones(len(LOOKED)))


def test_at_most_two_phases_are_stable_beside_each_other_in_a_binary():
    """Gibbs' phase rule: at a given temperature and pressure three are exceptional."""
    found = DIAGRAM.fractions(fired_to_the_end(LOOKED))
    assert ((found > 1e-6).sum(axis=1) <= 2).all()


@settings(max_examples=20, deadline=None)
@given(t=st.floats(0.0, 1.0))
def test_in_a_two_phase_field_amounts_change_linearly_with_composition(t):
    """The lever rule, wherever the same two phases stand beside each other."""
    x = np.linspace(0.0, 1.0, 101)
    points = np.column_stack([x, np.full(101, t), np.full(101, 5.0)])
    found = DIAGRAM.fractions(points)
    mixed = found.max(axis=1) < 1 - 1e-9
    bent = np.abs(np.diff(found, n=2, axis=0)).max(axis=1)
    same = np.array([set(np.flatnonzero(f > 0)) == set(np.flatnonzero(g > 0)) for f, g in
                     zip(found[:-2], found[2:], strict=True)])  # fmt: skip
    inside = mixed[:-2] & mixed[1:-1] & mixed[2:] & same
    assert bent[inside].max(initial=0.0) < 1e-6


def test_what_was_fired_briefly_and_cold_is_still_the_precursor():
    cold, hot = np.array([[0.5, 0.0, 0.0]]), np.array([[0.5, 1.0, 1.0]])
    stable = DIAGRAM.fractions(fired_to_the_end(cold))[0, 0]
    assert DIAGRAM.fractions(cold)[0, 0] > stable + 0.5 * (1 - stable)
    # ten hours are 33 time constants at the highest temperature
    assert DIAGRAM.fractions(hot) == pytest.approx(DIAGRAM.fractions(fired_to_the_end(hot)))


def test_the_property_jumps_where_the_best_phase_connects():
    at = np.repeat(DIAGRAM.top[None], 2, axis=0)
    amounts = np.zeros((2, 4))
    other = int(np.argmin(DIAGRAM.level))
    amounts[:, DIAGRAM.best] = PERCOLATION + np.array([-0.1, 0.1])
    amounts[:, other] = 1 - amounts[:, DIAGRAM.best]
    below, above = DIAGRAM.value(at, amounts)
    assert above == pytest.approx(1.0, abs=0.1)  # what is left of the other phase
    assert below < 0.6


def test_where_settings_decide_amounts_do_not_matter():
    diagram = PhaseDiagram.draw(3, law="settings")
    rng = np.random.default_rng(1)
    some, others = rng.dirichlet(np.ones(4), (2, len(LOOKED)))
    assert np.array_equal(diagram.value(LOOKED, some), diagram.value(LOOKED, others))


def test_the_best_phase_conducts_in_a_small_part_of_every_diagram():
    for seed in range(5):
        diagram = PhaseDiagram.draw(seed)
        share = (diagram.fractions(LOOKED)[:, diagram.best] > PERCOLATION).mean()
        # 300 points tell a share of 0.05 to 0.12 to 0.02; it was drawn by 100 others
        assert 0.01 < share < 0.2


def test_a_diagram_follows_from_its_seed():
    one, two, other = PhaseDiagram.draw(3), PhaseDiagram.draw(3), PhaseDiagram.draw(4)
    assert np.array_equal(one.centre, two.centre)
    assert not np.array_equal(one.centre, other.centre)


def test_a_small_share_of_the_range_is_a_small_step_of_its_unit():
    at = shares_of(np.array([0.0, 8.0]), np.array([550.0, 950.0]), np.array(DWELL))
    assert at == pytest.approx(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))

"""A longer count keeps what its request promises, and so does a scan of part of the range."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.physics.structures import structure
from analysis.xrd.adaptive.sureness import share_left
from analysis.xrd.agents.quantify import make
from analysis.xrd.forward import PhaseState
from tests.analysis.xrd.patterns import counted
from tests.analysis.xrd.test_adaptive import TRACE, adaptive, read, scan

MIXTURE = [
    PhaseState(structure("rutile"), 0.35, size=300.0),
    PhaseState(structure("anatase"), 0.65, size=200.0),
]


def test_four_times_the_counts_leave_the_std_that_was_promised() -> None:
    agent = make({"phases": ["rutile", "anatase"], "background_order": 5}, Path())
    ratios = []
    for seed in range(6):
        short = counted(MIXTURE, rng=np.random.default_rng(seed), peak=60, background=10.0)
        long = counted(MIXTURE, rng=np.random.default_rng(100 + seed), peak=240, background=40.0)
        asked = agent.analyze([short], rng=np.random.default_rng(0)).next_measurement
        after = agent.analyze([replace(long, id="s/xrd/1")], rng=np.random.default_rng(0))
        assert asked is not None
        assert set(asked.promised) >= {"xrd.weight_fraction.rutile", "xrd.weight_fraction.anatase"}
        kept = after.estimates["xrd.weight_fraction.rutile"].std
        assert kept is not None
        ratios.append(kept / asked.promised["xrd.weight_fraction.rutile"])
    # The std of a short count is itself known to some 20 %; over six seeds the mean to 10 %.
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.2)


def test_a_longer_count_never_promises_more_doubt() -> None:
    agent = make({"phases": ["rutile", "anatase"], "background_order": 5}, Path())
    short = counted(MIXTURE, rng=np.random.default_rng(7), peak=60, background=10.0)
    said = agent.analyze([short], rng=np.random.default_rng(0))
    asked = said.next_measurement
    assert asked is not None
    assert asked.p_wrong is not None
    assert said.p_wrong is not None
    assert asked.p_wrong <= said.p_wrong
    for quantity, std in asked.promised.items():
        now = said.estimates[quantity].std
        assert now is not None
        assert 0.5 * now - 1e-12 <= std <= now


def test_a_scan_that_should_tell_phases_apart_promises_less_doubt_and_keeps_it() -> None:
    agent, promised, kept = adaptive(), [], []
    for seed in range(2):
        first = scan(TRACE, time=0.5, seed=seed)
        said = read(agent, first)
        asked = said.next_measurement
        assert asked is not None
        assert asked.p_wrong is not None
        assert said.p_wrong is not None
        assert asked.p_wrong < said.p_wrong
        s = asked.settings
        more = scan(
            TRACE,
            low=float(s["two_theta_min"]),
            high=float(s["two_theta_max"]),
            time=float(s["counting_time"]),
            seed=100 + seed,
        )
        after = read(agent, first, more)
        assert after.p_wrong is not None
        promised.append(asked.p_wrong)
        kept.append(after.p_wrong)
    # A promise is an expectation over outcomes that scatter from certain to undecided.
    assert np.mean(kept) == pytest.approx(np.mean(promised), abs=0.2)


def test_all_the_information_leaves_no_doubt_and_none_leaves_it_all() -> None:
    assert share_left(0.5, 0.5) == 0.0
    assert share_left(0.5, 0.0) == 1.0
    assert share_left(0.5, None) == 1.0
    assert share_left(0.5, 0.2) == pytest.approx(0.6)

"""Alarms are told within three turns, and hardly ever without a reason."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.insight import Estimate
from orchestrator.trust.alarms import alarms
from orchestrator.trust.statements import Foretold, Statement, Truth

Q = "xrd.weight_fraction.rutile"
TURNS = 30


def course(
    seed: int,
    *,
    onset: int = TURNS,
    shift: float = 0.0,
    scatter: float = 1.0,
    doubt: float = 0.02,
) -> list[Statement]:
    """Return 30 turns of one agent whose instrument or samples change at a turn.

    The figures of merit follow the samples' settings, as they do in a laboratory.
    """
    rng = np.random.default_rng(seed)
    found = []
    for turn in range(TURNS):
        later = turn >= onset
        place = rng.random(2)
        zero = 0.02 * rng.standard_normal() * (scatter if later else 1.0)
        zero += shift * later
        rwp = np.exp(0.1 * rng.standard_normal() + np.sin(4 * place[0])) / 10
        found.append(
            Statement(
                turn,
                "xrd.quantify",
                {"xrd.displacement": Estimate(float(zero), 0.01, "deg")},
                p_wrong=doubt if later else float(rng.uniform(0.0, 0.05)),
                quality={"rwp": float(rwp)},
                values={"temperature": 500 + 300 * place[0], "dwell": place[1]},
            )
        )
    return found


def told(statements: list[Statement], kind: str) -> int | None:
    """Return the turn at which an alarm of one kind is first told."""
    for n in range(1, len(statements) + 1):
        if any(alarm.kind == kind for alarm in alarms(statements[:n])):
            return statements[n - 1].turn
    return None


@pytest.mark.parametrize("seed", range(3))
def test_a_zero_that_jumps_is_told_within_three_turns(seed: int) -> None:
    turn = told(course(seed, onset=15, shift=0.2), "drift")
    assert turn is not None
    assert 15 <= turn <= 17


def test_an_instrument_that_scatters_more_is_told_though_its_mean_stands() -> None:
    assert told(course(5, onset=12, scatter=12.0), "drift") is not None


def test_quiet_campaigns_raise_no_alarm() -> None:
    loud = [seed for seed in range(100, 112) if any(alarms(course(seed)[:n]) for n in (10, 20, 30))]
    assert not loud


@pytest.mark.parametrize("seed", range(3))
def test_an_unknown_phase_is_told_within_three_turns(seed: int) -> None:
    turn = told(course(seed, onset=15, doubt=0.7), "unknown_phase")
    assert turn is not None
    assert 15 <= turn <= 17


def test_one_doubtful_sample_is_no_unknown_phase() -> None:
    statements = course(0)
    odd = Statement(12, "xrd.quantify", p_wrong=0.9)
    assert told([*statements[:12], odd, *statements[13:]], "unknown_phase") is None


def test_what_a_person_has_seen_to_is_not_told_again() -> None:
    statements = course(1, onset=15, shift=0.2)[:20]
    [alarm] = alarms(statements)
    assert alarm.since in (14, 15)
    assert alarms(statements, resolved={("drift", "xrd.quantify"): 19}) == []


def test_missed_truths_tell_an_over_confident_agent() -> None:
    statements = [Statement(i, "a", {Q: Estimate(0.1 * i, 0.001, "")}) for i in range(5)]
    truths = [Truth(i, Q, 0.1 * i + 0.01) for i in range(5)]
    assert [a.kind for a in alarms(statements, truths=truths)] == ["overconfident"]
    close = [Truth(i, Q, 0.1 * i + 0.001) for i in range(5)]
    assert alarms(statements, truths=close) == []


def test_a_property_that_leaves_its_predictions_is_told() -> None:
    rng = np.random.default_rng(3)
    fared = [Foretold(n, "yield", float(rng.standard_normal())) for n in range(14)]
    assert alarms([], foretold=fared) == []
    assert alarms([], foretold=[*fared, Foretold(14, "yield", 9.0)]) == []  # one may be a fluke
    [alarm] = alarms([], foretold=[*fared, Foretold(14, "yield", 5.0), Foretold(15, "yield", -6.0)])
    assert (alarm.kind, alarm.agent) == ("property", "yield")

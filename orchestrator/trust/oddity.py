"""Oddity: is one statement unlike those that its agent made before in this campaign?

Three signs, each a number that is 1 at the threshold: the agent's own doubt beside its usual one;
nuisances of the instrument beside their usual spread; and the numbers beside what samples of
similar settings foretell, which alone shows a swapped sample. The thresholds let through 95 of 100
readings of the titania twin (development laboratories of `benchmarks/calibration_of_estimates.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.trust.alarms import is_nuisance, settings_of
from orchestrator.trust.foretelling import deviation
from orchestrator.trust.statements import Statement

BEFORE = 10
"""Statements from which on an agent's usual ways are known."""

DOUBT = 3.0
"""Log odds of being wrong above the usual ones."""

INSTRUMENT = 4.0
"""Deviations of a nuisance in robust standard deviations."""

PLACE = 2.1
"""Root mean square deviation of the numbers from what similar samples foretell."""

VAGUE = 3.0
"""A number counts half where its std is a third of the spread of that quantity over samples."""

FLOORS = {"doubt": 0.5, "instrument": 0.5}
"""Sign → least probability of being wrong that an odd statement has.

What similar samples foretold otherwise is told and not doubted: it may be the find that is sought.
"""

LEAST_DOUBT = 0.005


@dataclass(frozen=True, slots=True)
class Oddity:
    """How odd one statement is.

    Attributes
    ----------
    doubt, instrument, place : the three signs; 0 where they cannot be told.
    nuisance : the oddest nuisance, if any.
    """

    doubt: float = 0.0
    instrument: float = 0.0
    place: float = 0.0
    nuisance: str = ""

    @property
    def score(self) -> float:
        """The largest sign; the statement is odd from 1 on."""
        return max(self.doubt, self.instrument, self.place)

    @property
    def floor(self) -> float:
        """Least probability that the statement is wrong; 0 of a mere surprise."""
        return max((FLOORS[name] for name in FLOORS if getattr(self, name) >= 1), default=0.0)

    @property
    def why(self) -> str:
        """What is odd, as a phrase; empty if nothing is."""
        parts = []
        if self.doubt >= 1:
            parts.append("it doubts itself far more than before")
        if self.instrument >= 1:
            parts.append(f"{self.nuisance} is far from what it was before")
        if self.place >= 1:
            parts.append("samples of similar settings were read otherwise")
        return ", and ".join(parts)


def oddity(statement: Statement, earlier: Sequence[Statement]) -> Oddity:
    """Return how odd a statement is beside the earlier ones of its agent, in any order."""
    known = [s for s in earlier if s.agent == statement.agent and s.turn != statement.turn]
    if len(known) < BEFORE:
        return Oddity()
    nuisance, instrument = _instrument(statement, known)
    return Oddity(_doubt(statement, known), instrument, _place(statement, known), nuisance)


def _doubt(statement: Statement, known: Sequence[Statement]) -> float:
    doubts = [s.p_wrong for s in known if s.p_wrong is not None]
    if statement.p_wrong is None or len(doubts) < BEFORE:
        return 0.0
    return (_log_odds(statement.p_wrong) - _log_odds(float(np.median(doubts)))) / DOUBT


def _instrument(statement: Statement, known: Sequence[Statement]) -> tuple[str, float]:
    worst, odd = "", 0.0
    for key, estimate in statement.estimates.items():
        if not is_nuisance(key):
            continue
        values = np.array([s.estimates[key].value for s in known if key in s.estimates])
        if len(values) < BEFORE:
            continue
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        spread = float(np.hypot(spread, estimate.std or 0.0))
        away = abs(estimate.value - middle) / spread / INSTRUMENT if spread > 0 else 0.0
        if away > odd:
            worst, odd = key, away
    return worst, odd


def _place(statement: Statement, known: Sequence[Statement]) -> float:
    """Return how far the numbers lie from what similar samples foretell, poorly known ones less."""
    squares, weights = [], []
    for key, estimate in statement.estimates.items():
        if is_nuisance(key):
            continue
        others = [s for s in known if key in s.estimates]
        places = settings_of([statement, *others])
        if len(others) < BEFORE or places is None:
            continue
        values = np.array([s.estimates[key].value for s in others])
        away = deviation(places[1:], values, place=places[0], value=estimate.value)
        vague = VAGUE * (estimate.std or 0.0) / max(float(values.std()), 1e-12)
        squares.append(away**2)
        weights.append(1 / (1 + vague**2))
    return float(np.sqrt(np.average(squares, weights=weights))) / PLACE if squares else 0.0


def _log_odds(p_wrong: float) -> float:
    p = min(max(p_wrong, LEAST_DOUBT), 1 - LEAST_DOUBT)
    return float(np.log(p / (1 - p)))

"""Trials: one sample measured in every way at equal time, and what became of its phases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from adaptive.scanners import AERIS, RecordedScanner, thinned
from adaptive.simulated import Sample
from adaptive.strategies import Step, adaptive, at_random, extended, read, rescanned, told, uniform
from analysis.xrd.agents.adaptive import Adaptive
from instruments.measurement import Measurement

FAST_SPEED = AERIS.channels
"""Counting time over angle of simulated fast scans [s/deg]: a degree a second of machine time."""

FAST_RANGE = (10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one way of measuring told of one sample.

    Attributes
    ----------
    way : ``fast``, ``adaptive``, ``rescan``, ``uniform``, ``extend`` or ``random``.
    truth, minor, named : names of phases.
    """

    sample: str
    way: str
    seconds: float
    truth: tuple[str, ...]
    minor: tuple[str, ...]
    named: tuple[str, ...]
    sure: float

    @property
    def exact(self) -> bool:
        """Whether the set is the right one."""
        return set(self.named) == set(self.truth)


def simulated_trials(agent: Adaptive, sample: Sample, seed: int) -> list[Trial]:
    """Return every way of measuring a simulated sample, each given the same time at most."""
    scanner = sample.scanner(seed=[seed, 1])
    first = scanner.scan(low=FAST_RANGE[0], high=FAST_RANGE[1], speed=FAST_SPEED)
    assert first is not None
    rng = np.random.default_rng([seed, 2])
    path = adaptive(agent, scanner, first)
    spent = path[-1].seconds
    steps: dict[str, Step] = {
        "fast": path[0],
        "adaptive": path[-1],
        "uniform": uniform(agent, scanner, spent),
        "rescan": path[0],
        "extend": path[0],
        "random": path[0],
    }
    if len(path) > 1:
        steps["rescan"] = rescanned(agent, scanner, first, spent)
        steps["extend"] = extended(agent, scanner, first, spent)
        steps["random"] = at_random(agent, scanner, first, spent, rng=rng)
    names = [c.name for c in agent.reader.crystals]
    truth, minor = ([names[i] for i in sorted(s)] for s in (sample.phases, sample.minor))
    return [_trial(f"simulated {seed}", w, s, names, truth, minor) for w, s in steps.items()]


def recorded_trials(
    agent: Adaptive,
    name: str,
    fast: Measurement,
    slow: Measurement,
    truth: Sequence[str],
    *,
    share: float,
    seed: int,
) -> list[Trial]:
    """Return every way of measuring a recorded sample in the agent's time, and the slow scan.

    Parameters
    ----------
    share : of the fast scan's counting time that is used; less than 1 thins it.
    seed : deals the counts out.
    """
    rng = np.random.default_rng([seed, *name.encode()])
    first = fast if share >= 1 else thinned(fast, share, rng=rng)
    path = adaptive(agent, RecordedScanner(slow, rng=rng), first)
    spent = path[-1].seconds
    fresh = [RecordedScanner(slow, rng=rng) for _ in range(3)]
    steps: dict[str, Step] = {
        "fast": path[0],
        "adaptive": path[-1],
        "uniform": uniform(agent, fresh[0], spent),
        "rescan": path[0],
        "random": path[0],
        "slow": told([slow], read(agent, [slow])),
    }
    if len(path) > 1:
        steps["rescan"] = rescanned(agent, fresh[1], first, spent)
        steps["random"] = at_random(agent, fresh[2], first, spent, rng=rng)
    names = [c.name for c in agent.reader.crystals]
    return [_trial(name, w, s, names, truth, ()) for w, s in steps.items()]


def shown(trials: Iterable[Trial]) -> dict[str, dict[str, float]]:
    """Print and return figures of each way: precision, recall, exact sets, time."""
    trials = list(trials)
    slow = {t.sample: set(t.named) for t in trials if t.way == "slow"}
    found: dict[str, dict[str, float]] = {}
    head = f"{'way':24}{'n':>4}{'s':>7}{'exact':>8}{'precision':>11}{'recall':>8}{'minor':>8}"
    print(head + ("  as the slow scan" if slow else ""))
    for way in dict.fromkeys(t.way for t in trials):
        mine = [t for t in trials if t.way == way]
        right = sum(len(set(t.named) & set(t.truth)) for t in mine)
        minor = sum(len(set(t.named) & set(t.minor)) for t in mine)
        figures = {
            "n": len(mine),
            "seconds": float(np.mean([t.seconds for t in mine])),
            "exact": float(np.mean([t.exact for t in mine])),
            "precision": right / max(sum(len(t.named) for t in mine), 1),
            "recall": right / sum(len(t.truth) for t in mine),
            "minor": minor / max(sum(len(t.minor) for t in mine), 1),
            "sure": float(np.mean([t.sure for t in mine])),
        }
        if slow:
            figures["as_slow"] = float(np.mean([set(t.named) == slow[t.sample] for t in mine]))
        found[way] = figures
        print(
            f"{way:24}{len(mine):4d}{figures['seconds']:7.0f}{figures['exact']:8.3f}"
            f"{figures['precision']:11.3f}{figures['recall']:8.3f}{figures['minor']:8.3f}"
            + (f"{figures['as_slow']:18.3f}" if slow else "")
        )
    return found


def _trial(
    sample: str, way: str, step: Step, names: list[str], truth: Sequence[str], minor: Sequence[str]
) -> Trial:
    named = tuple(names[i] for i in step.named)
    return Trial(sample, way, step.seconds, tuple(truth), tuple(minor), named, step.sure)

"""Agents that contradict each other on real patterns: the weighed mixtures of the round robin.

The five mixtures of corundum, fluorite and zincite (Madsen et al. 2001) hold the same phases, so no
reader of one pattern sees that it is another mixture's. Every second channel of a pattern counts as
one scan and the rest as another: their counts are independent, their mounting is not. Two agents
read the first scan, over a wide and a narrow range; a third reads the second with other structures.
Three cases, each for every mixture and phase: all is well; the first scan is of another mixture;
the lists of both its readers lack a phase. Nothing was learnt on these patterns.

Run: ``python -m benchmarks.disagreement_real [--json OUT]``; data are found through SDLAB_DATA.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from analysis.xrd.agents.quantify import make
from benchmarks.disagreement import RULES, figures
from benchmarks.disagreement_rules import Said, Sample, only, settled
from benchmarks.round_robin import Mixture, round_robin
from orchestrator.agreeing.disputes import disputes

NARROW = (22.0, 70.0)
"""Range [deg] of the second reader; the first takes all."""


def samples() -> Iterator[tuple[str, Sample]]:
    """Yield each case's name with what the agents say of it."""
    mixtures = {m.name: m for m in round_robin()}
    for name, mixture in mixtures.items():
        for phase, truth in mixture.truth.items():
            well = _said(name, name, phase)
            yield "well", _sample(truth, well, well)
            for other in mixtures:
                if other != name:
                    yield "swapped", _sample(truth, _said(name, other, phase), well)
            for lost in mixture.truth:
                if lost != phase:
                    lacking = _said(name, name, phase, lost=lost)
                    yield "lacking", _sample(truth, lacking, lacking)


def _sample(
    truth: float, first: Mapping[str, Said | None], again: Mapping[str, Said | None]
) -> Sample:
    said = {**first, **{f"{agent} again": told for agent, told in again.items()}}
    return Sample(0, "nothing", {}, truth, said)


def _said(name: str, seen: str, phase: str, *, lost: str = "") -> dict[str, Said | None]:
    return {
        "x.long": read(seen, phase, 0, lost=lost),
        "x.short": read(seen, phase, 0, lost=lost, narrow=True),
        "n.long": read(name, phase, 1, own=True),
    }


def read(
    name: str, phase: str, half: int, *, lost: str = "", narrow: bool = False, own: bool = False
) -> Said | None:
    """Return what an agent says of a phase in one half of a mixture's channels; None if nothing."""
    return _fractions(name, half, lost, narrow, own).get(phase)


@cache
def _fractions(name: str, half: int, lost: str, narrow: bool, own: bool) -> dict[str, Said]:
    mixture = _mixture(name, own)
    listed = mixture.settings["phases"]
    kept = (
        {p: cif for p, cif in listed.items() if p != lost} if isinstance(listed, dict) else listed
    )
    settings = {**mixture.settings, "phases": kept}
    if narrow:
        settings["two_theta"] = NARROW
    whole = mixture.measurement
    scan = replace(
        whole,
        x=whole.x[half::2],
        y=whole.y[half::2],
        sigma=None if whole.sigma is None else whole.sigma[half::2],
    )
    insight = make(settings, mixture.folder).analyze([scan], rng=np.random.default_rng(0))
    return {
        phase: Said(e.value, e.std or 0.0, insight.p_wrong or 0.0)
        for phase in mixture.truth
        if (e := insight.estimates.get(f"xrd.weight_fraction.{phase}")) is not None
    }


@cache
def _mixture(name: str, own: bool) -> Mixture:
    return next(m for m in round_robin(own_structures=own) if m.name == name)


def summary(found: Sequence[Sample]) -> dict[str, object]:
    """Return the figures of each rule and of settling, and how often there were disputes."""
    ended = [settled(one) for one in found]
    ways = {name: [rule(one.heard()) for one in found] for name, rule in RULES.items()}
    ways["first scan alone"] = [only("x.long", one.heard()) for one in found]
    ways["disputes settled"] = [said for said, _ in ended]
    truths = [one.truth for one in found]
    return {
        "n": len(found),
        "disputed": float(np.mean([bool(disputes(one.heard())) for one in found])),
        "seconds": float(np.mean([seconds for _, seconds in ended])),
        **{
            name: figures([(s, t) for s, t in zip(said, truths, strict=True) if s is not None])
            for name, said in ways.items()
        },
    }


def main() -> None:
    """Print for each case how rules fare, how often agents disagree, and what settling brings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    cases: dict[str, list[Sample]] = {}
    for case, sample in samples():
        cases.setdefault(case, []).append(sample)
    result = {case: summary(found) for case, found in cases.items()}
    print(json.dumps(result, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

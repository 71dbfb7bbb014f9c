"""Is `xrd.adaptive` right about where to count next? On weighed mixtures and on simulated ones.

Recorded: twelve precursor mixtures (Fei et al. 2026), 51 candidates. The agent begins with the
2-min scan, or with a share of its counts, and asks for segments, which are dealt out of the 8-min
scan by thinning its counts: independent Poisson counts of a shorter time, none played twice. Beside
it, in the same machine time: one uniform scan, a uniform re-scan, random segments.

Simulated: mixtures with one or two minor phases of 3 to 8 % by weight among the same candidates;
every way begins with a fast scan from 10 to 60° and may reach 100°. Beside the above: extending the
range. Minor phases are told apart from the others.

Time is that of the recorded scans' diffractometer, overhead of each scan included. `sure` and
`least_gain` were fixed by ``--thresholds`` on simulated samples that no table shows.

Run: ``python benchmarks/adaptive_measurement.py [--simulated N] [--thresholds N] [--share S]
[--seed K] [--json OUT]``. The data are found through SDLAB_DATA, or in ``../shared/data``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

from adaptive.scanners import AERIS  # noqa: E402  after the thread counts
from adaptive.simulated import draw_sample  # noqa: E402
from adaptive.strategies import adaptive  # noqa: E402
from adaptive.thresholds import paths_table  # noqa: E402
from adaptive.trials import (  # noqa: E402
    FAST_RANGE,
    FAST_SPEED,
    Trial,
    recorded_trials,
    shown,
    simulated_trials,
)
from weighed_mixtures import CANDIDATES, data_directory, truths  # noqa: E402

from analysis.xrd.agents.adaptive import Adaptive, make  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402

SLOW_SHARE = 0.5
"""Share of the slow scan's time that the agent may spend, fast scan included."""

SIMULATED_BUDGET = 240.0
"""Machine time for a simulated sample [s]: a full 8-min scan's half."""

FIRST_SEED, FIRST_THRESHOLD_SEED = 100, 0
"""Seeds of the samples shown, and of those on which the thresholds were fixed."""


@cache
def agent_of(folder: Path, budget: float, **settings: object) -> Adaptive:
    """Return the agent with the candidates and the timing of the set."""
    fixed = {"phases": list(CANDIDATES), "timing": AERIS.model_dump(), "budget": budget}
    return make({**fixed, "reach": (10.0, 100.0), "longest": 1e3, **settings}, folder)


def on_recorded(folder: Path, *, share: float, seed: int) -> Iterator[list[Trial]]:
    """Yield the trials on each weighed mixture."""
    for mixture, truth in truths(folder).items():
        fast, slow = (
            read_measurement(folder / "patterns" / f"{mixture}_{scan}.xrdml", technique="xrd")
            for scan in ("2min", "8min")
        )
        agent = agent_of(folder, SLOW_SHARE * AERIS.spent([slow]), reach=None)
        yield recorded_trials(agent, mixture, fast, slow, truth, share=share, seed=seed)


def on_simulated(folder: Path, n: int, seed: int) -> Iterator[list[Trial]]:
    """Yield the trials on each simulated mixture."""
    agent = agent_of(folder, SIMULATED_BUDGET)
    for k in range(FIRST_SEED + seed, FIRST_SEED + seed + n):
        sample = draw_sample(
            agent.reader.crystals,
            agent.settings.radiation.radiation(),
            fast_time=FAST_SPEED * 0.04,
            seed=k,
        )
        yield simulated_trials(agent, sample, k)


def on_thresholds(folder: Path, n: int) -> list[dict[str, float]]:
    """Return time and exactness for a grid of thresholds, from paths that stop at none."""
    agent = agent_of(folder, SIMULATED_BUDGET, sure=1.0, least_gain=1e-3)
    paths = []
    for k in range(FIRST_THRESHOLD_SEED, FIRST_THRESHOLD_SEED + n):
        sample = draw_sample(
            agent.reader.crystals,
            agent.settings.radiation.radiation(),
            fast_time=FAST_SPEED * 0.04,
            seed=k,
        )
        scanner = sample.scanner(seed=[k, 1])
        first = scanner.scan(low=FAST_RANGE[0], high=FAST_RANGE[1], speed=FAST_SPEED)
        assert first is not None
        paths.append((adaptive(agent, scanner, first), sample.phases))
        print(f"path {k}: {len(paths[-1][0])} scans", file=sys.stderr, flush=True)
    return paths_table(paths)


def gathered(trials: Iterable[list[Trial]], kept: Path | None) -> list[Trial]:
    """Return all trials, told and kept sample by sample."""
    found: list[Trial] = []
    for mine in trials:
        found += mine
        told = ", ".join(f"{t.way} {'+' if t.exact else '-'}" for t in mine)
        spent = next(t.seconds for t in mine if t.way == "adaptive")
        print(f"{mine[0].sample}: {spent:.0f} s, {told}", file=sys.stderr, flush=True)
        if kept is not None:
            kept.write_text(json.dumps({"trials": [asdict(t) for t in found]}, indent=1))
    return found


def main() -> None:
    """Run what was asked for and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", type=int, default=0, help="simulated samples to show")
    parser.add_argument("--thresholds", type=int, default=0, help="samples to fix thresholds on")
    parser.add_argument("--share", type=float, default=1.0, help="of the fast scan's counts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    folder = data_directory()
    if asked.thresholds:
        found: object = on_thresholds(folder, asked.thresholds)
    else:
        trials = gathered(
            on_simulated(folder, asked.simulated, asked.seed)
            if asked.simulated
            else on_recorded(folder, share=asked.share, seed=asked.seed),
            asked.json,
        )
        found = {"figures": shown(trials), "trials": [asdict(t) for t in trials]}
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

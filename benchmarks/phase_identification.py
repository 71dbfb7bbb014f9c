"""Which phases are in real mixtures: `xrd.phases` beside its halves, on weighed mixtures.

Twelve precursor mixtures, each scanned in 2 and in 8 minutes (Fei et al. 2026), among 51
candidates: the set's eleven structures and forty of our own library that its authors could have
met, polymorphs and calcite's whole family among them. Told are precision and recall of the named
phases, how often the set is exact, and the calibration error over all candidates that networks or
refinement found worth a thought (probability above 1 %). Beside the agent: the networks alone, and
the screen of unrefined patterns alone. No measured pattern took part in training, and every
threshold was fixed before.

Run: ``python benchmarks/phase_identification.py [--recipe standard] [--json OUT]``. Networks are
trained first if they are not in the cache. The data are found through SDLAB_DATA, or in
``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from weighed_mixtures import CANDIDATES, data_directory, truths  # noqa: E402

from analysis.errors import WeightsNotTrained  # noqa: E402
from analysis.learning.calibration import expected_calibration_error  # noqa: E402
from analysis.xrd.agents.phases import Phases, make  # noqa: E402
from analysis.xrd.training.phases_trainer import train  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402

SCREEN_NAMES = 0.02
"""Share of the Bragg area from which the screen alone names a phase."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was said of one pattern.

    Attributes
    ----------
    truth, agent, networks, screen : names of phases.
    """

    pattern: str
    truth: list[str]
    agent: list[str]
    networks: list[str]
    screen: list[str]
    p_wrong: float | None
    probabilities: dict[str, float]
    cpu_seconds: float


def agent_for(folder: Path, recipe: str, seed: int) -> Phases:
    """Return the agent with the 51 candidates, trained if it is not."""
    return trained_agent({"phases": list(CANDIDATES)}, folder, recipe, seed)


def trained_agent(settings: Mapping[str, object], folder: Path, recipe: str, seed: int) -> Phases:
    """Return the agent of these settings, trained if it is not."""
    asked = {**settings, "recipe": recipe, "seed": seed}
    try:
        return make(asked, folder)
    except WeightsNotTrained:
        print("training first", file=sys.stderr)
        train(settings, folder, recipe=recipe, seed=seed, told=_tell)
        return make(asked, folder)


def _tell(what: str, done: int, of: int) -> None:
    if done == of or done % max(of // 10, 1) == 0:
        print(f"{what}: {done} of {of}", file=sys.stderr)


def read(agent: Phases, path: Path, truth: list[str]) -> Reading:
    """Return what agent, networks and screen say of one pattern."""
    measurement = read_measurement(path, technique="xrd")
    begin = time.process_time()
    insight = agent.analyze([measurement], rng=np.random.default_rng(0))
    spent = time.process_time() - begin
    probabilities = {
        question.removeprefix("xrd.phase."): answers["present"]
        for question, answers in insight.class_probabilities.items()
    }
    opinion = agent.opinion(measurement, seed=0)
    names = list(probabilities)
    return Reading(
        path.stem,
        sorted(truth),
        [] if insight.abstained else sorted(n for n, p in probabilities.items() if p > 0.5),
        sorted(n for n, p in zip(names, opinion.probability, strict=True) if p > 0.5),
        sorted(n for n, s in zip(names, opinion.shares, strict=True) if s > SCREEN_NAMES),
        insight.p_wrong,
        {n: round(p, 4) for n, p in probabilities.items() if p > 0.01 or n in truth},
        spent,
    )


def show(readings: list[Reading]) -> dict[str, dict[str, float]]:
    """Print and return the figures of each method on each kind of scan."""
    found: dict[str, dict[str, float]] = {}
    print(f"{'method':10}{'scan':>6}{'n':>4}{'precision':>11}{'recall':>9}{'exact set':>11}")
    for method in ("agent", "networks", "screen"):
        for scan in ("2min", "8min"):
            mine = [r for r in readings if r.pattern.endswith(scan)]
            named = [set(getattr(r, method)) for r in mine]
            truth = [set(r.truth) for r in mine]
            right = sum(len(a & b) for a, b in zip(named, truth, strict=True))
            figures = {
                "precision": right / max(sum(map(len, named)), 1),
                "recall": right / sum(map(len, truth)),
                "exact": float(np.mean([a == b for a, b in zip(named, truth, strict=True)])),
            }
            found[f"{method}.{scan}"] = figures
            print(
                f"{method:10}{scan:>6}{len(mine):4d}{figures['precision']:11.3f}"
                f"{figures['recall']:9.3f}{figures['exact']:11.3f}"
            )
    p = [v for r in readings for v in r.probabilities.values()]
    yes = [n in r.truth for r in readings for n in r.probabilities]
    error = expected_calibration_error(p, yes)
    seconds = float(np.median([r.cpu_seconds for r in readings]))
    print(f"calibration error of the agent {error:.3f} over {len(p)} probabilities")
    print(f"CPU seconds a pattern {seconds:.1f}")
    for r in readings:
        if r.agent != r.truth:
            missed, extra = set(r.truth) - set(r.agent), set(r.agent) - set(r.truth)
            wrong = "?" if r.p_wrong is None else f"{r.p_wrong:.2f}"
            print(
                f"  {r.pattern}: missed {missed or '-'}, too many {extra or '-'}, p_wrong {wrong}"
            )
    return found | {"agent": {"calibration_error": error, "cpu_seconds": seconds}}


def main() -> None:
    """Read every scan and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folder = data_directory()
    agent = agent_for(folder, asked.recipe, asked.seed)
    card = agent.card
    print(f"{len(agent.quantities)} candidates, trained in {card.cpu_seconds:.0f} CPU s")
    readings = [
        read(agent, folder / "patterns" / f"{mixture}_{scan}.xrdml", truth)
        for mixture, truth in truths(folder).items()
        for scan in ("2min", "8min")
    ]
    figures = show(readings)
    if asked.json is not None:
        rows = [asdict(r) for r in readings]
        asked.json.write_text(json.dumps({"figures": figures, "patterns": rows}, indent=1))


if __name__ == "__main__":
    main()

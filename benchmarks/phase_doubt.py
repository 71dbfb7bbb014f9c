"""What the doubt of `xrd.phases` is worth: fresh simulations, and phases taken away.

Two experiments, on nothing that was learnt from:

- `simulated`: samples of one to four of the 51 candidates of `weighed_mixtures`, with artefacts
  wider than the networks' (`analysis.xrd.training.decisions`), in every third also a stranger out
  of another set of structures (Li-Mn-Ti-O-F, 56 references). Precision, recall and exact sets of
  the agent, its networks and its screen; how well calibrated a phase's probability is, and
  `p_wrong`, with `prior_wrong` as often as sets are wrong here; how well `novelty` and `p_wrong`
  tell the samples with a stranger.
- `taken out`: every scan of the weighed mixtures, complete and with each of its phases excluded
  from the candidates. How well `novelty` and `p_wrong` tell which are complete, and how often the
  agent, left without a phase, declines or doubts.

Run: ``python benchmarks/phase_doubt.py [--samples 150] [--json OUT]``. Networks are trained first
if they are not in the cache. The data are found through SDLAB_DATA, or in ``../shared/data``
beside the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from numpy.typing import ArrayLike  # noqa: E402
from phase_identification import SCREEN_NAMES, agent_for  # noqa: E402
from scipy.stats import mannwhitneyu  # noqa: E402
from simulated_patterns import as_measurement  # noqa: E402
from weighed_mixtures import data_directory, truths  # noqa: E402

from analysis.insight import Insight  # noqa: E402
from analysis.learning.calibration import expected_calibration_error, with_prior  # noqa: E402
from analysis.physics.crystal import read_crystal  # noqa: E402
from analysis.xrd.agents.phases import Phases  # noqa: E402
from analysis.xrd.training.decisions import sample  # noqa: E402
from analysis.xrd.training.phases import TWO_THETA  # noqa: E402
from analysis.xrd.training.phases_trainer import strangers  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402

OTHER_SET = "szymanski_LiMnTiOF"
DOUBT = 0.5
"""`p_wrong` from which a set counts as doubted."""


@dataclass(frozen=True, slots=True)
class Case:
    """What was said of one pattern.

    Attributes
    ----------
    lacks : whether the sample holds a phase that is no candidate.
    truth, agent, networks, screen : names of candidates.
    """

    pattern: str
    lacks: bool
    truth: list[str]
    agent: list[str]
    networks: list[str]
    screen: list[str]
    abstained: bool
    novelty: float
    p_wrong: float | None
    probabilities: dict[str, float]

    @property
    def wrong(self) -> bool:
        """Whether the named set is not what the sample holds."""
        return self.lacks or self.agent != self.truth


def case(
    agent: Phases, measurement: Measurement, name: str, truth: Sequence[str], *, lacks: bool
) -> Case:
    """Return what the agent and its halves say."""
    insight = agent.analyze([measurement], rng=np.random.default_rng(0))
    opinion = agent.opinion(measurement, seed=0)
    probabilities = _probabilities(insight)
    names = list(probabilities)
    assert insight.novelty is not None
    return Case(
        name,
        lacks,
        sorted(truth),
        sorted(n for n, p in probabilities.items() if p > 0.5),
        sorted(n for n, p in zip(names, opinion.probability, strict=True) if p > 0.5),
        sorted(n for n, s in zip(names, opinion.shares, strict=True) if s > SCREEN_NAMES),
        insight.abstained,
        insight.novelty,
        insight.p_wrong,
        {n: round(p, 4) for n, p in probabilities.items() if p > 0.01 or n in truth},
    )


def simulated(agent: Phases, folder: Path, n: int, seed: int) -> Iterator[Case]:
    """Yield `n` samples, in every third of which a stranger hides."""
    crystals = agent.crystals
    others = [read_crystal(f) for f in sorted((folder.parent / OTHER_SET).glob("references/*.cif"))]
    hidden = strangers(crystals, among=others)
    for k in range(n):
        rng = np.random.default_rng([seed, k])
        counts, held, lacks = sample(crystals, hidden, agent.radiation, rng=rng)
        names = [crystals[i].name for i in held]
        measurement = as_measurement(
            TWO_THETA, counts, f"simulated {k}", wavelength=agent.radiation.wavelength
        )
        yield case(agent, measurement, f"simulated {k}", names, lacks=lacks)


def taken_out(agent: Phases, folder: Path) -> Iterator[Case]:
    """Yield every scan of the mixtures, complete and without each of its phases."""
    for mixture, truth in truths(folder).items():
        for scan in ("2min", "8min"):
            path = folder / "patterns" / f"{mixture}_{scan}.xrdml"
            measurement = read_measurement(path, technique="xrd")
            yield case(agent, measurement, f"{path.stem}", truth, lacks=False)
            for phase in truth:
                left = [t for t in truth if t != phase]
                without = agent.without([phase])
                yield case(without, measurement, f"{path.stem} - {phase}", left, lacks=True)


def auroc(score: ArrayLike, yes: ArrayLike) -> float:
    """Return the chance that a yes scores above a no, ties counted half."""
    s, y = np.asarray(score, dtype=float), np.asarray(yes, dtype=bool)
    return float(mannwhitneyu(s[y], s[~y]).statistic / (y.sum() * (~y).sum()))


def show_names(cases: Sequence[Case]) -> dict[str, float]:
    """Print and return precision, recall and exact sets of the agent and its halves."""
    found: dict[str, float] = {}
    print(f"{'method':10}{'n':>5}{'precision':>11}{'recall':>9}{'exact set':>11}")
    for method in ("agent", "networks", "screen"):
        named = [set(getattr(c, method)) for c in cases]
        truth = [set(c.truth) for c in cases]
        right = sum(len(a & b) for a, b in zip(named, truth, strict=True))
        figures = {
            "precision": right / max(sum(map(len, named)), 1),
            "recall": right / sum(map(len, truth)),
            "exact": float(np.mean([a == b for a, b in zip(named, truth, strict=True)])),
        }
        print(f"{method:10}{len(cases):5d}" + "".join(f"{v:10.3f}" for v in figures.values()))
        found |= {f"{method}.{k}": v for k, v in figures.items()}
    return found


def show_doubt(agent: Phases, cases: Sequence[Case]) -> dict[str, float]:
    """Print and return how far probabilities are off, and how well strangers are told."""
    p = [v for c in cases for v in c.probabilities.values()]
    yes = [n in c.truth for c in cases for n in c.probabilities]
    answered = [c for c in cases if c.p_wrong is not None]
    wrong = [c.wrong for c in answered]
    often = float(np.clip(np.mean(wrong), 0.01, 0.99))
    told = [
        with_prior(float(c.p_wrong or 0.0), base=agent.settings.prior_wrong, prior=often)
        for c in answered
    ]
    brier = float(np.mean((np.array(told) - wrong) ** 2))
    lacks = [c.lacks for c in cases]
    doubt = [1.0 if c.p_wrong is None else c.p_wrong for c in cases]
    lost = [c for c in cases if c.lacks]
    found = {
        "calibration_error.phase": expected_calibration_error(p, yes),
        "calibration_error.set": expected_calibration_error(told, wrong, n_bins=5),
        "brier.set": brier,
        "brier.set.constant": often * (1 - often),
        "auroc.wrong": auroc(told, wrong),
        "auroc.stranger.novelty": auroc([c.novelty for c in cases], lacks),
        "auroc.stranger.p_wrong": auroc(doubt, lacks),
        "stranger.declined": float(np.mean([c.abstained for c in lost])),
        "stranger.declined_or_doubted": float(
            np.mean([c.abstained or (c.p_wrong or 0.0) > DOUBT for c in lost])
        ),
        "complete.declined_or_doubted": float(
            np.mean([c.abstained or (c.p_wrong or 0.0) > DOUBT for c in cases if not c.lacks])
        ),
        "wrong": often,
    }
    for name, value in found.items():
        print(f"  {name:34}{value:8.3f}")
    return found


def _probabilities(insight: Insight) -> dict[str, float]:
    return {
        question.removeprefix("xrd.phase."): answers["present"]
        for question, answers in insight.class_probabilities.items()
    }


def main() -> None:
    """Run both experiments and print what they tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=150, help="simulated samples")
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--seed", type=int, default=0, help="of the networks")
    parser.add_argument("--draw", type=int, default=1, help="seed of the simulated samples")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folder = data_directory()
    agent = agent_for(folder, asked.recipe, asked.seed)
    told: dict[str, object] = {}
    for name, cases in (
        ("simulated", list(simulated(agent, folder, asked.samples, asked.draw))),
        ("taken out", list(taken_out(agent, folder))),
    ):
        print(f"{name}: {len(cases)} patterns")
        figures = show_names(cases) | show_doubt(agent, cases)
        told[name] = {"figures": figures, "cases": [asdict(c) for c in cases]}
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

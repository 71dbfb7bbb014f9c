"""Agents that contradict each other: is the probability that they are wrong honest, and does the
measurement that settles a dispute pay?

Three agents read the mass fraction of one phase (see `disagreement_worlds`). What
`orchestrator.routing` makes of it stands beside the surest agent, the agent that is best on
average, inverse variances alone, and the rule that came before. A reading is wrong if it is off by
more than 5 % of the mass and by more than three of its standard deviations.

Then disputes are settled as a campaign would (see `disagreement_rules.settled`), beside measuring
everything once, and everything twice.

Run: ``python -m benchmarks.disagreement [--seeds 20] [--samples 30] [--records FILE]``. ``--learn``
estimates the constants of `orchestrator.agreeing.statements` instead, on structures and seeds of
its own; its records, given as ``--truths``, correct the agents as `orchestrator.trust` does.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.insight import Insight
from analysis.learning.calibration import expected_calibration_error
from analysis.learning.voting.causes import Shares
from benchmarks.disagreement_rules import (
    READERS,
    SECONDS,
    Said,
    Sample,
    all_repeated,
    as_before,
    by_variance,
    corrected,
    corrections,
    only,
    settled,
    surest,
    voted,
)
from benchmarks.disagreement_worlds import LEARNT_ON, REPORTED_ON, draw, read
from benchmarks.planning.paired import add_record, read_records

FloatArray = NDArray[np.float64]
Rule = Callable[[Sequence[Insight]], Said | None]

FAR, MANY = 0.05, 3.0
"""A reading is wrong beyond this much of the mass and so many of its standard deviations."""

LEARNING_SEED = 10_000
"""First seed of the samples that constants are learnt on."""

BEST = "n.long"
"""Agent of the least mean error on the samples that constants are learnt on."""

RULES: Mapping[str, Rule] = {
    "votes": voted,
    "surest agent": surest,
    "best agent": partial(only, BEST),
    "inverse variance": by_variance,
    "rule before": as_before,
}


def record_of(seed: int, k: int, names: Sequence[str]) -> dict[str, object]:
    """Return one sample with what every agent says of every measurement, ready for a file."""
    rng = np.random.default_rng([seed, k])
    case = draw(rng, names)
    key = f"xrd.weight_fraction.{case.phases[0]}"
    said = {name: _told(insight, key) for name, insight in read(case, rng).items()}
    return {
        "seed": seed,
        "k": k,
        "hides": case.hides,
        "faults": dict(case.faults),
        "truth": case.truth,
        "said": said,
    }


def samples_of(
    seeds: Sequence[int], n: int, names: Sequence[str], path: Path | None
) -> list[Sample]:
    """Return `n` samples a seed, reading those that the file of records does not hold yet."""
    known = {(r["seed"], r["k"]): r for r in read_records(path)}
    for seed, k in product(seeds, range(n)):
        if (seed, k) not in known:
            known[seed, k] = record_of(seed, k, names)
            add_record(path, known[seed, k])
    return [_sample(known[seed, k]) for seed, k in product(seeds, range(n))]


def is_wrong(said: Said, truth: float) -> bool:
    """Return whether a reading is wrong altogether."""
    return abs(said.value - truth) > max(FAR, MANY * said.std)


def figures(told: Sequence[tuple[Said, float]]) -> dict[str, float]:
    """Return how good statements are, each with the truth."""
    wrong = np.array([is_wrong(said, truth) for said, truth in told], dtype=np.float64)
    doubt = np.array([said.p_wrong for said, _ in told])
    error = np.array([abs(said.value - truth) for said, truth in told])
    inside = [e <= 1.645 * said.std for e, (said, _) in zip(error, told, strict=True)]
    return {
        "wrong": float(wrong.mean()),
        "doubt": float(doubt.mean()),
        "brier": float(np.mean((doubt - wrong) ** 2)),
        "ece": expected_calibration_error(doubt, wrong),
        "auroc": _auroc(doubt, wrong),
        "error": float(error.mean()),
        "coverage": float(np.mean(inside)),
    }


def compared(
    samples: Sequence[Sample], truths: Sequence[Sample], rng: np.random.Generator
) -> dict[str, dict[str, object]]:
    """Return the figures of each rule, and how much its Brier score exceeds that of votes.

    Parameters
    ----------
    truths : other samples by which agents are corrected; that rule is left out without any.
    """
    rules = dict(RULES)
    if truths:
        trust = corrections(truths)
        rules["votes of corrected agents"] = lambda insights: voted(corrected(insights, trust))
    told = {name: _by_seed(samples, rule) for name, rule in rules.items()}
    found: dict[str, dict[str, object]] = {}
    for name, seeds in told.items():
        found[name] = dict(figures([t for seed in seeds.values() for t in seed]))
        found[name]["brier_above_votes"] = _paired(seeds, told["votes"], rng)
    return found


def settling(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Return figures and instrument time of measuring once, settling disputes, all twice."""
    once = SECONDS["x"] + SECONDS["n"]
    ways = {
        "measured once": [(voted(s.heard()), once) for s in samples],
        "disputes settled": [settled(s) for s in samples],
        "everything twice": [all_repeated(s) for s in samples],
    }
    found = {}
    for name, results in ways.items():
        told = [(r[0], s.truth) for r, s in zip(results, samples, strict=True) if r[0] is not None]
        found[name] = figures(told) | {"seconds": float(np.mean([r[1] for r in results]))}
    return found


def learnt(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the shares under which votes make what came true most probable, on a grid."""
    found = {}
    for by_cause, by_all, unseen in product(
        (0.1, 0.2, 0.3, 0.5, 0.7), (0.0, 0.1, 0.2, 0.3), (0.0, 0.02, 0.05, 0.1)
    ):
        shares = Shares(by_cause, by_all, unseen)
        told = [(voted(s.heard(), shares=shares), s.truth) for s in samples]
        found[shares] = _log_loss([(said, t) for said, t in told if said is not None])
    best = min(found, key=found.__getitem__)
    return {
        "by_cause": best.by_cause,
        "by_all": best.by_all,
        "unseen": best.unseen,
        "log_loss": found[best],
        "shared_error": _shared_error(samples),
        **{f"error of {name}": _mean_error(samples, name) for name in READERS},
    }


def _log_loss(told: Sequence[tuple[Said, float]]) -> float:
    p = np.clip([said.p_wrong for said, _ in told], 1e-4, 1 - 1e-4)
    wrong = np.array([is_wrong(said, truth) for said, truth in told])
    return float(-np.mean(np.where(wrong, np.log(p), np.log(1 - p))))


def _shared_error(samples: Sequence[Sample]) -> float:
    """Return the correlation of errors of two agents of one measurement, neither being wrong."""
    pulls = []
    for s in samples:
        one, two = s.said["x.long"], s.said["x.short"]
        if one is None or two is None or is_wrong(one, s.truth) or is_wrong(two, s.truth):
            continue
        pulls.append([(o.value - s.truth) / max(o.std, 1e-3) for o in (one, two)])
    return float(np.corrcoef(np.clip(np.array(pulls).T, -4, 4))[0, 1])


def _mean_error(samples: Sequence[Sample], agent: str) -> float:
    said = [(s.said[agent], s.truth) for s in samples]
    return float(np.mean([abs(one.value - truth) for one, truth in said if one is not None]))


def _by_seed(samples: Sequence[Sample], rule: Rule) -> dict[int, list[tuple[Said, float]]]:
    found: dict[int, list[tuple[Said, float]]] = {}
    for s in samples:
        if (said := rule(s.heard())) is not None:
            found.setdefault(s.seed, []).append((said, s.truth))
    return found


def _paired(
    one: Mapping[int, Sequence[tuple[Said, float]]],
    other: Mapping[int, Sequence[tuple[Said, float]]],
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return the mean difference of Brier scores, and its 90 % bootstrap interval over seeds."""
    apart = np.array([figures(one[seed])["brier"] - figures(other[seed])["brier"] for seed in one])
    means = rng.choice(apart, size=(2000, len(apart))).mean(axis=1)
    return float(apart.mean()), *map(float, np.quantile(means, [0.05, 0.95]))


def _auroc(score: FloatArray, yes: FloatArray) -> float:
    """Return the probability that a wrong one is doubted more than a right one (Mann-Whitney)."""
    n_yes, n_no = yes.sum(), (1 - yes).sum()
    if n_yes == 0 or n_no == 0:
        return float("nan")
    return float((rankdata(score)[yes == 1].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no))


def _told(insight: Insight, key: str) -> list[float] | None:
    found = insight.estimates.get(key)
    if found is None or found.std is None:
        return None
    return [found.value, found.std, insight.p_wrong or 0.0]


def _sample(record: dict[str, object]) -> Sample:
    told = record["said"]
    assert isinstance(told, dict)
    said = {name: None if one is None else Said(*one) for name, one in told.items()}
    return Sample(record["seed"], record["hides"], record["faults"], record["truth"], said)


def main() -> None:
    """Print the tables, or what is learnt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--records", type=Path)
    parser.add_argument("--truths", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    first, names = (LEARNING_SEED, LEARNT_ON) if arguments.learn else (0, REPORTED_ON)
    seeds = range(first, first + arguments.seeds)
    samples = samples_of(seeds, arguments.samples, names, arguments.records)
    if arguments.learn:
        result: dict[str, object] = dict(learnt(samples))
    else:
        told = arguments.truths.read_text().splitlines() if arguments.truths else []
        truths = [_sample(json.loads(line)) for line in told]
        rules = compared(samples, truths, np.random.default_rng(0))
        result = {"samples": len(samples), "rules": rules, "settling": settling(samples)}
    print(json.dumps(result, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

"""The benchmark of five twins: its worlds are what they are called, and its numbers add up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import insight_twins  # noqa: E402
from twins.worlds import LEVEL, N_CANDIDATES, ONSET, Laboratory, pool  # noqa: E402


async def told(world: str, numbers: range, seed: int = 100) -> list[dict[str, float]]:
    """Return what the agent says of samples of one recipe: fractions, stds and doubts."""
    laboratory = Laboratory(world, seed, noise=0.1)
    await laboratory.connect()
    values = dict(zip(("dopant", "temperature"), pool(world, seed).settings[7], strict=True))
    found = []
    for n in numbers:
        said = await laboratory.experiment(n, values, with_pattern=True)
        insight = next(i for i in said if i.agent == "xrd.quantify")
        fractions = {k: e for k, e in insight.estimates.items() if "weight_fraction" in k}
        found.append(
            {k: e.value for k, e in fractions.items()}
            | {f"{k} std": e.std or 0.0 for k, e in fractions.items()}
            | {"p_wrong": insight.p_wrong or 0.0}
        )
    return found


@pytest.mark.parametrize("world", ["boundary", "irrelevant"])
def test_few_candidates_reach_the_level_and_some_do(world):
    for seed in range(100, 105):
        candidates = pool(world, seed)
        # a diagram is drawn by shares of 3 to 8 %, judged from a hundred points
        assert 0 < len(candidates.good) < 0.2 * N_CANDIDATES
        assert all(candidates.value[row] >= LEVEL for row in candidates.good)


def test_the_same_phases_are_hidden_where_they_are_irrelevant():
    one, other = pool("boundary", 100), pool("irrelevant", 100)
    assert np.array_equal(one.settings, other.settings)
    assert not np.array_equal(one.value, other.value)


async def test_an_over_confident_agent_is_rougher_than_it_says():
    honest, boasting = await told("boundary", range(6)), await told("overconfident", range(6))
    assert all(b["p_wrong"] == 0.02 for b in boasting)
    key = "xrd.weight_fraction.anatase"
    off = [abs(b[key] - h[key]) for b, h in zip(boasting, honest, strict=True)]
    stated = np.mean([b[f"{key} std"] for b in boasting])
    # six errors of 0.06 beside stds of a few thousandths
    assert np.mean(off) > 3 * stated


async def test_a_stranger_raises_the_agents_doubt_from_its_experiment_on():
    found = await told("stranger", range(ONSET - 2, ONSET + 2))
    doubts = [f["p_wrong"] for f in found]
    assert min(doubts[2:]) > 0.5 > max(doubts[:2])


def test_a_ratio_is_that_of_the_means_and_lies_in_its_interval():
    rng = np.random.default_rng(0)
    others = rng.uniform(5.0, 40.0, 20)
    value, low, high = insight_twins.ratio_of_means(0.5 * others, others, rng=rng)
    # proportional pairs have no spread at all
    assert value == pytest.approx(0.5)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.5)


@pytest.mark.slow
def test_a_search_is_written_down_and_not_repeated(tmp_path):
    records, numbers = tmp_path / "records.jsonl", tmp_path / "twins.json"
    command = [
        sys.executable,
        str(BENCHMARKS / "insight_twins.py"),
        "--first", "100", "--seeds", "1", "--budget", "6", "--worlds", "stranger",
        "--records", str(records), "--json", str(numbers),
    ]  # fmt: skip
    for _ in range(2):
        subprocess.run(command, check=True, capture_output=True)
    assert len(records.read_text().splitlines()) == 3
    assert set(json.loads(numbers.read_text())) == {
        "stranger, scalar",
        "stranger, scalar, seeking",
        "stranger, structure",
        "stranger, by structure alone",
        "alarms",
    }

"""The benchmark of planners on a small pool of our own making."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pool P3HT replaced by a hill of 60 candidates, measured thrice each."""
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    monkeypatch.setenv("SDLAB_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    a, b = (v.ravel() for v in np.meshgrid(np.arange(10.0), np.arange(6.0)))
    y = -((a - 7) ** 2) - (b - 2) ** 2
    for folder in ("pools", "raw"):
        (tmp_path / "planner" / "pvlab" / folder).mkdir(parents=True)
    pool = pd.DataFrame({"a": a, "b": b, "y": y, "y_mean": y, "y_rep_std": 0.1, "n_rep": 3})
    pool.to_csv(tmp_path / "planner/pvlab/pools/P3HT.csv", index=False)
    raw = pd.DataFrame({"a": np.tile(a, 3), "b": np.tile(b, 3)})
    raw["conductivity"] = np.tile(y, 3) + 0.1 * rng.standard_normal(180)
    raw.to_csv(tmp_path / "planner/pvlab/raw/P3HT.csv", index=False)
    for name in [m for m in sys.modules if m == "planning" or m.startswith("planning.")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, records: Path, out: Path, *options: str) -> dict[str, Any]:
    import planner_pools

    command = ["planner_pools.py", "--pools", "P3HT", "--budget", "14", "--seeds", "2"]
    monkeypatch.setattr(
        sys, "argv", [*command, "--records", str(records), "--json", str(out), *options]
    )
    planner_pools.main()
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_a_run_cut_short_is_resumed_and_nothing_is_replayed_twice(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, out = data / "records.jsonl", data / "out.json"
    options = ["--planners", "sdlab,random", "--settings", '{"n_initial": 4}']
    first = run(monkeypatch, records, out, *options)
    lines = records.read_text().splitlines()
    assert len(lines) == 2
    records.write_text(lines[0] + "\n" + lines[1][:40])
    again = run(monkeypatch, records, out, *options)
    rows = [json.loads(line)["rows"] for line in records.read_text().splitlines()[::2]]
    assert rows == [json.loads(line)["rows"] for line in lines]
    areas = [r["pools"]["P3HT"]["sdlab"]["area"] for r in (first, again)]
    assert areas[0] == areas[1]
    assert first["pools"]["P3HT"]["random"]["area"] == pytest.approx(100 * 7.5 / 60)


def test_the_same_seed_starts_every_planner_at_the_same_rows(data: Path) -> None:
    from planning.replaying import Task, replay

    found = [replay(Task("P3HT", name, budget=5)) for name in ("sdlab", "random")]
    assert found[0]["rows"][:2] == found[1]["rows"][:2]


def test_a_replicate_comes_with_an_error_between_its_own_and_the_pooled(data: Path) -> None:
    from planning.pools import load
    from planning.replaying import replicate_std

    pool = load("P3HT")
    own = np.array([np.std(v, ddof=1) for v in pool.replicates["y"]])
    told = np.array([replicate_std(pool, "y", row) for row in range(len(pool))])
    pooled = np.sqrt(np.mean(own**2))
    assert np.all((told - own) * (told - pooled) <= 1e-12)


def test_ratios_compare_equal_seeds_only(data: Path) -> None:
    from planning.measures import ratio

    scores = {"P3HT": {"ours": {0: 20.0, 1: 30.0, 2: 90.0}, "peer": {0: 10.0, 1: 15.0}}}
    found = ratio(scores, "ours", ["peer"], ["P3HT"])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert ratio(scores, "ours", ["other"], ["P3HT"]) is None

"""`sdlab bench planner` on a stranger's table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import orchestrator.benchmarking
from orchestrator.benchmarking import Bench
from orchestrator.cli import main
from orchestrator.errors import CampaignError
from planners.benchmarking import pool_from_csv

Sdlab = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sdlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sdlab:
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sdlab", "bench", "planner", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def yields(tmp_path: Path) -> Path:
    """Yields over a grid of temperature and time for two solvents, highest at 70 °C and 4 h."""
    path = tmp_path / "yields.csv"
    lines = ["sample,temperature,time,solvent,yield"]
    for i, (a, b, s) in enumerate(np.ndindex(9, 6, 2)):
        value = 80 - 0.05 * (20 + 10 * a - 70) ** 2 - 3 * (b + 1 - 4) ** 2 - 5 * s
        lines.append(f"s{i},{20 + 10 * a},{b + 1},{('dmf', 'water')[s]},{value}")
    path.write_text("\n".join(lines) + "\n")
    return path


def asked(path: Path, *more: str) -> list[str]:
    common = ["--target", "yield", "--goal", "max", "--ignore", "sample", "--seeds", "4"]
    return ["--pool", str(path), *common, "--budget", "20", *more]


def test_the_model_finds_more_of_the_best_than_chance(
    sdlab: Sdlab, yields: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    code, said, err = sdlab(*asked(yields, "--json", str(out)))
    assert code == 0, err
    assert "maximize yield in yields: 108 candidates, 6 in the best 5 %; 4 replays of 20" in said
    assert "by chance, exactly" in said
    record: dict[str, Any] = json.loads(out.read_text())
    assert record["found"]["random_area"] == pytest.approx(100 * 10.5 / 108)
    assert record["found"]["planner"]["area"] > 2 * record["found"]["random_area"]
    assert [len(set(r["rows"])) for r in record["replays"]] == [20] * 4
    assert [len(r["cpu_seconds"]) for r in record["replays"]] == [18] * 4


def test_the_same_question_has_the_same_answer(sdlab: Sdlab, yields: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one.json", "two.json"):
        sdlab(*asked(yields, "--planner", "random", "--json", str(tmp_path / name)))
        record = json.loads((tmp_path / name).read_text())
        found.append([r["rows"] for r in record["replays"]])
    assert found[0] == found[1]


def test_settings_reach_the_planner(sdlab: Sdlab, yields: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    sdlab(*asked(yields, "--set", "n_initial=5", "--json", str(out)))
    assert json.loads(out.read_text())["settings"] == {"n_initial": 5}
    code, _, err = sdlab(*asked(yields, "--set", "n_initial=none"))
    assert code == 1
    assert "does not take the setting 'n_initial'" in err
    code, _, err = sdlab(*asked(yields, "--set", "n_initial"))
    assert code == 1
    assert "expected key=value" in err


def test_minimising_seeks_the_other_end(sdlab: Sdlab, yields: Path) -> None:
    options = ["low" if o == "max" else o for o in asked(yields)]
    assert sdlab(*options)[0] == 2
    code, said, _ = sdlab(*["min" if o == "max" else o for o in asked(yields)])
    assert code == 0
    assert said.startswith("minimize yield")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--planner", "bayesien"], "did you mean 'bayesian'"),
        (["--budget", "200"], "the pool has 108 candidates"),
        (["--init", "0"], "1 <= init < budget"),
        (["--seeds", "0"], "at least 1 is needed"),
        (["--target", "gain"], "no column 'gain'; it has sample, temperature"),
        (["--target", "solvent"], "the target must be a number"),
        (["--ignore", "samples"], "no column 'samples'"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_to_change(
    sdlab: Sdlab, yields: Path, more: list[str], why: str
) -> None:
    code, _, err = sdlab(*asked(yields, *more))
    assert (code, why in err) == (1, True), err


def test_interrupted_it_tells_what_is_finished(
    sdlab: Sdlab, yields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = orchestrator.benchmarking.replay
    begun = []

    def until_the_third(*arguments: Any, **options: Any) -> Any:
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return whole(*arguments, **options)

    monkeypatch.setattr(orchestrator.benchmarking, "replay", until_the_third)
    code, said, err = sdlab(*asked(yields, "--planner", "random"))
    assert code == 130
    assert "2 replays of 20" in said
    assert "2 of 4 replays are told" in err


def test_an_unknown_planner_is_told_before_anything_is_replayed(yields: Path) -> None:
    pool = pool_from_csv(yields, target="yield", maximize=True, ignore=["sample"])
    with pytest.raises(CampaignError, match="no planner called 'nobody'"):
        Bench(pool=pool, planner="nobody", settings={}, n_seeds=1, budget=9, n_starts=2)

"""`sdlab analyze` on several files: what is written, what is told, what the exit code says."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Estimate, Insight
from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from orchestrator.cli.analysed_files import natural
from orchestrator.cli.analysed_output import Output
from orchestrator.cli.analysed_settings import assigned
from tests.integration.conftest import Sdlab

RUTILE = ("--set", 'phases=["rutile"]', "--set", "background_order=3")
CU = ("--wavelength", "1.5405929")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three scans of rutile whose names sort wrongly as text."""
    folder = tmp_path / "scans"
    folder.mkdir()
    x = np.arange(25.0, 60.0, 0.05)
    state = [PhaseState(structure("rutile"), 1.0, size=300.0)]
    bragg = pattern(x, state, radiation=CU_K_ALPHA, resolution=Resolution(w=0.006))
    for i in (2, 9, 10):
        rng = np.random.default_rng(i)
        y = rng.poisson(bragg / bragg.max() * 5000 + 50)
        np.savetxt(folder / f"scan_{i}.xy", np.column_stack([x, y]), fmt="%.4f")
    (folder / "notes.md").write_text("not a scan")
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_a_series_in_natural_order(sdlab: Sdlab, scans: Path, tmp_path: Path) -> None:
    said = sdlab(
        "analyze", "xrd.quantify", scans, *RUTILE, *CU, "--csv", tmp_path / "o.csv",
        "--json-file", tmp_path / "o.json", "--figures", tmp_path / "fits",
    )  # fmt: skip
    assert said.code == 0, said.err
    table = rows(tmp_path / "o.csv")
    assert [Path(row["file"]).stem for row in table] == ["scan_2", "scan_9", "scan_10"]
    told = json.loads((tmp_path / "o.json").read_text())
    for row, insight in zip(table, told, strict=True):
        a = insight["estimates"]["xrd.lattice.rutile.a"]
        assert float(row["xrd.lattice.rutile.a"]) == a["value"]
        assert float(row["xrd.lattice.rutile.a.std"]) == a["std"]
        assert a["value"] == pytest.approx(4.594, abs=0.003)
    pictures = sorted(path.name for path in (tmp_path / "fits").iterdir())
    assert pictures == ["scan_10.png", "scan_2.png", "scan_9.png"]
    assert "scan_10/xrd/0" in said.out


def test_a_bad_file_is_told_and_skipped(sdlab: Sdlab, scans: Path, tmp_path: Path) -> None:
    (scans / "scan_3.xy").write_text("this is a poem\n")
    said = sdlab("analyze", "xrd.quantify", scans, *RUTILE, *CU, "--csv", tmp_path / "o.csv")
    assert said.code == 3
    assert "scan_3.xy" in said.err
    assert len(rows(tmp_path / "o.csv")) == 3


def test_mixed_instruments_are_told(sdlab: Sdlab, scans: Path) -> None:
    text = (scans / "scan_2.xy").read_text()
    (scans / "scan_9.xy").write_text("# wavelength: 0.7093 Å\n" + text)
    (scans / "scan_2.xy").write_text("# wavelength: 1.5406 Å\n" + text)
    (scans / "scan_10.xy").unlink()
    said = sdlab("analyze", "xrd.quantify", scans, *RUTILE)
    assert said.code == 1
    assert "different instruments" in said.err
    assert "0.7093" in said.err


def test_a_missing_wavelength_is_taught(sdlab: Sdlab, scans: Path) -> None:
    said = sdlab("analyze", "xrd.quantify", scans / "scan_2.xy", *RUTILE)
    assert said.code == 1
    assert "--wavelength 1.5406" in said.err


def test_a_setting_that_is_no_toml_is_taught(sdlab: Sdlab, scans: Path) -> None:
    said = sdlab("analyze", "xrd.quantify", scans, "--set", "phases=rutile")
    assert said.code == 1
    assert "as in TOML" in said.err


def test_a_folder_without_scans_is_one_sentence(sdlab: Sdlab, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = sdlab("analyze", "xrd.quantify", tmp_path / "empty", *RUTILE, *CU)
    assert said.code == 1
    assert "holds no file" in said.err


def test_an_interruption_keeps_what_was_done(tmp_path: Path) -> None:
    insight = Insight("s/xrd/0/a", "a", ("s/xrd/0",), estimates={"x": Estimate(1.5, None, "")})
    output = Output(
        json_file=tmp_path / "o.json",
        csv_file=tmp_path / "o.csv",
        figures=None,
        quantities=["x", "y"],
    )

    def interrupted() -> None:
        with output:
            output.add(Path("s.xy"), insight)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (told,) = json.loads((tmp_path / "o.json").read_text())
    assert told["estimates"]["x"] == {"value": 1.5, "std": None, "unit": ""}
    (row,) = rows(tmp_path / "o.csv")
    # An unknown std and an absent quantity are empty, not zero.
    assert (row["x"], row["x.std"], row["y"]) == ("1.5", "", "")


def test_an_assignment_reaches_into_a_table() -> None:
    below = {"resolution": {"w": 0.004, "fixed": True}, "phases": "cifs"}
    found = assigned(below, ["resolution.w=0.006", 'phases=["rutile"]'])
    assert found == {"resolution": {"w": 0.006, "fixed": True}, "phases": ["rutile"]}


def test_numbers_in_names_count_by_their_value() -> None:
    names = ["a_10.xy", "a_9.xy", "b.xy", "10.xy", "9.xy"]
    ordered = [path.name for path in sorted(map(Path, names), key=natural)]
    assert ordered == ["9.xy", "10.xy", "a_9.xy", "a_10.xy", "b.xy"]

"""Every command as a person types it: it does its work, or says in one sentence why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from instruments.recorded_data import data_folder
from orchestrator.examples import FOLDER
from tests.integration.conftest import Sdlab

COMMANDS = [
    "run", "resume", "settle", "list", "show", "explain", "report", "export", "replay", "ui",
    "analyze", "adapt", "train", "examples", "plugins", "doctor",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(sdlab: Sdlab, command: str) -> None:
    said = sdlab(command, "--help")
    assert said.code == 0
    assert "Usage" in said.out
    assert len(said.out) > 400


def test_the_front_page_names_every_command(sdlab: Sdlab) -> None:
    said = sdlab("--help")
    assert all(f" {command} " in said.out for command in COMMANDS)


def test_a_dry_run_looks_ahead_runs_and_leaves_a_history(sdlab: Sdlab, home: Path) -> None:
    said = sdlab("run", "tio2", "--dry-run", "-n", "2")
    assert said.code == 0, said.err
    for word in ("dry run of", "takes", "furnace", "crucible", "best", "report"):
        assert word in said.out
    listed = sdlab("list")
    assert "2" in listed.out
    assert "tio2-" in listed.out
    assert "rutile" in sdlab("show", "last").out
    shown = sdlab("show", "last", "-e", "1").out
    for word in ("why", "asked", "made", "measured", "xrd.quantify", "succeeded"):
        assert word in shown
    page = Path(sdlab("report", "last").out.strip())
    assert page.read_text().count("<script") >= 1
    assert sdlab("resume", listed.out.split()[0]).out.count("has ended already")


def test_export_writes_tables_and_a_crate(sdlab: Sdlab, tmp_path: Path) -> None:
    assert sdlab("run", "tio2", "--dry-run", "-n", "2").code == 0
    folder = tmp_path / "out"
    assert sdlab("export", "last", "-o", folder).code == 0
    table = pd.read_csv(folder / "experiments.csv")
    assert len(table) == 2
    handed = pd.read_csv(folder / "handovers.csv")
    assert set(zip(handed["from"], handed["to"], strict=True)) == {
        ("shelf", "diffractometer"),
        ("diffractometer", "shelf"),
    }
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    assert crate["@graph"]
    again = sdlab("export", "last", "-o", folder)
    assert again.code == 1
    assert "not empty" in again.err


def test_examples_can_be_copied_and_run_elsewhere(sdlab: Sdlab, tmp_path: Path) -> None:
    assert "tio2" in sdlab("examples").out
    assert sdlab("examples", "--copy", "tio2", tmp_path / "mine").code == 0
    said = sdlab("run", tmp_path / "mine" / "tio2.toml", "--dry-run", "-n", "1")
    assert said.code == 0
    assert sdlab("examples", "--copy", "tio2", tmp_path / "mine").code == 1


def test_the_version_is_told_without_a_command(sdlab: Sdlab) -> None:
    said = sdlab("--version")
    assert said.code == 0
    assert said.out.startswith("sdlab ")


def test_plugins_names_who_brings_them(sdlab: Sdlab) -> None:
    said = sdlab("plugins")
    for word in ("simulated.furnace", "xrd.quantify", "bayesian", "sdlab"):
        assert word in said.out


def test_doctor_finds_a_sound_installation(sdlab: Sdlab) -> None:
    said = sdlab("doctor")
    assert said.code == 0, said.out
    assert "Prefect server" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nowhere.toml"), "does not exist"),
        (("run", "tio"), "did you mean 'tio2'"),
        (("run", "tio2", "--lab", "nowhere.toml"), "does not exist"),
        (("run", "tio2", "--dry-run", "-n", "0"), "at least 1"),
        (("run", "tio2", "--dry-run", "-n", "100000"), "does not last"),
        (("show", "last"), "no campaign yet"),
        (("resume", "tio2-123"), "tio2-123"),
        (("resume", "last"), "no campaign yet"),
        (("run", "tio2", "--seed", "-5"), "from 0"),
        (("list", "--home", "what?/home"), "'?' in its path"),
        (("analyze", "xrd.quantify", "a.xy", "--plot", "nowhere/fit.png"), "no folder nowhere"),
        (("analyze", "xrd.quantify", "a.xy"), "--phases"),
        (("report", "tio2-123"), "tio2-123"),
        (("export", "tio2-123"), "tio2-123"),
        (("analyze", "xrd.quantfy", "a.xy"), "did you mean 'xrd.quantify'"),
        (("analyze", "xrd.quantify", "a.xy", "--phases", "anatase"), "a.xy"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    sdlab: Sdlab, arguments: tuple[str, ...], words: str
) -> None:
    said = sdlab(*arguments)
    assert said.code == 1
    assert words in said.err
    assert "Traceback" not in said.err


def test_nothing_is_recorded_of_a_campaign_that_is_refused(sdlab: Sdlab, tmp_path: Path) -> None:
    wrong = (FOLDER / "tio2.toml").read_text().replace("high = 750", "high = 2000")
    (tmp_path / "tio2.toml").write_text(wrong)
    (tmp_path / "tio2_lab.toml").write_text((FOLDER / "tio2_lab.toml").read_text())
    assert sdlab("run", tmp_path / "tio2.toml", "--dry-run").code == 1
    assert "no campaign yet" in sdlab("list").out


def test_a_corrupt_database_is_one_sentence_and_stays_as_it_is(sdlab: Sdlab, home: Path) -> None:
    assert sdlab("run", "tio2", "--dry-run", "-n", "1").code == 0
    path = home / "sdlab.sqlite"
    for extra in home.glob("sdlab.sqlite-*"):
        extra.unlink()
    damaged = b"not a database" + path.read_bytes()[14:]
    path.write_bytes(damaged)
    said = sdlab("list")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert path.read_bytes() == damaged


def test_a_pattern_is_analysed_without_a_campaign(sdlab: Sdlab, tmp_path: Path) -> None:
    path = _rutile_and_anatase(tmp_path)
    said = sdlab(
        "analyze", "xrd.quantify", path, "--phases", "anatase", "--phases", "rutile", "--json",
        "--wavelength", "1.5405929", "--plot", tmp_path / "fit.png",
    )  # fmt: skip
    assert said.code == 0, said.err
    estimates = json.loads(said.out)["estimates"]
    rutile = estimates["xrd.weight_fraction.rutile"]
    assert rutile["value"] == pytest.approx(0.3, abs=3 * rutile["std"])
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("", "empty"),
        ("10 5\n11 nan\n12 6\n", "nan"),
        ("".join(f"{x} 5\n" for x in [*range(10, 20), 15, *range(20, 40)]), "sort"),
        ("hello\n", ""),
        ("10 5\n11 -40\n12 6\n", ""),
    ],
)
def test_a_bad_pattern_is_one_sentence(
    sdlab: Sdlab, tmp_path: Path, contents: str, words: str
) -> None:
    path = tmp_path / "bad.xy"
    path.write_text(contents)
    said = sdlab("analyze", "xrd.quantify", path, "--phases", "rutile", "--wavelength", "1.54")
    assert said.code == 1
    assert "bad.xy" in said.err
    assert words.lower() in said.err.lower()
    assert "Traceback" not in said.err


def test_a_wrong_wavelength_is_refused(sdlab: Sdlab, tmp_path: Path) -> None:
    path = _rutile_and_anatase(tmp_path)
    said = sdlab("analyze", "xrd.quantify", path, "--phases", "rutile", "--wavelength", "0.7093")
    assert said.code == 1
    assert "0.7093 Å" in said.err


def test_a_phase_file_that_is_no_cif_is_refused(sdlab: Sdlab, tmp_path: Path) -> None:
    path = _rutile_and_anatase(tmp_path)
    (tmp_path / "phase.cif").write_text("this is a poem")
    said = sdlab("analyze", "xrd.quantify", path, "--phases", tmp_path / "phase.cif")
    assert said.code == 1
    assert "phase.cif" in said.err


@pytest.mark.skipif(
    not (data_folder() / "planner" / "cameo_fegapd").is_dir(),
    reason="planner/cameo_fegapd is not here; set SDLAB_DATA to the folder that holds it",
)
def test_recorded_films_are_replayed_with_their_patterns(sdlab: Sdlab) -> None:
    said = sdlab("run", "fegapd", "--no-prefect", "-n", "3")
    assert said.code == 0, said.err
    assert "551 points" in sdlab("show", "last", "-e", "0").out


@pytest.mark.skipif(
    not (data_folder() / "planner" / "pvlab").is_dir(),
    reason="planner/pvlab is not here; set SDLAB_DATA to the folder that holds it",
)
def test_recorded_barrels_are_replayed(sdlab: Sdlab) -> None:
    said = sdlab("run", "crossed_barrel", "--no-prefect", "-n", "3")
    assert said.code == 0, said.err
    assert "toughness" in said.out


def test_missing_recorded_data_name_the_set_and_the_variable(
    sdlab: Sdlab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SDLAB_DATA", str(tmp_path))
    said = sdlab("run", "crossed_barrel", "--no-prefect")
    assert said.code == 1
    assert "planner/pvlab" in said.err
    assert "SDLAB_DATA" in said.err


def _rutile_and_anatase(folder: Path) -> Path:
    """Write a pattern of 30 % rutile and 70 % anatase with counting noise."""
    from analysis.physics.structures import structure
    from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern

    two_theta = np.arange(20, 80, 0.03)
    phases = [
        PhaseState(structure("rutile"), weight_fraction=0.3, size=300, microstrain=5e-4),
        PhaseState(structure("anatase"), weight_fraction=0.7, size=200, microstrain=5e-4),
    ]
    clean = pattern(two_theta, phases, radiation=CU_K_ALPHA, resolution=Resolution(0, 0, 0.006))
    counts = np.random.default_rng(1).poisson(clean / clean.max() * 5000 + 80)
    path = folder / "mixture.xy"
    np.savetxt(path, np.column_stack([two_theta, counts]), fmt=["%.3f", "%d"])
    return path


def test_an_example_that_cannot_be_written_is_one_sentence(sdlab: Sdlab, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    said = sdlab("examples", "--copy", "tio2", tmp_path / "file" / "mine")
    assert said.code == 1
    assert "choose another folder" in said.err


def test_a_campaign_goes_on_where_prefect_can_keep_no_files(sdlab: Sdlab, home: Path) -> None:
    home.mkdir()
    (home / "prefect").write_text("a file where a folder should be")
    said = sdlab("run", "tio2", "-n", "1")
    assert said.code == 0, said.err
    assert "going on without Prefect" in said.out
    page = sdlab("ui", "--no-browser")
    assert page.code == 1
    assert "cannot keep its files" in page.err
    assert sdlab("ui", "--stop").code == 0


def test_a_fault_of_sdlab_itself_is_one_sentence_too(
    sdlab: Sdlab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.cli.history.open_store", lambda _: 1 / 0)
    said = sdlab("list")
    assert said.code == 1
    assert "ZeroDivisionError" in said.err
    assert "Traceback" not in said.err


def test_adapt_writes_settings_for_training(sdlab: Sdlab, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    x = np.arange(20.0, 70.0, 0.03)
    for k, width in enumerate((0.15, 0.25)):
        y = 50 + sum(900 * np.exp(-4 * np.log(2) * ((x - c) / width) ** 2) for c in (28, 41, 57))
        np.savetxt(scans / f"scan_{k}.xy", np.column_stack([x, np.round(y)]), fmt=["%.3f", "%d"])
    said = sdlab("adapt", "xrd.phases", scans, "--wavelength", "1.5406")
    assert said.code == 0, said.err
    assert "[ranges]" in said.out
    assert "counts = [" in said.out
    wrong = sdlab("adapt", "xrd.phase", scans)
    assert wrong.code != 0
    assert "did you mean 'xrd.phases'" in wrong.err
    to = tmp_path / "ranges.toml"
    assert sdlab("adapt", "xrd.phases", scans, "--wavelength", "1.54", "--write", to).code == 0
    assert "[ranges]" in to.read_text()

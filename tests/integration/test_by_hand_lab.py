"""The same campaign, made by a person: recipe sheets out, scans in, and its twin as a dry run."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from orchestrator.examples import FOLDER
from tests.integration.conftest import Sdlab


class Person(threading.Thread):
    """Fills in every sheet that appears, and saves a scan of 30 % rutile under its name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.leave = threading.Event()
        self.made: set[Path] = set()

    def run(self) -> None:
        (self.folder / "scans").mkdir(exist_ok=True)
        while not self.leave.wait(1.2):
            for sheet in set((self.folder / "recipes").glob("*.toml")) - self.made:
                text = sheet.read_text()
                fresh = time.time() - sheet.stat().st_mtime < 1.0  # a person takes a while
                if fresh or "done = false" not in text:
                    continue
                self.made.add(sheet)
                _scan(self.folder / "scans" / f"{sheet.stem}_xrd-0_0.xy")
                sheet.write_text(text.replace("done = false", "done = true"))


def _scan(path: Path) -> None:
    two_theta = np.arange(20, 80, 0.03)
    phases = [
        PhaseState(structure("rutile"), weight_fraction=0.3, size=300, microstrain=5e-4),
        PhaseState(structure("anatase"), weight_fraction=0.7, size=200, microstrain=5e-4),
    ]
    clean = pattern(two_theta, phases, radiation=CU_K_ALPHA, resolution=Resolution(0, 0, 0.006))
    counts = np.random.default_rng(1).poisson(clean / clean.max() * 5000 + 80)
    np.savetxt(path, np.column_stack([two_theta, counts]), fmt=["%.3f", "%d"])


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    text = (FOLDER / "tio2_by_hand_lab.toml").read_text()
    quick = text.replace('folder = "recipes"', 'folder = "recipes"\npoll = 0.05')
    quick = quick.replace('folder = "scans"', 'folder = "scans"\npoll = 0.05\nstable_for = 0.2')
    path = tmp_path / "lab.toml"
    path.write_text(quick)
    return path


def test_the_twin_of_a_real_laboratory_is_dry_run(sdlab: Sdlab, lab: Path) -> None:
    said = sdlab("run", "tio2", "--lab", lab, "--dry-run", "-n", "1")
    assert said.code == 0, said.err
    assert "dry run of" in said.out
    assert not (lab.parent / "recipes").exists()


def test_a_person_closes_the_loop(sdlab: Sdlab, lab: Path) -> None:
    person = Person(lab.parent)
    person.start()
    said = sdlab("run", "tio2", "--lab", lab, "--no-prefect", "-n", "1")
    person.leave.set()
    assert said.code == 0, said.err
    assert "real instruments" in said.out
    assert "waiting for a person to make" in said.out
    assert "recipes/tio2-" in said.out
    shown = sdlab("show", "last", "-e", "0").out
    assert "by furnace" in shown
    assert "xrd.weight_fraction.rutile = 0.3" in shown or "rutile = 0.29" in shown


def test_an_instrument_without_a_twin_cannot_be_dry_run(sdlab: Sdlab, lab: Path) -> None:
    lab.write_text(lab.read_text().split("[instruments.diffractometer.twin]")[0])
    said = sdlab("run", "tio2", "--lab", lab, "--dry-run")
    assert said.code == 1
    assert "has no twin" in said.err

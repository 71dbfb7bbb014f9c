"""Two campaigns of a real laboratory live on one stock, whatever happens to their processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.examples import FOLDER
from orchestrator.store import Store
from orchestrator.store.storage_records import Level
from tests.integration.conftest import Sdlab
from tests.integration.test_by_hand_lab import Person
from tests.integration.test_resume import errors, start

LAB = "a furnace, a diffractometer and a person"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    text = (FOLDER / "tio2_by_hand_lab.toml").read_text()
    gel = 'consumables = [{ name = "gel", unit = "g", stock = 3 }]'
    quick = text.replace('folder = "recipes"', f'folder = "recipes"\npoll = 0.05\n{gel}')
    quick = quick.replace('folder = "scans"', 'folder = "scans"\npoll = 0.05\nstable_for = 0.2')
    path = tmp_path / "lab.toml"
    path.write_text(quick)
    (tmp_path / "scans").mkdir()
    return path


@pytest.fixture
def person(lab: Path) -> Iterator[Person]:
    person = Person(lab.parent)
    yield person
    person.leave.set()


def gel(home: Path) -> Level:
    with Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays") as store:
        (level,) = store.stock.levels(LAB)
    return level


@pytest.mark.timeout(300)
def test_what_one_campaign_needs_the_other_does_not_get_also_after_a_kill(
    sdlab: Sdlab, home: Path, lab: Path, person: Person
) -> None:
    home.mkdir()
    # 30 % of rutile is what the person's scans show and no target, so both experiments are made.
    (lab.parent / "tio2.toml").write_text(
        (FOLDER / "tio2.toml").read_text().replace("value = 0.30", "value = 0.60")
    )
    begin = ("run", str(lab.parent / "tio2.toml"), "--lab", str(lab), "-n", "2", "--no-prefect")
    first = start(home, *begin)
    while not list(lab.parent.glob("recipes/*.toml")):
        assert first.poll() is None, errors(home)
        time.sleep(0.05)
    assert gel(home).aside == 1
    refused = sdlab(*begin)
    assert refused.code == 1
    assert "gel" in refused.err
    assert "reserved: 1 g for tio2-" in refused.err
    assert len(sdlab("list").out.splitlines()) == 2
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    person.start()
    second = start(home, "resume", "last", "--no-prefect")
    assert second.wait(timeout=200) == 0, errors(home)
    assert (gel(home).left, gel(home).aside, gel(home).reserved) == (1, 0, {})
    assert "has 1 g of gel to give, about 2 are needed" in sdlab(*begin).err


def test_a_refill_is_said_by_a_person_not_read_from_the_file(
    sdlab: Sdlab, lab: Path, person: Person
) -> None:
    person.start()
    assert sdlab("run", "tio2", "--lab", lab, "-n", "1", "--no-prefect").code == 0
    assert "2 g" in sdlab("stock").out
    lab.write_text(lab.read_text().replace("stock = 3", "stock = 40"))
    refused = sdlab("run", "tio2", "--lab", lab, "-n", "9", "--no-prefect")
    assert refused.code == 1
    assert "has 2 g of gel to give" in refused.err
    filled = sdlab("stock", "fill", LAB, "furnace", "gel", "40")
    assert "40 g" in filled.out
    wrong = sdlab("stock", "fill", "nowhere", "furnace", "gel", "40")
    assert "is none of the laboratories" in wrong.err
    again = sdlab("run", "tio2", "--lab", lab, "-n", "1", "--no-prefect")
    assert again.code == 0
    assert "of 40 in stock" in again.out


def test_a_dry_run_tells_what_is_left_and_where_everything_is(sdlab: Sdlab) -> None:
    assert sdlab("run", "tio2", "--dry-run", "-n", "2").code == 0
    assert "no real laboratory" in sdlab("stock").out
    assert "498 g" in sdlab("stock", "last").out
    assert "shelf" in sdlab("where", "last").out
    name = sdlab("list").out.split()[0]
    moved = sdlab("move", f"{name}/1", "furnace")
    assert moved.code == 0
    assert "furnace" in moved.out
    history = sdlab("where", f"{name}/1").out
    assert "measure-0" in history
    assert "person" in history
    assert "has no place 'frunace'" in sdlab("move", f"{name}/1", "frunace").err
    assert f"{name}/1 is away" in sdlab("return", f"{name}/1").out
    assert "no thing called" in sdlab("move", "nothing", "shelf").err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('driver = "simulated.furnace"', 'vessel = "vial"'), "add `vial = 12` there"),
        (
            ('driver = "simulated.diffractometer"', 'vessel = "crucible"'),
            "measures; only what makes samples",
        ),
    ],
)
def test_a_vessel_that_makes_no_sense_is_a_fault_of_the_file(
    sdlab: Sdlab, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = with_vessels(tmp_path, 12, *change)
    said = sdlab("run", "tio2", "--lab", path, "--dry-run")
    assert said.code == 1
    assert words in said.err


def test_a_dry_run_uses_its_crucibles_again_and_shows_where_they_are(
    sdlab: Sdlab, tmp_path: Path
) -> None:
    path = with_vessels(tmp_path, 2, 'driver = "simulated.furnace"', 'vessel = "crucible"')
    said = sdlab("run", "tio2", "--lab", path, "--dry-run", "-n", "3")
    assert said.code == 0, said.err
    shown = sdlab("where", "crucible-1").out
    assert shown.count("furnace") >= 2
    washed = sdlab("return", "crucible-1").out
    assert "crucible-1 is empty and on the shelf" in washed


def with_vessels(folder: Path, count: int, entry: str, line: str) -> Path:
    """Write the example's laboratory with crucibles, and one more line for one instrument."""
    text = (FOLDER / "tio2_lab.toml").read_text().replace(entry, f"{entry}\n{line}")
    path = folder / "vessels_lab.toml"
    path.write_text(text + f"\n[vessels]\ncrucible = {count}\n")
    return path

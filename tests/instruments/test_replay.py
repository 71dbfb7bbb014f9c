from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from pydantic import ValidationError

from instruments.clock import VirtualClock
from instruments.commands import Measure, Synthesize
from instruments.conformance import check_instrument
from instruments.errors import CommandRefused, UnreadableFile
from instruments.execution import Executor
from instruments.measurement import Measurement
from instruments.protocols import Bench
from instruments.replay import recorder, synthesizer
from instruments.sample import Sample, Setting
from tests.instruments.pattern_files import pattern, write

TABLE = """temperature,binder,strength,spread,n,file
300.0,PVA,1.5,0.4,4,a.xy
300.1,PVA,1.7,,1,b.xy
400.0,PEG,2.5,0.6,9,c.xy
500.0,PEG,,,0,d.xy
"""
REPEATS = "temperature,strength\n300,1.0\n400,5.0\n300,2.0\n300,3.0\n"
FEATURES = {"temperature": {"unit": "°C"}, "binder": {}}
READINGS = {"strength": {"unit": "MPa", "std": "spread", "count": "n"}}


def bench(folder: Path, *, seed: int = 0) -> Bench:
    return Bench(VirtualClock(), folder, seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "repeats.csv").write_text(REPEATS, encoding="utf-8")
    x, y = pattern()
    for i, name in enumerate("abcd"):
        write(tmp_path / f"{name}.xy", x, y + i)
    return tmp_path


def make(temperature: float, binder: str = "PVA", *, number: int = 0) -> Synthesize:
    recipe: dict[str, Setting] = {"temperature": temperature, "binder": binder}
    return Synthesize(sample_id=f"c/{number}", number=number, recipe=recipe)


def sample_of(recipe: dict[str, Setting]) -> Sample:
    now = VirtualClock().now()
    return Sample(
        id="c/0", number=0, recipe=recipe, made_by="s", simulated=True, started=now, finished=now
    )


async def measured(
    driver: Executor, recipe: dict[str, Setting], *, command_id: str = "c/0/measure/0"
) -> Measurement:
    await driver.connect()
    command = Measure(measurement_id="c/0/table/0", sample=sample_of(recipe))
    outcome = await driver.execute(command_id, command)
    assert outcome.settled == "succeeded", outcome.error
    return cast("Measurement", outcome.value)


async def test_a_recorded_sample_takes_its_time_and_says_where_it_is_from(folder: Path) -> None:
    driver = synthesizer(
        "s", {"table": "table.csv", "features": FEATURES, "seconds": 3600.0, "price": 12.0},
        bench(folder),
    )  # fmt: skip
    await driver.connect()
    outcome = await driver.execute("c/0/synthesize/0", make(300.1))
    sample = cast("Sample", outcome.value)
    assert (outcome.finished - outcome.started).total_seconds() == 3600.0
    assert sample.simulated
    assert sample.units["temperature"] == "°C"
    assert "table.csv, row 2" in sample.notes[0]
    assert outcome.consumed == {"recorded_sample": 1.0}
    assert driver.describe().consumables[0].price == 12.0


def test_what_was_never_made_is_refused_with_its_nearest_neighbour(folder: Path) -> None:
    driver = synthesizer("s", {"table": "table.csv", "features": FEATURES}, bench(folder))
    with pytest.raises(CommandRefused, match=r"none of the 4 recorded .* temperature = 400"):
        driver.check(make(399.0, "PEG"))
    with pytest.raises(CommandRefused, match="PVC"):
        driver.check(make(300.0, "PVC"))
    with pytest.raises(CommandRefused, match="above the limit"):
        driver.check(make(900.0))


def test_close_candidates_are_not_confused(folder: Path) -> None:
    driver = synthesizer("s", {"table": "table.csv", "features": FEATURES}, bench(folder))
    driver.check(make(300.0 + 1e-12))
    with pytest.raises(CommandRefused):
        driver.check(make(300.05))


async def test_the_uncertainty_of_a_mean_shrinks_with_its_repeats(folder: Path) -> None:
    settings = {"table": "table.csv", "features": FEATURES, "readings": READINGS}
    driver = recorder("r", settings, bench(folder))
    m = await measured(driver, {"temperature": 300.0, "binder": "PVA"})
    assert m.readings["strength"].value == 1.5
    assert m.readings["strength"].std == pytest.approx(0.4 / math.sqrt(4))
    assert m.readings["strength"].unit == "MPa"
    assert m.simulated
    assert m.technique == "table"
    assert m.n_points == 0
    single = await measured(
        driver, {"temperature": 300.1, "binder": "PVA"}, command_id="c/1/measure/0"
    )
    assert single.readings["strength"].std is None


def test_an_empty_cell_is_no_recorded_data(folder: Path) -> None:
    settings = {"table": "table.csv", "features": FEATURES, "readings": READINGS}
    driver = recorder("r", settings, bench(folder))
    sample = sample_of({"temperature": 500.0, "binder": "PEG"})
    with pytest.raises(CommandRefused, match="strength is empty"):
        driver.check(Measure(measurement_id="m", sample=sample))
    with pytest.raises(CommandRefused, match="lacks binder"):
        driver.check(Measure(measurement_id="m", sample=sample_of({"temperature": 300.0})))


async def test_repeats_give_their_mean_or_one_of_them(folder: Path) -> None:
    settings = {
        "table": "repeats.csv",
        "features": {"temperature": {}},
        "readings": {"strength": {}},
    }
    mean = await measured(recorder("r", settings, bench(folder)), {"temperature": 300.0})
    assert mean.readings["strength"].value == 2.0
    assert mean.readings["strength"].std == pytest.approx(1.0 / math.sqrt(3))
    assert mean.source["rows"] == "1, 3, 4"

    async def drawn(command_id: str, seed: int) -> float:
        driver = recorder("r", {**settings, "replicates": "draw"}, bench(folder, seed=seed))
        m = await measured(driver, {"temperature": 300.0}, command_id=command_id)
        return m.readings["strength"].value

    by_turn = [await drawn(f"c/{i}/measure/0", 0) for i in range(20)]
    assert set(by_turn) == {1.0, 2.0, 3.0}
    assert by_turn == [await drawn(f"another-campaign/{i}/measure/0", 0) for i in range(20)]
    assert by_turn != [await drawn(f"c/{i}/measure/0", 1) for i in range(20)]


@pytest.mark.parametrize("file", ["file", "{row}.xy"])
async def test_the_pattern_of_a_row_comes_from_its_file(folder: Path, file: str) -> None:
    for i, name in enumerate("abcd", start=1):
        (folder / f"{i}.xy").write_bytes((folder / f"{name}.xy").read_bytes())
    settings = {
        "table": "table.csv",
        "features": FEATURES,
        "pattern": {"technique": "xrd", "folder": ".", "file": file, "wavelength": 1.5406},
    }
    driver = recorder("r", settings, bench(folder))
    m = await measured(driver, {"temperature": 400.0, "binder": "PEG"})
    np.testing.assert_array_equal(m.y, pattern()[1] + 2)
    assert m.sigma is not None
    assert m.technique == "xrd"
    assert m.settings["wavelength"] == 1.5406
    assert "pattern_sha256" in m.source


async def test_the_pattern_of_a_row_comes_from_a_matrix(folder: Path) -> None:
    x = np.linspace(20.0, 30.0, 11)
    np.savetxt(folder / "m.txt", np.vstack([x, *(x + i for i in range(4))]), delimiter=",")
    settings = {
        "table": "table.csv",
        "features": FEATURES,
        "readings": READINGS,
        "pattern": {"technique": "xrd", "matrix": "m.txt", "counting": True},
    }
    driver = recorder("r", settings, bench(folder))
    m = await measured(driver, {"temperature": 400.0, "binder": "PEG"})
    np.testing.assert_array_equal(m.y, x + 2)
    np.testing.assert_allclose(m.sigma, np.sqrt(m.y))
    assert (m.x_name, m.x_unit, m.y_unit) == ("two_theta", "deg", "counts")
    assert m.readings["strength"].value == 2.5


BAD = {
    "no such table": ({"table": "no.csv"}, "does not exist"),
    "no such column": ({"features": {"colour": {}}}, "no column 'colour'"),
    "text as reading": ({"readings": {"binder": {}}}, "numbers were expected"),
    "matrix and folder": (
        {"pattern": {"technique": "xrd", "matrix": "m.txt", "folder": ".", "file": "file"}},
        "name one of them",
    ),
    "too few curves": ({"pattern": {"technique": "xrd", "matrix": "short.txt"}}, "holds 1 curves"),
    "missing files": (
        {"pattern": {"technique": "xrd", "folder": ".", "file": "{row}.xye"}},
        "4 of 4 recorded patterns are missing",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_recording_is_refused_when_the_laboratory_is_set_up(folder: Path, what: str) -> None:
    more, said = BAD[what]
    (folder / "short.txt").write_text("1 2 3\n4 5 6\n")
    settings = {"table": "table.csv", "features": FEATURES, "readings": READINGS, **more}
    with pytest.raises(UnreadableFile, match=said):
        recorder("r", settings, bench(folder))


@pytest.mark.parametrize("more", [{"readings": {}}, {"unknown": 1}, {"seconds": float("nan")}])
def test_wrong_settings_are_refused(folder: Path, more: dict[str, object]) -> None:
    settings = {"table": "table.csv", "features": FEATURES, "readings": READINGS, **more}
    with pytest.raises(ValidationError):
        recorder("r", settings, bench(folder))


async def test_the_replay_instruments_conform(folder: Path) -> None:
    lab = bench(folder)
    table = {"table": "table.csv", "features": FEATURES}
    await check_instrument(
        lambda: synthesizer("s", {**table, "price": 1.0}, lab),
        make(300.0),
        [make(350.0), make(300.0, "PEG")],
        clock=lab.clock,
    )
    sample = sample_of({"temperature": 300.0, "binder": "PVA"})
    await check_instrument(
        lambda: recorder("r", {**table, "readings": READINGS}, lab),
        Measure(measurement_id="c/0/table/0", sample=sample),
        [Measure(measurement_id="c/0/table/0", sample=sample_of({"temperature": 1.0}))],
        clock=lab.clock,
    )

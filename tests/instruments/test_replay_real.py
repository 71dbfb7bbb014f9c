"""Two published libraries, replayed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from instruments.clock import VirtualClock
from instruments.commands import Measure, Synthesize
from instruments.execution import Executor
from instruments.measurement import Measurement
from instruments.protocols import Bench
from instruments.recorded_data import candidate_rows
from instruments.replay import recorder, synthesizer
from instruments.sample import Sample, Setting
from tests.instruments.shared_data import data_set

BARREL = "shared-data:planner/pvlab/pools/Crossed_barrel.csv"
BARREL_FEATURES = {
    "n": {},
    "theta": {"unit": "deg"},
    "r": {"unit": "mm"},
    "t": {"unit": "mm"},
}
CAMEO = "shared-data:planner/cameo_fegapd/"


def bench() -> Bench:
    return Bench(VirtualClock(), Path(), 0)


async def played(
    maker: Executor, meter: Executor, names: list[str], rows: list[list[Setting]]
) -> list[Measurement]:
    await maker.connect()
    await meter.connect()
    measured: list[Measurement] = []
    for i, row in enumerate(rows):
        recipe = dict(zip(names, row, strict=True))
        order = Synthesize(sample_id=f"c/{i}", number=i, recipe=recipe)
        made = await maker.execute(f"c/{i}/synthesize/0", order)
        sample = cast("Sample", made.value)
        assert sample.recipe == recipe
        command = Measure(measurement_id=f"c/{i}/m/0", sample=sample)
        outcome = await meter.execute(f"c/{i}/measure/0", command)
        measured.append(cast("Measurement", outcome.value))
    return measured


async def test_the_crossed_barrels_are_as_tough_as_recorded() -> None:
    pool = data_set("planner/pvlab") / "pools" / "Crossed_barrel.csv"
    names, rows = candidate_rows(BARREL, list(BARREL_FEATURES), folder=Path())
    assert len(rows) == 600
    table = {"table": BARREL, "features": BARREL_FEATURES}
    readings = {"toughness": {"column": "y", "std": "y_rep_std", "count": "n_rep", "unit": "J"}}
    measured = await played(
        synthesizer("printer", table, bench()),
        recorder("press", {**table, "readings": readings}, bench()),
        names,
        rows[::10],
    )
    with pool.open() as file:
        truth = [float(row["y"]) for row in csv.DictReader(file)][::10]
    assert [m.readings["toughness"].value for m in measured] == truth


async def test_the_mean_of_the_raw_barrels_is_the_pool() -> None:
    data_set("planner/pvlab")
    raw = BARREL.replace("pools", "raw")
    table = {"table": raw, "features": BARREL_FEATURES}
    names, rows = candidate_rows(BARREL, list(BARREL_FEATURES), folder=Path())
    settings = {"features": BARREL_FEATURES, "readings": {"toughness": {}}}
    mean = recorder("press", {**settings, "table": raw}, bench())
    measured = await played(synthesizer("printer", table, bench()), mean, names, rows[::60])
    pool = recorder(
        "pool",
        {
            "table": BARREL,
            "features": BARREL_FEATURES,
            "readings": {"toughness": {"column": "y_mean", "std": "y_rep_std", "count": "n_rep"}},
        },
        bench(),
    )
    expected = await played(synthesizer("s", table, bench()), pool, names, rows[::60])
    for one, other in zip(measured, expected, strict=True):
        a, b = one.readings["toughness"], other.readings["toughness"]
        assert a.value == pytest.approx(b.value, rel=1e-12)
        assert a.std == pytest.approx(b.std, rel=1e-9)


async def test_every_alloy_of_the_fe_ga_pd_library_has_pattern_and_magnetisation() -> None:
    folder = data_set("planner/cameo_fegapd")
    tables = [CAMEO + "FeGaPd_CMP.txt", CAMEO + "FeGaPd_Mag.txt"]
    features: dict[str, object] = {"Fe": {}, "Ga": {}, "Pd": {}}
    names, rows = candidate_rows(tables, list(features), folder=Path())
    assert len(rows) == 278
    table = {"table": tables, "features": features}
    meter = recorder(
        "squid_and_xrd",
        {
            **table,
            "readings": {"magnetisation": {"column": "FeGaPd_Mag.2", "unit": "a.u."}},
            "pattern": {"technique": "xrd", "matrix": CAMEO + "FeGaPd_XRD.txt"},
        },
        bench(),
    )
    measured = await played(synthesizer("sputter", table, bench()), meter, names, rows)
    magnetisation = np.loadtxt(folder / "FeGaPd_Mag.txt", delimiter=",")[:, 1]
    curves = np.loadtxt(folder / "FeGaPd_XRD.txt", delimiter=",")
    for i, m in enumerate(measured):
        assert m.readings["magnetisation"].value == magnetisation[i]
        np.testing.assert_array_equal(m.x, curves[0])
        np.testing.assert_array_equal(m.y, curves[i + 1])
        assert m.sigma is None

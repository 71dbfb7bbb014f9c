"""Campaigns for the tests of the report: titania with patterns, a library without."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from analysis.insight import Curve, Estimate, Insight
from analysis.physics.structures import structure
from analysis.xrd.forward import PhaseState, phase_columns
from instruments.measurement import Measurement, Reading
from instruments.sample import Sample
from orchestrator.campaign import Campaign
from orchestrator.store import ActionRecord, CampaignRecord, Store, software_versions
from planners.parameters import Value
from planners.proposal import Observation, Prediction, Proposal, Reason

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
RUTILE, SIZE = "xrd.weight_fraction.rutile", "xrd.crystallite_size.anatase"

TITANIA = """
name = "titania"
description = "Half rutile, small anatase."

[[space.parameters]]
type = "continuous"
name = "temperature"
low = 450
high = 900
unit = "degC"

[[space.parameters]]
type = "continuous"
name = "dwell"
low = 0.25
high = 12
unit = "h"
log = true

[[space.parameters]]
type = "categorical"
name = "dopant"
categories = ["none", "Fe", "Nb"]

[[objective.targets]]
quantity = "xrd.weight_fraction.rutile"
goal = "match"
value = 0.5
tolerance = 0.05

[[objective.targets]]
quantity = "xrd.crystallite_size.anatase"
goal = "minimize"
value = 250
scale = 50
unit = "Å"

[budget]
experiments = 40
hours = 900

[[measurements]]
technique = "xrd"

[[agents]]
use = "xrd.quantify"
"""

LIBRARY = """
name = "library"

[[objective.targets]]
quantity = "toughness"
goal = "maximize"
unit = "J"

[[objective.targets]]
quantity = "mass"
goal = "minimize"
unit = "g"

[objective]
combine = "front"

[budget]
experiments = 1500

[planner]
use = "random"

[[measurements]]
technique = "table"

[[agents]]
use = "readings"
"""

LABORATORY = 'name = "the furnace line"\ncurrency = "CHF"\n[instruments.furnace]\ndriver = "x"\n'


def begin(
    store: Store, campaign: Campaign, text: str, *, name: str = "titania-1", **changes: object
) -> str:
    """Record a campaign without experiments."""
    values = {
        "id": name,
        "name": campaign.name,
        "status": "running",
        "message": "",
        "created": START,
        "updated": START + timedelta(days=3),
        "campaign_toml": text,
        "campaign_source": "here/campaign.toml",
        "laboratory_toml": LABORATORY,
        "laboratory_source": "here/lab.toml",
        "seed": 11,
        "dry_run": True,
        "versions": software_versions(),
        "config": campaign.model_dump(mode="json", exclude={"space": {"candidates"}}),
    }
    store.create_campaign(CampaignRecord(**(values | changes)))
    return name


def titania(
    store: Store,
    n: int,
    *,
    points: int = 1500,
    fails: Callable[[int], bool] = lambda i: i % 5 == 1,
    remark: str = "brookite is near its limit of detection",
    **changes: object,
) -> str:
    """Record `n` experiments with fitted patterns; the rutile fraction rises with temperature."""
    campaign = Campaign.model_validate(_parsed(TITANIA))
    name = begin(store, campaign, TITANIA, **changes)
    for i in range(n):
        values: dict[str, Value] = {
            "temperature": 500 + 350 * ((i * 0.618) % 1),
            "dwell": 0.3 * 30 ** ((i * 0.387) % 1),
            "dopant": ("none", "Fe", "Nb")[i % 3],
        }
        rutile = float(np.clip((float(values["temperature"]) - 520) / 300, 0.01, 0.99))
        predicted = {RUTILE: Prediction(mean=rutile + 0.02, std=0.03)} if i > 3 else {}
        reason = Reason(
            planner="bayesian",
            text=f"Highest expected improvement of {RUTILE}. Nothing else.",
            acquisition="logNEI",
            acquisition_value=-2.5,
            predicted=predicted,
            model={f"{RUTILE}.length_scale.temperature": 0.3, f"{RUTILE}.length_scale.dwell": 0.9},
        )
        store.record_proposal(name, i, Proposal(values=values, reason=reason), seed=[11, i, 0])
        _action(store, name, i, failed=fails(i))
        if fails(i):
            told = Observation(values=values, failed=True, failure="the arm jammed", cost=20)
        else:
            _measured(store, name, i, values, rutile, points=points, remark=remark)
            told = Observation(
                values=values,
                outcomes={RUTILE: rutile, SIZE: 200.0 + 10 * i},
                stds={RUTILE: 0.012, SIZE: 8.0},
                p_wrong=0.4 if i % 7 == 3 else 0.01,
                cost=50,
            )
        store.record_observation(name, i, told)
    return name


def library(
    store: Store, n: int, *, candidates: Path | None = None, name: str = "library-1"
) -> str:
    """Record `n` readings of a library of 600 candidates with four discrete settings."""
    rows = [
        (float(a), float(b), c / 10, d / 5) for a in (6, 8, 10, 12) for b in (0, 50, 100)
        for c in (15, 17, 20, 22, 25) for d in range(4, 14)
    ]  # fmt: skip
    columns = ["n_struts", "theta", "radius", "thickness"]
    listed = {"columns": columns, "rows": rows}
    campaign = Campaign.model_validate({**_parsed(LIBRARY), "space": {"candidates": listed}})
    table = candidates or Path("/gone/candidates.csv")
    text = f"{LIBRARY}\n[space.candidates]\ntable = '{table}'\ncolumns = {columns}\n"
    if candidates is not None:
        lines = [",".join(columns)] + [",".join(map(str, row)) for row in rows]
        candidates.write_text("\n".join(lines) + "\n")
    begin(store, campaign, text, name=name)
    for i in range(n):
        row = rows[(i * 211) % len(rows)]
        values: dict[str, Value] = dict(zip(columns, row, strict=True))
        proposal = Proposal(values=values, reason=Reason(planner="random", text="Drawn at random."))
        store.record_proposal(name, i, proposal, seed=[11, i, 0])
        outcomes = {"toughness": row[0] * row[3], "mass": row[0] * row[2] * row[3] + row[1] / 50}
        stds = {"toughness": 0.4}
        _sample(store, name, i, values)
        store.record_measurement(name, i, _reading(f"{name}/{i}", outcomes))
        store.record_observation(
            name, i, Observation(values=values, outcomes=outcomes, stds=stds, cost=1)
        )
    return name


def _measured(
    store: Store,
    name: str,
    i: int,
    values: dict[str, Value],
    rutile: float,
    *,
    points: int,
    remark: str,
) -> None:
    x, columns = _columns(points)
    rng = np.random.default_rng([i, 1])
    background = 60 + 2000 / x
    phases = columns * np.array([1 - rutile, rutile]) * 4000 / columns.max()
    counts = rng.poisson(phases.sum(axis=1) + background).astype(float)
    sample_id, end = f"{name}/{i}", START + timedelta(hours=9 * i + 9)
    _sample(store, name, i, values)
    measured = Measurement(
        id=f"{sample_id}/xrd/0", sample_id=sample_id, technique="xrd", x=x, y=counts,
        sigma=np.sqrt(np.maximum(counts, 1)), x_name="two_theta", x_unit="deg", y_name="counts",
        y_unit="counts", instrument="diffractometer", simulated=True, started=end, finished=end,
    )  # fmt: skip
    store.record_measurement(name, i, measured)
    calculated = phases.sum(axis=1) + background
    curve = {
        "observed": counts,
        "calculated": calculated,
        "difference": counts - calculated,
        "background": background,
        "phase.anatase": phases[:, 0],
        "phase.rutile": phases[:, 1],
    }
    insight = Insight(
        id=f"{measured.id}/xrd.quantify",
        agent="xrd.quantify",
        measurement_ids=(measured.id,),
        estimates={RUTILE: Estimate(rutile, 0.012, ""), SIZE: Estimate(200.0 + 10 * i, 8.0, "Å")},
        p_wrong=0.01,
        quality={"rwp": 0.081, "chi2_reduced": 1.1},
        evidence={"pattern": Curve(x, "two_theta", "deg", curve, "counts")},
        remarks=(remark,),
    )
    store.record_insight(name, i, insight)


def _sample(store: Store, name: str, i: int, values: dict[str, Value]) -> None:
    begun = START + timedelta(hours=9 * i)
    sample = Sample(
        id=f"{name}/{i}", number=i, recipe=values, made_by="furnace", simulated=True,
        started=begun, finished=begun + timedelta(hours=9),
    )  # fmt: skip
    store.record_sample(name, i, sample)


@cache
def _columns(points: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(20.0, 80.0, points)
    phases = [PhaseState(structure(name), size=250.0) for name in ("anatase", "rutile")]
    return x, phase_columns(x, phases)


def _reading(sample_id: str, values: dict[str, float]) -> Measurement:
    empty = np.zeros(0)
    return Measurement(
        id=f"{sample_id}/table/0", sample_id=sample_id, technique="table", x=empty, y=empty,
        sigma=None, x_name="", x_unit="", y_name="", y_unit="", instrument="shelf",
        simulated=True, started=START, finished=START,
        readings={key: Reading(value, None, "") for key, value in values.items()},
        source={"path": "library.csv", "sha256": "ab" * 32},
    )  # fmt: skip


def _action(store: Store, name: str, i: int, *, failed: bool) -> None:
    begun = START + timedelta(hours=9 * i)
    values = {
        "command_id": f"{name}/{i}/synthesize/0", "campaign_id": name, "number": i,
        "step": "synthesize", "attempt": 0, "instrument": "furnace", "arguments": "{}",
        "arguments_hash": "cd" * 32, "intended": begun, "sent": begun,
    }  # fmt: skip
    store.record_action(ActionRecord(**values))
    ended = {"started": begun, "finished": begun + timedelta(hours=9)}
    if failed:
        ended |= {"settled": "failed", "error": "the arm jammed", "fault": "jam"}
    store.settle_action(ActionRecord(**({"settled": "succeeded"} | values | ended)))


def _parsed(text: str) -> dict[str, object]:
    return tomllib.loads(text)

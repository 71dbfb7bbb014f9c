"""Records for the tests of the store: one whole experiment, made from its number."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from analysis.insight import Curve, Estimate, Insight, MeasurementRequest
from instruments.measurement import Measurement, Reading
from instruments.sample import Sample
from orchestrator.store import ActionRecord, CampaignRecord, Store
from planners.proposal import Alternative, Observation, Prediction, Proposal, Reason

START = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)

CAMPAIGN_TOML = 'name = "anatase"\n[objective]\nkey = "xrd.weight_fraction.anatase"\n'
LABORATORY_TOML = '[[instrument]]\nname = "furnace"\n'


def campaign(campaign_id: str = "anatase-7", **changes: object) -> CampaignRecord:
    values = {
        "id": campaign_id,
        "name": "anatase",
        "status": "created",
        "message": "",
        "created": START,
        "updated": START,
        "campaign_toml": CAMPAIGN_TOML,
        "campaign_source": "examples/anatase.toml",
        "laboratory_toml": LABORATORY_TOML,
        "laboratory_source": "examples/twin.toml",
        "seed": 7,
        "dry_run": False,
        "versions": {"python": "3.11.2", "numpy": "2.4.6"},
        "config": {"budget": {"experiments": 20, "hours": None}, "weights": [0.1, math.inf]},
    }
    return CampaignRecord(**(values | changes))


def proposal(number: int) -> Proposal:
    values = {"temperature": 500.0 + number / 3, "dopant": "Nb"}
    reason = Reason(
        planner="bayesian",
        text="the largest expected improvement",
        acquisition="logNEI",
        acquisition_value=-3.25 - number,
        predicted={"xrd.weight_fraction.anatase": Prediction(mean=0.7, std=0.05)},
        alternatives=(Alternative(values={"temperature": 480.0, "dopant": "Nb"}),),
        model={"length_scale.temperature": 0.31},
    )
    return Proposal(values=values, reason=reason)


def sample(campaign_id: str, number: int) -> Sample:
    return Sample(
        id=f"{campaign_id}/{number}",
        number=number,
        recipe={"temperature": 501.5 + number, "dopant": "Nb"},
        units={"temperature": "degC"},
        made_by="furnace",
        consumed={"TiOSO4": 0.4},
        simulated=False,
        started=START,
        finished=START + timedelta(hours=15),
        notes=("the ramp was slow",),
    )


def measurement(campaign_id: str, number: int, *, points: int = 200) -> Measurement:
    rng = np.random.default_rng(number)
    two_theta = np.linspace(10.0, 80.0, points)
    counts = rng.poisson(100.0, points).astype(float)
    return Measurement(
        id=f"{campaign_id}/{number}/xrd/0",
        sample_id=f"{campaign_id}/{number}",
        technique="xrd",
        x=two_theta,
        y=counts,
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        x_name="two_theta",
        x_unit="deg",
        y_name="counts",
        y_unit="",
        instrument="diffractometer",
        simulated=False,
        started=START + timedelta(hours=16),
        finished=START + timedelta(hours=17),
        settings={"wavelength": 1.5406, "optics": "Bragg-Brentano"},
        readings={"room_temperature": Reading(295.1, None, "K")},
        flags=("saturated",),
        source={"file": "run.xrdml", "sha256": "ab" * 32},
    )


def insight(campaign_id: str, number: int, *, points: int = 200) -> Insight:
    measured = measurement(campaign_id, number, points=points)
    keys = ("xrd.weight_fraction.anatase", "xrd.crystallite_size.anatase")
    return Insight(
        id=f"{measured.id}/xrd.quantify",
        agent="xrd.quantify",
        measurement_ids=(measured.id,),
        estimates={keys[0]: Estimate(0.72, 0.01, ""), keys[1]: Estimate(95.0 + number, None, "Å")},
        covariance_keys=keys,
        covariance=np.array([[1e-4, 1e-3], [1e-3, 4.0]]) * (number + 1),
        class_probabilities={"majority phase": {"anatase": 0.9, "rutile": 0.1}},
        p_wrong=0.03,
        novelty=0.2,
        quality={"rwp": 0.081, "chi2_reduced": math.nan},
        evidence={
            "fit": Curve(
                x=measured.x,
                x_name="two_theta",
                x_unit="deg",
                columns={"observed": measured.y, "calculated": measured.y + 0.5},
                y_unit="counts",
            )
        },
        next_measurement=MeasurementRequest("xrd", {"counting_time": 20.0}, "weak brookite", None),
        remarks=("brookite is near its limit of detection",),
        infeasible="hematite formed",
        asks_person="nothing like it was seen before",
    )


def observation(number: int) -> Observation:
    if number % 5 == 4:
        return Observation(
            values=proposal(number).values, failed=True, failure="the arm jammed", cost=1.5
        )
    return Observation(
        values={"temperature": 501.5 + number, "dopant": "Nb"},
        outcomes={"xrd.weight_fraction.anatase": 0.72, "xrd.crystallite_size.anatase": 95.0},
        stds={"xrd.weight_fraction.anatase": 0.01},
        p_wrong=0.03,
        cost=2.5,
    )


def action(campaign_id: str, number: int, **changes: object) -> ActionRecord:
    values = {
        "command_id": f"{campaign_id}/{number}/synthesize/0",
        "campaign_id": campaign_id,
        "number": number,
        "step": "synthesize",
        "attempt": 0,
        "instrument": "furnace",
        "arguments": '{"kind":"synthesize"}',
        "arguments_hash": "cd" * 32,
        "intended": START,
    }
    return ActionRecord(**(values | changes))


def record_experiment(store: Store, campaign_id: str, number: int, *, points: int = 200) -> None:
    """Write one whole experiment; one in five fails before it has a sample."""
    store.record_proposal(campaign_id, number, proposal(number), seed=[7, number, 0])
    told = observation(number)
    if not told.failed:
        store.record_sample(campaign_id, number, sample(campaign_id, number))
        measured = measurement(campaign_id, number, points=points)
        store.record_measurement(campaign_id, number, measured)
        store.record_insight(campaign_id, number, insight(campaign_id, number, points=points))
    store.record_observation(campaign_id, number, told)


def open_store(folder: Path, **options: float) -> Store:
    """Open the history in a folder."""
    return Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays", **options)

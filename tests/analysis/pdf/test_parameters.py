from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from analysis.conformance import check_agent
from analysis.errors import BadPattern, BadPhase
from analysis.pdf.agents.parameters import make
from analysis.pdf.doubt import doubt
from analysis.pdf.fit import Fit, Problem, names
from analysis.pdf.forward import CrystalPDF, parameters_of
from analysis.pdf.preprocess import prepare
from analysis.pdf.transform import QRange
from analysis.physics.structures import structure
from instruments.formats import read_measurement
from instruments.measurement import Measurement
from tests.instruments.shared_data import data_set

HERE = Path()
R = np.arange(1.0, 25.0, 0.02)
START = datetime(2026, 1, 1, tzinfo=UTC)
TRUTH = {"scale": 0.7, "a": 3.531, "u_iso.Ni": 0.0065, "delta2": 1.8, "q_damp": 0.04}


def measured(y: np.ndarray, **settings: float | str) -> Measurement:
    return Measurement(
        id="ni/pdf/0",
        sample_id="ni",
        technique="pdf",
        x=R,
        y=y,
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="test",
        simulated=True,
        started=START,
        finished=START,
        settings={"q_max": 22.0, **settings},
    )


def nickel(*, noise: float = 0.0, seed: int = 0, diameter: float | None = None) -> np.ndarray:
    """Return G(r) of nickel with noise of S(Q) that is the same at every Q."""
    crystal = structure("nickel")
    model = CrystalPDF(crystal, R, QRange(0.0, 22.0))
    f_q = model.f_q(
        replace(
            parameters_of(crystal),
            cell=torch.tensor([TRUTH["a"]] * 3 + [90.0] * 3, dtype=torch.float64),
            u_iso=torch.tensor([TRUTH["u_iso.Ni"]], dtype=torch.float64),
            scale=TRUTH["scale"],
            delta2=TRUTH["delta2"],
            q_damp=TRUTH["q_damp"],
            diameter=diameter,
        )
    ).numpy()
    q = model.termination.q
    f_q = f_q + noise * q * np.random.default_rng(seed).normal(size=q.size)
    return np.asarray(f_q @ ((2 / np.pi) * (q[1] - q[0]) * np.sin(np.outer(q, R))))


def test_it_conforms() -> None:
    agent = make({"phase": "nickel"}, HERE)
    insight = check_agent(agent, [measured(nickel(noise=0.01))], rng=np.random.default_rng(0))
    assert set(insight.estimates) == set(agent.quantities)
    assert insight.p_wrong is not None
    assert insight.p_wrong < 0.1


def test_what_went_in_comes_out() -> None:
    fit = Problem(structure("nickel"), prepare(measured(nickel()), r_range=(1.5, 24.0))).fit()
    assert fit.rw < 1e-3
    for name, value in zip(names(fit.slots), fit.values, strict=True):
        # both curves come from one model, thinned points included
        assert value == pytest.approx(TRUTH[name], rel=2e-3), name
    assert fit.values[1] == pytest.approx(TRUTH["a"], abs=1e-5)


def test_stated_errors_are_as_large_as_the_errors_are() -> None:
    """Twelve repetitions: the spread of (found − true)/std is one, within its own ± 20 %."""
    deviations = []
    for seed in range(12):
        data = prepare(measured(nickel(noise=0.02, seed=seed)), r_range=(1.5, 24.0))
        fit = Problem(structure("nickel"), data).fit()
        std = np.sqrt(np.diag(fit.covariance))
        truth = np.array([TRUTH[name] for name in names(fit.slots)])
        deviations.append((fit.values - truth) / std)
    spread = np.sqrt(np.mean(np.square(deviations)))
    # 60 numbers in five correlated columns
    assert 0.6 < spread < 1.6


def test_the_size_of_grains_is_found_where_damping_is_known() -> None:
    agent = make({"phase": "nickel", "finite": True, "q_damp": 0.04}, HERE)
    insight = agent.analyze(
        [measured(nickel(noise=0.01, diameter=35.0))], rng=np.random.default_rng(0)
    )
    diameter = insight.estimates["pdf.diameter.nickel"]
    assert diameter.value == pytest.approx(35.0, abs=1.0)
    assert diameter.unit == "Å"
    assert "pdf.q_damp" not in agent.quantities


def test_a_size_beyond_the_data_is_not_stated() -> None:
    agent = make({"phase": "nickel", "finite": True, "q_damp": 0.04}, HERE)
    insight = agent.analyze([measured(nickel())], rng=np.random.default_rng(0))
    assert "pdf.diameter.nickel" not in insight.estimates
    assert "pdf.diameter.nickel stands at the limit" in insight.remarks[0]


def test_the_wrong_crystal_is_doubted_or_refused() -> None:
    agent = make({"phase": "iron", "q_max": 22.0}, HERE)
    insight = agent.analyze([measured(nickel(noise=0.01))], rng=np.random.default_rng(0))
    assert insight.abstained or (insight.p_wrong is not None and insight.p_wrong > 0.5)


def fitted(y: np.ndarray) -> Fit:
    data = prepare(measured(y), r_range=(1.5, 20.0))
    return Problem(structure("nickel"), data, q_damp=TRUTH["q_damp"]).fit()


def test_a_second_phase_is_doubted_and_grains_of_uneven_size_are_not() -> None:
    small = [nickel(noise=0.003, diameter=d) for d in (18.0, 45.0)]
    uneven = fitted(0.5 * (small[0] + small[1]))
    strange = CrystalPDF(structure("periclase"), R, QRange(0.0, 22.0))
    own = parameters_of(strange.crystal)
    moving = replace(own, u_iso=torch.full_like(own.u_iso, 0.007), q_damp=TRUTH["q_damp"])
    mixed = fitted(nickel(noise=0.003) + 0.3 * strange.g_r(moving).numpy())
    # R_w is alike in both
    assert uneven.rw > 0.15
    assert mixed.rw < 0.4
    assert doubt(uneven, prior=0.3) < 0.4
    assert doubt(mixed, prior=0.3) > 0.6
    assert doubt(mixed, prior=0.6) > doubt(mixed, prior=0.3)


def test_a_measurement_without_q_max_is_refused_until_it_is_said() -> None:
    m = replace(measured(nickel()), settings={})
    with pytest.raises(BadPattern, match="does not state its Q_max"):
        make({"phase": "nickel"}, HERE).analyze([m], rng=np.random.default_rng(0))
    told = make({"phase": "nickel", "q_max": 22.0}, HERE)
    assert not told.analyze([m], rng=np.random.default_rng(0)).abstained


def test_an_intensity_is_no_pair_distribution_function() -> None:
    m = replace(measured(nickel()), x_name="q", x_unit="1/Å", y_name="i_q")
    with pytest.raises(BadPattern, match="i_q over q"):
        make({"phase": "nickel"}, HERE).analyze([m], rng=np.random.default_rng(0))


def test_too_short_a_range_is_refused() -> None:
    agent = make({"phase": "nickel", "r_range": (2.0, 3.0)}, HERE)
    with pytest.raises(BadPattern, match="widen r_range"):
        agent.analyze([measured(nickel())], rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "settings",
    [{"phase": "nickel", "finite": True}, {"phase": "nickel", "r_range": (9.0, 2.0)}, {}],
)
def test_contradictory_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(settings, HERE)


def test_a_missing_cif_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match=r"there is no phase file .*none\.cif"):
        make({"phase": "none.cif"}, tmp_path)


@pytest.mark.parametrize(
    ("phase", "file", "worst", "a"),
    [
        ("Ni.cif", "pdfttp/Ni/Ni.gr", 0.046, 3.5248),
        ("Ni.cif", "srfit_examples/ni-q27r60-xray.gr", 0.109, 3.5244),
        ("Si.cif", "srfit_examples/si-q27r60-xray.gr", 0.086, 5.4295),
        ("Ni.cif", "srfit_examples/ni-q27r100-neutron.gr", 0.085, 3.5267),
    ],
)
def test_published_data_fit_as_well_as_by_pdffit2(
    phase: str, file: str, worst: float, a: float
) -> None:
    """R_w and cells of the reference fits that come with the data."""
    agent = make({"phase": phase}, data_set("pdf/reference_structures"))
    m = read_measurement(data_set("pdf") / file)
    insight = agent.analyze([m], rng=np.random.default_rng(0))
    assert insight.quality["rw"] <= worst
    found = insight.estimates[f"pdf.lattice.{phase[:-4]}.a"]
    # the references state four decimals and no error
    assert found.value == pytest.approx(a, abs=3e-4)

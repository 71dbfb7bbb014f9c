"""Figures say what the records say, in few bytes; no server is needed."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from analysis.insight import Curve, Estimate
from orchestrator.report.figures import (
    activation_figure,
    landscape,
    pattern,
    pattern_figure,
    phase_fractions,
    reliability_figure,
)
from orchestrator.report.figures.progress import best_so_far, progress
from orchestrator.report.labels import axis_label, quantity_label
from planners.objective import Objective, OutcomeConstraint, Target
from planners.proposal import Observation

RUTILE = "xrd.weight_fraction.rutile"
OBJECTIVE = Objective(
    targets=(Target(quantity=RUTILE, goal="match", value=0.5, tolerance=0.05),),
    constraints=(OutcomeConstraint(quantity="cost", upper=10),),
)


def told(value: float, cost: float = 1.0) -> Observation:
    return Observation(
        values={"temperature": 600.0 + 100 * value, "dwell": 2.0},
        outcomes={RUTILE: value, "cost": cost},
        stds={RUTILE: 0.02},
    )


FAILED = Observation(values={"temperature": 640.0, "dwell": 1.0}, failed=True, failure="jam")
COURSE = list(enumerate([told(0.1), FAILED, told(0.45), told(0.5, cost=99.0), told(0.3)]))


def test_best_so_far_skips_failures_and_broken_constraints() -> None:
    assert best_so_far(COURSE, OBJECTIVE) == [0, 0, 2, 2, 2]


def test_nothing_is_best_before_the_first_result() -> None:
    assert best_so_far([(0, FAILED)], OBJECTIVE) == [None]


@pytest.mark.parametrize(
    ("name", "unit", "label"),
    [("two_theta", "deg", "2θ (°)"), ("q", "1/angstrom", "Q (Å⁻¹)"), ("ramp", "degC/h", None)],
)
def test_axes_carry_their_units(name: str, unit: str, label: str | None) -> None:
    assert axis_label(name, unit) == (label or "ramp (°C/h)")


def test_a_quantity_is_named_in_words() -> None:
    assert quantity_label(RUTILE) == "rutile weight fraction"
    assert quantity_label("xrd.crystallite_size.anatase", "Å") == "anatase crystallite size (Å)"


def scan(n_points: int = 3000) -> Curve:
    x = np.linspace(20, 80, n_points)
    peak = 900 * np.exp(-(((x - 27.4) / 0.3) ** 2))
    background = np.full_like(x, 100.0)
    observed = np.random.default_rng(0).poisson(peak + background).astype(float)
    return Curve(
        x=x,
        x_name="two_theta",
        x_unit="deg",
        columns={
            "observed": observed,
            "calculated": peak + background,
            "difference": observed - peak - background,
            "background": background,
            "phase.rutile": peak,
        },
        y_unit="counts",
    )


def test_every_figure_fits_into_a_database_row() -> None:
    many = [(n, told(0.5 + 0.3 * np.sin(n))) for n in range(200)]
    grid = np.linspace(0, 1, 30)
    belief = SimpleNamespace(
        names=("temperature", "dwell"),
        axes=(500 + 300 * grid, 10 * grid),
        mean=np.add.outer(np.sin(6 * grid), grid),
        std=np.add.outer(grid, np.cos(6 * grid) ** 2),
        quantity=RUTILE,
    )
    pictures = [
        pattern(scan(), title="experiment 3"),
        progress(many, OBJECTIVE, title="200 experiments"),
        phase_fractions({n: {"rutile": Estimate(0.5, 0.1, "")} for n in range(200)}, title="p"),
        landscape(belief, many, units=("degC", "h"), title="belief"),
    ]
    for picture in pictures:
        assert len(picture.data_uri) < 50_000
        with Image.open(io.BytesIO(picture.data)) as image:
            assert image.width > 800


def test_a_phase_is_seen_where_its_peak_is() -> None:
    with_phase, without = scan(), scan()
    without = Curve(
        x=without.x,
        x_name="two_theta",
        x_unit="deg",
        columns={k: v for k, v in without.columns.items() if k != "phase.rutile"},
        y_unit="counts",
    )
    images = []
    for curve in (with_phase, without):
        with Image.open(io.BytesIO(pattern(curve, title="").data)) as image:
            images.append(np.asarray(image.convert("RGB")).astype(int))
    columns = np.flatnonzero(np.abs(images[0] - images[1]).sum(axis=(0, 2)))
    left, right = 0.11 * 988, 0.985 * 988
    at_peak = left + (27.4 - 20) / 60 * (right - left)
    assert columns.min() < at_peak
    assert np.abs(columns - at_peak).min() < 3


def test_a_pattern_without_observed_points_is_refused() -> None:
    x = np.linspace(0, 1, 5)
    empty = Curve(x=x, x_name="q", x_unit="1/angstrom", columns={"calculated": x})
    with pytest.raises(KeyError, match="observed"):
        pattern(empty, title="")


def test_a_pattern_is_drawn_as_svg_for_a_file() -> None:
    assert b"<svg" in pattern_figure(scan(200), format="svg")


def test_the_activation_has_a_row_a_phase() -> None:
    x = np.linspace(10, 80, 200)
    heat = np.exp(-(((x - 30) / 2) ** 2))
    one = {"observed": 100 * heat + 5, "activation.rutile": heat}
    two = one | {"activation.anatase": heat[::-1]}
    heights = [
        Image.open(io.BytesIO(activation_figure(Curve(x, "two_theta", "deg", c, "counts")))).size[1]
        for c in (one, two)
    ]
    assert heights[1] > heights[0]
    svg = activation_figure(Curve(x, "two_theta", "deg", two, "counts"), format="svg").decode()
    assert "anatase" in svg
    with pytest.raises(ValueError, match="no activation"):
        activation_figure(Curve(x, "two_theta", "deg", {"observed": heat}, "counts"))


def test_the_reliability_diagram_counts_what_it_shows() -> None:
    table = {"a phase is there": [(0.1, 0.05, 40), (0.9, 0.95, 61)]}
    svg = reliability_figure(table, format="svg").decode()
    for text in ("stated probability", "a phase is there", "40", "61"):
        assert f">{text}<" in svg or f"<!-- {text} -->" in svg

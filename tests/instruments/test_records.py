from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from instruments.capabilities import Accepted, Capabilities
from instruments.commands import Measure, Outcome, Synthesize
from instruments.identity import identity_fault
from instruments.measurement import Measurement, Reading
from instruments.sample import Sample

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def measurement(**more: object) -> Measurement:
    content: dict[str, object] = {
        "id": "c/0/xrd/0",
        "sample_id": "c/0",
        "technique": "xrd",
        "x": np.array([1.0, 2.0, 3.0]),
        "y": np.array([5.0, 6.0, 7.0]),
        "sigma": None,
        "x_name": "two_theta",
        "x_unit": "deg",
        "y_name": "intensity",
        "y_unit": "counts",
        "instrument": "d8",
        "simulated": False,
        "started": NOW,
        "finished": NOW,
    }
    return Measurement(**{**content, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"x": np.array([1.0, 1.0, 2.0])}, "two_theta must increase; point 1 is 1 after 1"),
        ({"y": np.array([1.0, math.nan, 2.0])}, "y holds 1 values that are no finite numbers"),
        ({"y": np.array([1.0, 2.0])}, "alike"),
        ({"sigma": np.array([1.0, -1.0, 1.0])}, "sigma is negative at point 1"),
        ({"x": np.empty(0), "y": np.empty(0)}, "neither a curve nor readings"),
    ],
)
def test_a_curve_that_is_none_is_refused(more: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        measurement(**more)


def test_a_measurement_may_be_readings_alone() -> None:
    reading = Reading(1.0, None, "J")
    m = measurement(x=np.empty(0), y=np.empty(0), readings={"toughness": reading})
    assert m.n_points == 0


@pytest.mark.parametrize(("value", "std"), [(math.nan, None), (1.0, -1.0), (1.0, math.inf)])
def test_a_reading_is_finite_and_its_std_is_not_negative(value: float, std: float | None) -> None:
    with pytest.raises(ValueError, match="finite"):
        Reading(value, std, "J")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_command_and_no_sample_carries_nan_or_infinity(value: float) -> None:
    with pytest.raises(ValidationError):
        Synthesize(sample_id="c/0", number=0, recipe={"temperature": value})
    with pytest.raises(ValidationError):
        Sample(
            id="c/0",
            number=0,
            recipe={"temperature": value},
            made_by="f",
            simulated=True,
            started=NOW,
            finished=NOW,
        )


def test_commands_forbid_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError):
        Synthesize.model_validate({"sample_id": "c/0", "number": 0, "recipe": {}, "speed": 1})


@given(
    recipe=st.dictionaries(
        st.text(min_size=1), st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.text())
    )
)
def test_recipes_survive_json_exactly(recipe: dict[str, float | str]) -> None:
    command = Synthesize(sample_id="c/0", number=0, recipe=recipe)
    again = Synthesize.model_validate_json(command.model_dump_json())
    assert again == command
    assert {k: type(v) for k, v in again.recipe.items()} == {
        k: type(v) for k, v in command.recipe.items()
    }


def test_a_measure_command_survives_json_with_its_sample() -> None:
    sample = Sample(
        id="c/0", number=0, recipe={}, made_by="f", simulated=True, started=NOW, finished=NOW
    )
    command = Measure(measurement_id="c/0/xrd/0", sample=sample, settings={"step": 0.02})
    assert Measure.model_validate_json(command.model_dump_json()) == command


@pytest.mark.parametrize(
    ("settled", "value", "error"),
    [("succeeded", None, ""), ("failed", "sample", "jam"), ("failed", None, "")],
)
def test_an_outcome_has_a_value_or_a_reason(settled: str, value: object, error: str) -> None:
    with pytest.raises(ValueError, match="command c/0"):
        Outcome("c/0", settled, value, NOW, NOW, simulated=True, error=error)  # type: ignore[arg-type]


def test_limits_are_included_and_every_fault_is_named() -> None:
    furnace = Capabilities(
        role="synthesize",
        accepts=(
            Accepted(name="temperature", unit="°C", low=20.0, high=1200.0),
            Accepted(name="gas", choices=("air", "argon"), default="air"),
        ),
        simulated=True,
    )
    assert furnace.faults({"temperature": 20.0}) == []
    assert furnace.faults({"temperature": 1200.0, "gas": "argon"}) == []
    faults = furnace.faults({"temperature": 1200.1, "gas": "steam", "speed": 1.0})
    assert len(faults) == 3
    assert "above the limit 1200 °C" in " ".join(faults)
    assert furnace.faults({}) == ["temperature is missing"]
    assert furnace.completed({"temperature": 30.0}) == {"temperature": 30.0, "gas": "air"}


@pytest.mark.parametrize(
    "wrong", [{"low": 2.0, "high": 1.0}, {"low": 2.0, "default": 1.0}, {"default": math.nan}]
)
def test_a_setting_that_contradicts_itself_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Accepted(name="temperature", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("identity", ["c/0", "tio2-2026-01-01T10:00:00/17/measure/0", "A 1", "x.y"])
def test_ordinary_identities_are_accepted(identity: str) -> None:
    assert identity_fault(identity) is None


@pytest.mark.parametrize(
    "identity",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "a/.",
        "a\n",
        "a;b",
        "a@b",
        "a\\b",
        "a\x00",
        " a",
        "é",
        "x" * 201,
    ],
)
def test_identities_that_could_escape_are_refused(identity: str) -> None:
    assert identity_fault(identity)

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis import BadPattern
from analysis.conformance import check_agent
from analysis.readings import make
from instruments.measurement import Measurement, Reading
from tests.analysis.xrd.patterns import START

HERE = Path()
EMPTY = np.empty(0)


def table(identifier: str = "s/table/0", **readings: Reading) -> Measurement:
    return Measurement(
        id=identifier,
        sample_id="s",
        technique="table",
        x=EMPTY,
        y=EMPTY,
        sigma=None,
        x_name="",
        x_unit="",
        y_name="",
        y_unit="",
        instrument="balance",
        simulated=False,
        started=START,
        finished=START,
        readings=readings,
    )


def test_readings_conforms() -> None:
    agent = make({"quantities": {"toughness": "J"}}, HERE)
    insight = check_agent(
        agent, [table(toughness=Reading(12.5, 0.5, "J"))], rng=np.random.default_rng(0)
    )
    assert insight.estimates["toughness"].value == 12.5
    assert insight.estimates["toughness"].std == 0.5
    assert insight.p_wrong is None
    assert insight.novelty is None


def test_a_reading_may_have_another_name_than_its_quantity() -> None:
    agent = make({"quantities": {"mag": "emu/g"}, "source": {"mag": "magnetisation"}}, HERE)
    reading = table(magnetisation=Reading(3.0, None, "emu/g"))
    assert agent.analyze([reading], rng=np.random.default_rng(0)).estimates["mag"].value == 3.0


def test_an_unknown_std_stays_unknown_unless_one_is_assumed() -> None:
    reading = [table(mass=Reading(-2.0, None, "g"))]
    source = np.random.default_rng(0)
    plain = make({"quantities": {"mass": "g"}}, HERE).analyze(reading, rng=source)
    assumed = make({"quantities": {"mass": "g"}, "relative_std": 0.1}, HERE)
    assert plain.estimates["mass"].std is None
    assert assumed.analyze(reading, rng=source).estimates["mass"].std == pytest.approx(0.2)


def test_replicates_are_averaged_and_their_std_falls() -> None:
    agent = make({"quantities": {"mass": "g"}}, HERE)
    known = [table(f"s/table/{i}", mass=Reading(v, 0.2, "g")) for i, v in enumerate((1, 2, 3, 4))]
    said = agent.analyze(known, rng=np.random.default_rng(0)).estimates["mass"]
    assert said.value == pytest.approx(2.5)
    assert said.std == pytest.approx(0.1)
    unknown = [
        replace(m, readings={"mass": Reading(m.readings["mass"].value, None, "g")}) for m in known
    ]
    said = agent.analyze(unknown, rng=np.random.default_rng(0)).estimates["mass"]
    assert said.std == pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2)


@pytest.mark.parametrize(
    ("measurements", "sentence"),
    [
        ([], "no measurement"),
        ([table(colour=Reading(1.0, None, ""))], "has no reading 'mass'; it has colour"),
        ([table(mass=Reading(1.0, None, "kg"))], "is in 'kg', but mass was to be in 'g'"),
    ],
)
def test_a_reading_that_is_not_there_is_refused(
    measurements: list[Measurement], sentence: str
) -> None:
    agent = make({"quantities": {"mass": "g"}}, HERE)
    with pytest.raises(BadPattern, match=sentence):
        agent.analyze(measurements, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "settings",
    [{}, {"quantities": {}}, {"quantities": {"a": ""}, "source": {"b": "c"}}, {"quantity": "a"}],
)
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(settings, HERE)

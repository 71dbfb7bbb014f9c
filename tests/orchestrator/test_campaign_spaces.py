"""A campaign file can say every kind of space, and the loop reports what it cannot set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.insight import Estimate, Insight
from instruments.measurement import Measurement
from orchestrator.campaign import Campaign, parse_campaign
from orchestrator.errors import BadFile
from orchestrator.loop import turn
from orchestrator.store import Store
from orchestrator.surroundings import reported
from orchestrator.toml_source import parse_toml
from planners.baselines import make_random
from planners.context import ContextVariable
from planners.encoding import Encoding
from planners.parameters import CategoricalParameter
from planners.sampling import draw_uniform
from planners.space import SearchSpace
from tests.orchestrator import bakery

REST = """
[objective]
targets = [ {quantity = "yield", goal = "maximize"} ]
[budget]
experiments = 9
[[measurements]]
technique = "hplc"
[[agents]]
use = "readings"
"""

HEAD = 'name = "x"\n'


def read(space: str, folder: Path) -> SearchSpace:
    source = parse_toml(HEAD + space + REST, folder / "campaign.toml")
    return parse_campaign(source)[0].space


def faults(space: str, folder: Path) -> dict[int, str]:
    with pytest.raises(BadFile) as caught:
        read(space, folder)
    return {f.line: f.message for f in caught.value.faults}


DESCRIBED = """\
[[space.parameters]]
type = "categorical"
name = "solvent"
descriptors = {table = "solvents.csv"}
"""


def test_solvents_are_described_by_a_table_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "solvents.csv").write_text(
        "solvent,permittivity,bp\nwater,80,100\ndmf,37,153\ntoluene,2,111\n"
    )
    space = read(DESCRIBED, tmp_path)
    solvent = space.parameter("solvent")
    assert isinstance(solvent, CategoricalParameter)
    assert solvent.categories == ("water", "dmf", "toluene")
    assert Encoding(space).group_names == ("solvent.permittivity", "solvent.bp")
    fewer = read(DESCRIBED + 'categories = ["toluene", "dmf"]\n', tmp_path).parameter("solvent")
    assert isinstance(fewer, CategoricalParameter)
    assert fewer.categories == ("toluene", "dmf")


def test_table_that_lacks_a_solvent_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "solvents.csv").write_text("solvent,permittivity\nwater,80\ndmf,37\n")
    assert "not thf" in faults(DESCRIBED + 'categories = ["thf"]\n', tmp_path)[5]
    assert "cannot be read" in faults(DESCRIBED.replace("solvents", "none"), tmp_path)[5]
    wrong = DESCRIBED.replace('csv"', 'csv", file = 1')
    assert "no key that is known" in faults(wrong, tmp_path)[5]


RULES = """\
[[space.parameters]]
type = "continuous"
name = "temperature"
low = 300
high = 900
[[space.parameters]]
type = "continuous"
name = "time"
low = 1
high = 12
[[space.parameters]]
type = "categorical"
name = "ligand"
categories = ["none", "xphos"]
[[space.parameters]]
type = "continuous"
name = "loading"
low = 1
high = 9
only_if = { ligand = "xphos" }
otherwise = 5
[[space.constraints]]
coefficients = { temperature = 1 }
upper = 800
[[space.constraints]]
expression = "temperature * log(time)"
upper = 900
[[space.context]]
name = "humidity"
low = 20
high = 80
unit = "%"
"""


def test_rules_conditions_and_context_are_said_in_the_file(tmp_path: Path) -> None:
    space = read(RULES, tmp_path)
    assert [c.type for c in space.constraints] == ["linear", "expression"]
    assert [v.name for v in space.context] == ["humidity"]
    drawn = draw_uniform(space, 40, rng=np.random.default_rng(0))
    assert {p["loading"] for p in drawn if p["ligand"] == "none"} == {5.0}
    assert all(float(p["temperature"]) * np.log(float(p["time"])) < 901 for p in drawn)


def test_file_can_neither_bring_code_nor_reach_for_it(tmp_path: Path) -> None:
    evil = RULES.replace("temperature * log(time)", "__import__('os').getcwd()")
    assert "not allowed" in faults(evil, tmp_path)[27]
    call = RULES.replace(
        'expression = "temperature * log(time)"\nupper = 900',
        ('type = "function"\nname = "os.getcwd"'),
    )
    assert "no constraint function is called" in next(iter(faults(call, tmp_path).values()))


def test_list_of_pairs_stands_beside_a_free_temperature(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("solvent,base\ndmf,dbu\ndmf,tea\nthf,dbu\n")
    space = read(
        """\
[space.candidates]
table = "pairs.csv"
columns = ["solvent", "base"]
[[space.parameters]]
type = "continuous"
name = "temperature"
low = 300
high = 900
""",
        tmp_path,
    )
    assert space.names == ("temperature", "solvent", "base")
    assert space.contains({"temperature": 333.3, "solvent": "thf", "base": "dbu"})


class Hygrometer(bakery.Taster):
    """Tells, beside the colour, the humidity of the bakery."""

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        insight = super().analyze(measurements, rng=rng)
        number = float(measurements[0].sample_id.rpartition("/")[2])
        air = {"humidity": Estimate(40 + number, 1.0, "%")}
        return replace(insight, estimates={**insight.estimates, **air})


async def test_observations_hold_the_context_that_was_reported(store: Store) -> None:
    space = bakery.campaign().space.model_dump()
    context = [
        {"name": "humidity", "low": 20, "high": 80, "unit": "%"},
        {"name": "flour_lot", "categories": ["A", "B"]},
    ]
    wanted: Campaign = bakery.campaign(space={**space, "context": context})
    run = bakery.run(store, make_random({}), campaign=wanted)
    run = replace(run, match=replace(run.match, agents={"taster": Hygrometer()}))
    await run.laboratory.connect()
    for number in range(2):
        assert (await turn(run, number)).context == {"humidity": 40.0 + number}
    await run.laboratory.disconnect()
    assert [o.context for _, o in store.observations(run.id)] == [
        {"humidity": 40.0},
        {"humidity": 41.0},
    ]


def test_context_comes_from_quantities_answers_or_the_recipe_in_its_own_unit() -> None:
    humidity = ContextVariable(name="humidity", low=0, high=100, unit="%")
    lot = ContextVariable(name="lot", categories=("A", "B"))
    room = ContextVariable(name="room", low=10, high=30)
    insight = Insight(
        id="i",
        agent="a",
        measurement_ids=("m",),
        estimates={"humidity": Estimate(44.0, None, "%")},
        class_probabilities={"lot": {"A": 0.2, "B": 0.8}},
    )
    told = reported((humidity, lot, room), [insight], {"room": 21.5, "t": 3.0})
    assert told == {"humidity": 44.0, "lot": "B", "room": 21.5}
    fraction = replace(insight, estimates={"humidity": Estimate(0.44, None, "1")})
    assert reported((humidity,), [fraction], {}) == {}
    assert reported((lot,), [], {"lot": 3.0}) == {}

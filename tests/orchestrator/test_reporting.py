"""What a campaign's space silently would not use is told, or refused, before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.printing import console, print_plan
from orchestrator.errors import BadFile
from orchestrator.launch import prepare

LAB = """
name = "recorded oven"
seed = 0
[instruments.oven]
driver = "replay.synthesizer"
[instruments.oven.settings]
table = "loaves.csv"
features = { heat = { unit = "degC" }, time = { unit = "h" } }
[instruments.taste]
driver = "replay.recorder"
[instruments.taste.settings]
table = "loaves.csv"
features = { heat = { unit = "degC" }, time = { unit = "h" } }
[instruments.taste.settings.readings]
crust = { column = "crust", unit = "mm" }
humidity = { column = "humidity", unit = "%" }
"""

CAMPAIGN = """
name = "rye"
laboratory = "lab.toml"
seed = 1
[space.candidates]
table = "loaves.csv"
columns = ["heat", "time"]
[[space.parameters]]
type = "discrete"
name = "heat"
values = [200, 220, 240]
unit = "degC"
[[space.parameters]]
type = "discrete"
name = "time"
values = [1, 2]
unit = "h"
[[objective.targets]]
quantity = "crust"
goal = "maximize"
[budget]
experiments = 4
[[measurements]]
technique = "table"
[[agents]]
use = "readings"
[agents.settings]
quantities = { crust = "mm" }
"""

HUMIDITY = """
[[space.context]]
name = "humidity"
low = 20
high = 80
unit = "%"
"""

LOT = """
[[space.context]]
name = "lot"
categories = ["A", "B"]
"""


@pytest.fixture
def bakehouse(tmp_path: Path) -> Path:
    rows = ["heat,time,crust,humidity"]
    rows += [f"{heat},{time},{heat * time / 100},44" for heat in (200, 220, 240) for time in (1, 2)]
    (tmp_path / "loaves.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "lab.toml").write_text(LAB)
    return tmp_path


def planned(folder: Path, text: str) -> str:
    """Return what a person reads before the campaign starts."""
    (folder / "rye.toml").write_text(text)
    with console.capture() as printed:
        print_plan(prepare(folder / "rye.toml"))
    return printed.get()


def refused(folder: Path, text: str) -> str:
    (folder / "rye.toml").write_text(text)
    with pytest.raises(BadFile) as caught:
        prepare(folder / "rye.toml")
    (fault,) = caught.value.faults
    assert text.splitlines()[fault.line - 1] == "[[space.context]]"
    return fault.message


def heard(text: str, unit: str = "%") -> str:
    return text.replace('crust = "mm"', f'crust = "mm", humidity = "{unit}"')


def test_a_number_that_nothing_reports_is_refused_with_what_would_report_it(
    bakehouse: Path,
) -> None:
    told = refused(bakehouse, CAMPAIGN + HUMIDITY)
    assert "'humidity', which nothing in this campaign reports" in told
    assert 'taste reads it: add humidity = "%" to the `quantities`' in told


def test_a_number_that_no_instrument_reads_is_refused_with_what_to_add(bakehouse: Path) -> None:
    told = refused(bakehouse, CAMPAIGN + HUMIDITY.replace("humidity", "pressure"))
    assert "expected an agent that estimates it, or a synthesizer that notes it" in told
    assert "Add an agent for it" in told


def test_a_number_that_an_agent_passes_on_is_accepted_and_told(bakehouse: Path) -> None:
    assert "humidity, reported by readings" in planned(bakehouse, heard(CAMPAIGN) + HUMIDITY)


def test_a_number_in_another_unit_than_its_agent_tells_is_refused(bakehouse: Path) -> None:
    other = HUMIDITY.replace('unit = "%"', 'unit = "g/m3"')
    told = refused(bakehouse, heard(CAMPAIGN) + other)
    assert "found the context variable 'humidity' in g/m3; expected %" in told


def test_a_category_which_nobody_declares_is_pointed_out(bakehouse: Path) -> None:
    assert "lot: nobody declares to report it" in planned(bakehouse, CAMPAIGN + LOT)


def test_columns_of_the_table_that_are_not_used_are_told(bakehouse: Path) -> None:
    told = planned(bakehouse, CAMPAIGN)
    assert "6 candidates over heat, time" in told
    assert "columns of the table that are not used: crust, humidity" in told
    assert "free" not in told


def test_a_parameter_that_is_free_although_the_table_has_its_column_is_told(
    bakehouse: Path,
) -> None:
    told = planned(bakehouse, CAMPAIGN.replace('columns = ["heat", "time"]', 'columns = ["heat"]'))
    assert "3 candidates over heat" in told
    assert "free, with any row of the list: time" in told
    assert "time: free although the table has a column of that name" in told
    assert "not used: crust, humidity" in told

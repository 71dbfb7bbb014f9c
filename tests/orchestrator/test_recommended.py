"""A report tells which recipe to go on with, which need not be the one measured best."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from orchestrator.control import run_campaign
from orchestrator.launch import begin, prepare
from orchestrator.report import write_report
from orchestrator.report.recommended import recommended
from orchestrator.report.story import Story, read_story
from orchestrator.store import Store

LAB = """
name = "recorded oven"
seed = 0
[instruments.oven]
driver = "replay.synthesizer"
[instruments.oven.settings]
table = "loaves.csv"
features = { heat = { unit = "degC" } }
[instruments.taste]
driver = "replay.recorder"
[instruments.taste.settings]
table = "loaves.csv"
features = { heat = { unit = "degC" } }
readings = { crust = { column = "crust", unit = "mm" } }
"""

CAMPAIGN = """
name = "rye"
laboratory = "lab.toml"
seed = 1
[space.candidates]
table = "loaves.csv"
columns = ["heat"]
[[space.parameters]]
type = "discrete"
name = "heat"
values = HEATS
unit = "degC"
[objective]
OBJECTIVE
[[objective.targets]]
quantity = "crust"
TARGET
[budget]
experiments = BUDGET
[planner]
use = "bayesian"
settings = { n_initial = 41 }
[[measurements]]
technique = "table"
[[agents]]
use = "readings"
[agents.settings]
quantities = { crust = "mm" }
"""

HEATS = tuple(150 + 2.5 * i for i in range(41))
BROAD, NARROW = 180.0, 225.0


def crust(heat: float) -> float:
    """A broad top of 1 mm at 180 °C, a narrow one of 1.3 mm at 225 °C that errors of 3 K halve."""
    broad = np.exp(-(((heat - BROAD) / 15) ** 2))
    return float(broad + 1.3 * np.exp(-(((heat - NARROW) / 3) ** 2)))


@pytest.fixture
def bakehouse(tmp_path: Path) -> Path:
    rows = [f"{heat},{crust(heat):.6f}" for heat in HEATS]
    (tmp_path / "loaves.csv").write_text("\n".join(["heat,crust", *rows]) + "\n")
    (tmp_path / "lab.toml").write_text(LAB)
    return tmp_path


async def told(
    folder: Path,
    store: Store,
    *,
    objective: str = "",
    target: str = 'goal = "maximize"',
    experiments: int = len(HEATS),
) -> Story:
    """Return the story of a campaign, which by default has baked the whole table."""
    text = CAMPAIGN.replace("HEATS", str(list(HEATS)))
    text = text.replace("OBJECTIVE", objective).replace("TARGET", target)
    text = text.replace("BUDGET", str(experiments))
    (folder / "rye.toml").write_text(text)
    run = begin(prepare(folder / "rye.toml"), store)
    await run.laboratory.connect()
    await run_campaign(run)
    await run.laboratory.disconnect()
    return read_story(store, run.id)


async def test_under_input_errors_the_broad_top_is_recommended_beside_the_narrow_one_measured_best(
    bakehouse: Path, store: Store
) -> None:
    story = await told(bakehouse, store, objective="input_errors = { heat = 3.0 }")
    best = story.by_number[story.best].observation
    assert best.values["heat"] == pytest.approx(NARROW, abs=2.5)
    found = recommended(story)
    heat = story.by_number[found.number].observation.values["heat"]
    assert heat == pytest.approx(BROAD, abs=5)
    ((name, predicted, measured),) = found.outcomes
    value, std = (float(part) for part in predicted.removesuffix(" mm").split(" ± "))
    assert name == "crust"
    assert value == pytest.approx(crust(heat), abs=max(3 * std, 0.03))
    assert measured == f"{crust(heat):.4g} mm"
    assert "heat by 3 °C" in found.about
    strays, shares = np.polynomial.hermite_e.hermegauss(21)
    mean = np.average([crust(heat + 3 * z) for z in strays], weights=shares)
    worth = re.search(r"crust ([\d.]+) ± ([\d.]+) mm", found.about)
    # Sixteen errors stand for all of them.
    assert float(worth[1]) == pytest.approx(mean, abs=max(3 * float(worth[2]), 0.03))
    page = write_report(store, story.record.id, bakehouse).read_text(encoding="utf-8")
    assert f"Best experiment: {story.best}" in page
    assert f"Recommended recipe: experiment {found.number}" in page
    assert predicted in page


async def test_without_input_errors_the_recommended_recipe_is_the_one_measured_best(
    bakehouse: Path, store: Store
) -> None:
    story = await told(bakehouse, store)
    found = recommended(story)
    assert found.number == story.best
    assert "It is the best measured one, too." in found.about
    assert "stray" not in found.about


async def test_a_map_has_no_recommended_recipe(bakehouse: Path, store: Store) -> None:
    story = await told(bakehouse, store, target='goal = "boundary"\nvalue = 0.5')
    assert recommended(story) is None


async def test_before_a_model_is_possible_the_page_says_why_nothing_is_recommended(
    bakehouse: Path, store: Store
) -> None:
    story = await told(bakehouse, store, experiments=1)
    found = recommended(story)
    assert found.number is None
    assert "a surrogate needs two" in found.about


async def test_a_bound_on_an_outcome_is_told_with_the_probability_of_keeping_it(
    bakehouse: Path, store: Store
) -> None:
    bound = 'goal = "maximize"\n[[objective.constraints]]\nquantity = "crust"\nupper = 1.1'
    story = await told(bakehouse, store, target=bound)
    found = recommended(story)
    assert story.by_number[found.number].observation.outcomes["crust"] < 1.1
    assert "It keeps every constraint with probability" in found.about

"""A campaign learns from earlier ones in its store, and always from the same experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.control import run_campaign
from orchestrator.deciding.lessons import earlier_campaigns, pin_lessons, pinned_lessons
from orchestrator.errors import BadFile
from orchestrator.launch import begin, prepare, reopen
from orchestrator.replay.past import Past
from orchestrator.replay.replaying import replay
from orchestrator.run import Run
from orchestrator.store import Store

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
readings = { crust = { column = "crust", unit = "mm" }, salt = { column = "salt", unit = "g" } }
"""

CAMPAIGN = """
name = "NAME"
laboratory = "lab.toml"
seed = SEED
[space.candidates]
table = "loaves.csv"
columns = ["heat", "time"]
[[space.parameters]]
type = "discrete"
name = "heat"
values = HEATS
unit = "degC"
[[space.parameters]]
type = "discrete"
name = "time"
values = TIMES
unit = "h"
[[objective.targets]]
quantity = "QUANTITY"
goal = "maximize"
[budget]
experiments = 7
[planner]
use = "bayesian"
[planner.settings]
learn_from = LEARN
[[measurements]]
technique = "table"
[[agents]]
use = "readings"
[agents.settings]
quantities = { crust = "mm", salt = "g" }
"""

HEATS, TIMES = tuple(range(150, 260, 10)), tuple(range(1, 9))


@pytest.fixture
def bakehouse(tmp_path: Path) -> Path:
    rows = ["heat,time,crust,salt"]
    for heat in HEATS:
        for time in TIMES:
            crust = 5 * np.exp(-(((heat - 220) / 25) ** 2) - ((time - 6) / 2) ** 2)
            rows.append(f"{heat},{time},{crust:.6f},1.5")
    (tmp_path / "loaves.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "lab.toml").write_text(LAB)
    return tmp_path


def _file(folder: Path, name: str, *, seed: int = 1, learn: str = "[]", text: str = "") -> Path:
    path = folder / f"{name}.toml"
    found = (text or CAMPAIGN).replace("HEATS", str(list(HEATS))).replace("TIMES", str(list(TIMES)))
    found = found.replace("QUANTITY", "crust").replace("LEARN", learn)
    path.write_text(found.replace("NAME", name).replace("SEED", str(seed)))
    return path


async def _bake(run: Run) -> Run:
    await run.laboratory.connect()
    await run_campaign(run)
    await run.laboratory.disconnect()
    return run


async def _earlier(folder: Path, store: Store) -> Run:
    return await _bake(begin(prepare(_file(folder, "rye")), store))


async def test_a_campaign_opens_with_the_best_of_the_one_it_learns_from(
    bakehouse: Path, store: Store
) -> None:
    rye = await _earlier(bakehouse, store)
    best = max((o for _, o in store.observations(rye.id)), key=lambda o: o.outcomes["crust"])
    learner = await _bake(begin(prepare(_file(bakehouse, "wheat", seed=2, learn='["rye"]')), store))
    first, *_, last = store.experiments(learner.id)
    assert dict(first.proposal.values) == dict(best.values)
    assert f"crust.weight.{rye.id}" in last.proposal.reason.model


async def test_what_is_recorded_later_teaches_a_running_campaign_nothing(
    bakehouse: Path, store: Store
) -> None:
    prepared = prepare(_file(bakehouse, "rye"))
    half = begin(prepared, store)
    budget = half.campaign.budget.model_copy(update={"experiments": 4})
    await _bake(replace(half, campaign=half.campaign.model_copy(update={"budget": budget})))
    run = begin(prepare(_file(bakehouse, "wheat", seed=2, learn=f'["{half.id}"]')), store)
    await _bake(reopen(half.id, store))  # three more
    assert len(store.observations(half.id)) == 7
    for again in (run, reopen(run.id, store)):
        (lesson,) = pinned_lessons(store.campaign(again.id).config)
        (told,) = earlier_campaigns([lesson], store)
        assert len(told.observations) == 4


async def test_a_resumed_campaign_and_its_replay_decide_alike(
    bakehouse: Path, store: Store
) -> None:
    await _earlier(bakehouse, store)
    path = _file(bakehouse, "wheat", seed=2, learn='["rye"]')
    whole = await _bake(begin(prepare(path), store))
    parts = begin(prepare(path), store)
    budget = parts.campaign.budget.model_copy(update={"experiments": 3})
    await _bake(replace(parts, campaign=parts.campaign.model_copy(update={"budget": budget})))
    await _earlier(bakehouse, store)  # another campaign of that name comes too late
    parts = await _bake(reopen(parts.id, store))
    one, other = (
        [dict(e.proposal.values) for e in store.experiments(r.id)] for r in (whole, parts)
    )
    assert one == other
    assert not [d for d in replay(Past.of(store, parts.id)) if d.differs]


def test_an_unknown_campaign_is_told_with_its_line(bakehouse: Path, store: Store) -> None:
    prepared = prepare(_file(bakehouse, "wheat", learn='["spelt"]'))
    with pytest.raises(BadFile, match="learn_from") as refused:
        begin(prepared, store)
    (fault,) = refused.value.faults
    assert fault.line > 0
    assert "spelt" in fault.message
    assert "sdlab list" in fault.message
    assert len(store.campaigns()) == 2  # nothing was recorded


async def test_a_campaign_that_shares_nothing_is_refused(bakehouse: Path, store: Store) -> None:
    await _earlier(bakehouse, store)
    text = CAMPAIGN.replace("QUANTITY", "salt")
    prepared = prepare(_file(bakehouse, "wheat", learn='["rye"]', text=text))
    with pytest.raises(BadFile, match="knows crust") as refused:
        begin(prepared, store)
    assert "wants salt" in str(refused.value)


async def test_a_real_campaign_learns_from_simulated_ones_only_by_their_identifier(
    bakehouse: Path, store: Store
) -> None:
    rye = await _earlier(bakehouse, store)
    prepared = prepare(_file(bakehouse, "wheat", learn='["rye"]'))
    simulated = prepared.laboratory.simulated

    def pin(learn: str, *, simulated: bool) -> list[str]:
        asked = prepare(_file(bakehouse, "wheat", learn=learn))
        lessons = pin_lessons(asked.campaign, asked.campaign_source, store, simulated=simulated)
        return [lesson.campaign for lesson in lessons]

    assert pin('["rye"]', simulated=simulated) == [rye.id]
    assert pin(f'["{rye.id}"]', simulated=not simulated) == [rye.id]
    with pytest.raises(BadFile, match="give its identifier"):
        pin('["rye"]', simulated=not simulated)

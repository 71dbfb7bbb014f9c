"""Two real agents in one campaign, one of them with a list of phases that lacks one."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import begin, prepare, run_campaign
from orchestrator.twin import hidden_powder
from tests.orchestrator.histories import open_store

ANATASE = "xrd.weight_fraction.anatase"

LABORATORY = """
name = "titania line"
seed = 7
currency = "EUR"
[instruments.furnace]
driver = "simulated.furnace"
[instruments.diffractometer]
driver = "simulated.diffractometer"
"""

CAMPAIGN = """
name = "two readers"
seed = 1
laboratory = "lab.toml"

[[space.parameters]]
type = "continuous"
name = "temperature"
low = 640
high = 680
unit = "degC"

[synthesis.settings]
dopant_element = "Fe"
dwell = 4
ramp = 5
dopant = 1

[[objective.targets]]
quantity = "xrd.weight_fraction.anatase"
goal = "match"
value = 0.30
tolerance = 0.05

[budget]
experiments = 1

[planner]
use = "sobol"

[[measurements]]
technique = "xrd"
settings = { counting_time = 0.2, step = 0.04 }

[[agents]]
use = "xrd.quantify"
settings = { phases = ["anatase", "brookite"] }

[[agents]]
use = "xrd.adaptive"
settings = { phases = ["anatase", "rutile", "brookite"] }
"""


async def test_who_lacks_a_phase_is_outvoted_by_who_knows_it(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(LABORATORY)
    path = tmp_path / "campaign.toml"
    path.write_text(CAMPAIGN)
    with open_store(tmp_path) as store:
        run = begin(prepare(path, dry_run=True), store)
        await run.laboratory.connect()
        await run_campaign(run)
        experiment = store.experiment(run.id, 0)
    assert experiment is not None
    assert experiment.sample is not None
    assert experiment.observation is not None
    fractions = hidden_powder(experiment.sample, seed=7).weight_fractions
    truth = fractions["anatase"] / sum(fractions.values())
    said = {i.agent: i.estimates[ANATASE].value for i in experiment.insights}
    told = experiment.observation
    assert abs(said["xrd.quantify"] - truth) > 0.1  # it has no rutile to put the rest into
    assert told.outcomes[ANATASE] == pytest.approx(truth, abs=0.05)
    assert told.p_wrong < 0.3

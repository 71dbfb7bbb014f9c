"""The campaign files that the goals' page shows are valid, and their planners propose."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import planners.bayesian.goals
from orchestrator.campaign import Campaign
from orchestrator.cli.printing import wanted
from orchestrator.report import words
from planners.bayesian import make as make_bayesian
from planners.preference import make as make_preference

PAGE = (Path(planners.bayesian.goals.__file__).parent / "README.md").read_text()
SNIPPETS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
MAKERS = {"bayesian": make_bayesian, "preference": make_preference}

AROUND = """
name = "a goal"
{snippet}
[budget]
experiments = 20

[[space.parameters]]
type = "continuous"
name = "x"
low = 300
high = 900

[[space.parameters]]
type = "continuous"
name = "dwell"
low = 1
high = 10

[[space.parameters]]
type = "continuous"
name = "count_time"
low = 1
high = 60
log = true

[[space.parameters]]
type = "categorical"
name = "solvent"
categories = ["water", "ethanol"]

[[measurements]]
technique = "xrd"

[[agents]]
use = "readings"
"""


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_of_the_page_is_a_campaign(snippet):
    campaign = Campaign.model_validate(tomllib.loads(AROUND.format(snippet=snippet)))
    again = Campaign.model_validate_json(campaign.model_dump_json())
    assert again == campaign
    choice = campaign.planner
    settings = (
        {**choice.settings, "comparisons": []} if choice.use == "preference" else (choice.settings)
    )
    planner = MAKERS[choice.use](settings)
    proposal = planner.propose(
        campaign.space, campaign.objective, observations=[], rng=np.random.default_rng(0)
    )[0]
    assert not campaign.space.faults(proposal.values)


def test_page_shows_every_goal():
    assert len(SNIPPETS) == 6


def test_people_read_what_a_map_asks_for():
    border, everywhere = (
        Campaign.model_validate(tomllib.loads(AROUND.format(snippet=s))).objective.targets[0]
        for s in SNIPPETS[:2]
    )
    assert words.target(border) == "Find where the liquidus crosses 1200 K."
    assert words.target(everywhere) == "Map how the band gap runs over the whole space."
    assert wanted(border) == "find where liquidus = 1200 K"
    assert wanted(everywhere) == "map band_gap"


def test_map_does_not_end_for_lack_of_improvement():
    data = tomllib.loads(AROUND.format(snippet=SNIPPETS[1]))
    with pytest.raises(ValueError, match="remove `no_improvement_for`"):
        Campaign.model_validate({**data, "stop": {"no_improvement_for": 5}})

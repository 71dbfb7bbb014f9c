"""A planner of the past is told what it was told then, neither more nor less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.replay.past import Past
from orchestrator.store import Store
from orchestrator.toml_source import TomlSource
from planners.baselines import make_random
from tests.orchestrator import bakery


@pytest.fixture
def past(store: Store) -> Past:
    """Return five experiments, of which the third was the first to end."""
    run = bakery.run(store, make_random({}))
    proposals = [
        make_random({}).propose(
            run.campaign.space, run.campaign.objective, observations=[], rng=run.rng(n, "propose")
        )[0]
        for n in range(5)
    ]
    for n, proposal in enumerate(proposals):
        store.record_proposal("bread-1", n, proposal, seed=[3, n, 0])
    told = [(n, bakery.told(proposals[n].values, 0.1 * n)) for n in (2, 0, 1)]
    experiments = {e.number: e for e in store.experiments("bread-1")}
    source = TomlSource(Path("bread.toml"), "", {}, {})
    return Past(store, store.campaign("bread-1"), run.campaign, source, experiments, told)


def test_what_ended_first_was_told_first(past: Past) -> None:
    experiment = replace(past.experiments[4], told=2, pending=(1, 3))
    observations, pending = past.known(experiment)
    assert [o.outcomes[bakery.QUANTITY] for o in observations] == [0.0, 0.2]
    assert pending == [past.experiments[n].proposal.values for n in (1, 3)]


def test_a_history_that_does_not_say_told_everything_earlier(past: Past) -> None:
    observations, pending = past.known(replace(past.experiments[2], told=None))
    assert [o.outcomes[bakery.QUANTITY] for o in observations] == [0.0, 0.1]
    assert pending == []

"""What went wrong is replayed as it went: crashes, fresh samples, further measurements."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from orchestrator.control import run_campaign
from orchestrator.replay.past import Past
from orchestrator.replay.replaying import Decision, replay
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.toml_source import TomlSource
from planners.baselines import make_random, make_sobol
from planners.proposal import Proposal
from tests.orchestrator import bakery

DECIDERS = "orchestrator.deciding.deciders"


@dataclasses.dataclass
class Stumbling:
    """Draws at random, and crashes whenever `crash` experiments have ended."""

    crash: int = 3
    name: str = "random"

    def propose(self, space: Any, objective: Any, **known: Any) -> list[Proposal]:
        if len(known["observations"]) == self.crash:
            raise RuntimeError("the solver diverged")
        return make_random({}).propose(space, objective, **known)


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a planner that crashes and an agent that asks for more."""
    taster = bakery.Taster(patient=True)
    monkeypatch.setattr(f"{DECIDERS}.agent_factory", lambda _: lambda settings, folder: taster)
    monkeypatch.setattr(f"{DECIDERS}.planner_factory", lambda _: lambda _: Stumbling())


async def _recorded(store: Store) -> Run:
    spoilt = frozenset({(1, 0), (1, 1)})
    wanted = bakery.campaign(
        on_failure={
            "measurement": "resynthesize",
            "analysis": "measure_again",
            "synthesize_again": 1,
        }
    )
    lab = bakery.laboratory(spoilt=spoilt)
    run = bakery.run(store, Stumbling(), laboratory=lab, campaign=wanted)  # type: ignore[arg-type]
    match = dataclasses.replace(run.match, agents={"taster": bakery.Taster(patient=True)})
    await lab.connect()
    run = dataclasses.replace(run, match=match)
    assert (await run_campaign(run)).experiments == 6
    return run


def _past(run: Run, store: Store) -> Past:
    experiments = {e.number: e for e in store.experiments(run.id)}
    _, told = store.observations_since(run.id)
    source = TomlSource(Path("bread.toml"), "", {}, {})
    record, events = store.campaign(run.id), store.events(run.id)
    return Past(store, record, run.campaign, source, experiments, told, events)


def _differing(decisions: Sequence[Decision]) -> list[tuple[int, str]]:
    return [(d.number, d.kind) for d in decisions if d.differs]


@pytest.mark.usefixtures("stumbling")
async def test_failures_and_their_remedies_repeat_themselves(store: Store) -> None:
    run = await _recorded(store)
    reasons = [e.proposal.reason for e in store.experiments(run.id)]
    assert [r.repeats for r in reasons] == [None, None, 1, None, None, None]
    assert [bool(r.instead_of) for r in reasons] == [False, False, False, True, False, False]
    decisions = list(replay(_past(run, store)))
    assert _differing(decisions) == []
    insights = [d for d in decisions if d.kind == "insight"]
    assert len(insights) == 10  # five samples were measured, each once more for the agent


@pytest.mark.usefixtures("stumbling")
async def test_a_crash_that_does_not_come_again_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await _recorded(store)
    monkeypatch.setattr(f"{DECIDERS}.planner_factory", lambda _: lambda _: Stumbling(crash=4))
    past = _past(run, store)
    found = _differing(list(replay(past)))
    assert found == [(3, "proposal"), (4, "proposal")]


@pytest.mark.usefixtures("stumbling")
async def test_a_repetition_of_another_experiment_is_caught(store: Store) -> None:
    run = await _recorded(store)
    past = _past(run, store)
    reason = past.experiments[2].proposal.reason.model_copy(update={"repeats": 0})
    tampered = past.experiments[2].proposal.model_copy(update={"reason": reason})
    experiments = {
        **past.experiments,
        2: dataclasses.replace(past.experiments[2], proposal=tampered),
    }
    decisions = list(replay(dataclasses.replace(past, experiments=experiments)))
    assert _differing(decisions) == [(2, "proposal")]


async def test_what_was_under_way_is_known_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = bakery.laboratory(ovens=3)
    wanted = bakery.campaign(in_flight=3)
    run = bakery.run(store, make_sobol({"seed": 3}), laboratory=lab, campaign=wanted)
    equals = {"synthesize": ("oven-2", "oven-3")}
    await lab.connect()
    run = dataclasses.replace(run, match=dataclasses.replace(run.match, equals=equals))
    assert (await run_campaign(run)).experiments == 6
    monkeypatch.setattr(
        f"{DECIDERS}.agent_factory",
        lambda _: lambda settings, folder: bakery.Taster(),
    )
    monkeypatch.setattr(f"{DECIDERS}.planner_factory", lambda _: make_sobol)
    past = _past(run, store)
    assert any(e.pending for e in past.experiments.values())
    assert _differing(list(replay(past))) == []
    forgetful = {n: dataclasses.replace(e, pending=()) for n, e in past.experiments.items()}
    found = _differing(list(replay(dataclasses.replace(past, experiments=forgetful))))
    assert {kind for _, kind in found} == {"proposal"}

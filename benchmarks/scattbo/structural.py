"""ScattBO with agents that read structures and the planner `structure`.

Each sample's curves are read by `pdf.match`; `pdf.target` is told the target's curves as files, as
a user of the scoreboard is, and knows what any structure of the library would show beside them.
What counts is the scoreboard's own R_wp.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from analysis.insight import Estimate, Insight
from analysis.pdf.agents.match import MatchAgent
from analysis.pdf.agents.match import make as make_match
from analysis.pdf.agents.target import TargetAgent
from analysis.pdf.agents.target import make as make_target
from analysis.pdf.curves import SCAN_Q_MAX
from analysis.pdf.matching import Scanner
from instruments.measurement import Measurement
from orchestrator.scoring import observe
from planners import Objective, Observation, Target
from planners.structural.planner import make as make_planner
from scattbo.cases import Laboratory, simulated_curve
from scattbo.scattering import Q_GRID, Array, r_grid, rwp

NAMES = {"sq": ("s_q", "q", "1/Å"), "gr": ("g_r", "r", "Å")}
RANGE = {"q_min": float(Q_GRID[0]), "q_max": float(Q_GRID[-1])}
LIBRARY: dict[str, object] = {"most_atoms": 2100, "bond_range": [2.0, 5.0], "element": "Au"}
SCALE = 0.1

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reader(*, fitted: int = 6) -> MatchAgent:
    """Return the agent that reads every sample."""
    return make_match({**LIBRARY, "fitted": fitted}, Path())


def without(agent: MatchAgent, name: str) -> None:
    """Take one structure out of the library of an agent."""
    entries = [e for e in agent.scanner.entries if e.name != name]
    agent.scanner = Scanner(entries, bond_range=agent.settings.bond_range, q_max=SCAN_Q_MAX)


def aim(lab: Laboratory) -> TargetAgent:
    """Return the agent that is told the target's curves."""
    with tempfile.TemporaryDirectory() as folder:
        files = [_written(Path(folder), name, curve) for name, curve in lab.targets.items()]
        settings = {
            **LIBRARY,
            "files": files,
            "curves": [NAMES[c][0] for c in lab.case.curves],
            "distance": "rwp_scaled_to_peak",
            "target_as_it_is": lab.case.measured and not lab.edition.scales_measured,
            "b_iso": 0.3,
            "q_damp": 0.04,
            "q_range": [RANGE["q_min"], RANGE["q_max"]],
            "r_range": [0.0, float(r_grid(lab.edition.r_step)[-1])],
        }
        return make_target(settings, Path(folder))


def objective(lab: Laboratory) -> Objective:
    """Return the scoreboard's thresholds as an objective."""
    return Objective(
        targets=tuple(
            Target(quantity=_key(c), goal="minimize", value=limit, scale=SCALE)
            for c, limit in lab.case.thresholds.items()
        )
    )


def campaign(
    lab: Laboratory, agent: MatchAgent, target: TargetAgent, *, seed: int, budget: int
) -> dict[str, object]:
    """Return the steps to the target, None where the budget ended first, and what was done."""
    space, wanted = lab.case.bounds.space(), objective(lab)
    planner = make_planner({"seed": seed}).knowing(target.known_functions)
    done: list[Observation] = []
    losses: list[float] = []
    steps = None
    while steps is None and len(done) < budget:
        rng = np.random.default_rng([seed, len(done)])
        point = planner.propose(space, wanted, observations=done, rng=rng)[0].values
        curves = {c: simulated_curve(c, point, lab.edition) for c in lab.case.curves}
        found = {c: rwp(y, np.interp(x, *curves[c])) for c, (x, y) in lab.targets.items()}
        losses.append(sum(found.values()))
        insights = [_read(agent, curves), _told(found)]
        done.append(observe(wanted, insights, values=point, cost=1.0))
        if lab.is_met(found):
            steps = len(done)
    return {
        "case": lab.case.name,
        "edition": lab.edition.name,
        "seed": seed,
        "budget": budget,
        "steps": steps,
        "losses": losses,
        "points": [o.values for o in done],
        "read": [_in_short(o) for o in done],
    }


def _key(curve: str) -> str:
    return f"pdf.distance_to_target.{NAMES[curve][0]}"


def _read(agent: MatchAgent, curves: Mapping[str, tuple[Array, Array]]) -> Insight:
    taken = [_measurement(name, curve) for name, curve in curves.items()]
    return agent.analyze(taken, rng=np.random.default_rng(0))


def _told(misfits: Mapping[str, float]) -> Insight:
    """Return the scoreboard's R_wp as an insight; its curves have no noise."""
    return Insight(
        id="gold/scoreboard",
        agent="scoreboard",
        measurement_ids=(),
        estimates={_key(c): Estimate(value, 0.0, "") for c, value in misfits.items()},
        p_wrong=0.0,
    )


def _in_short(observation: Observation) -> list[object]:
    said = observation.structure
    if "pdf.type" not in said.answers:
        return []
    numbers = [said.numbers[k].value for k in ("pdf.bond", "pdf.n_atoms")]
    return [said.answers["pdf.type"].likeliest, *numbers]


def _measurement(name: str, curve: tuple[Array, Array]) -> Measurement:
    y_name, x_name, unit = NAMES[name]
    return Measurement(
        id=f"gold/pdf/{name}",
        sample_id="gold",
        technique="pdf",
        x=curve[0],
        y=curve[1],
        sigma=None,
        x_name=x_name,
        x_unit=unit,
        y_name=y_name,
        y_unit="",
        instrument="scattbo",
        simulated=True,
        started=_NOW,
        finished=_NOW,
        settings=RANGE,
    )


def _written(folder: Path, name: str, curve: tuple[Array, Array]) -> str:
    """Write a target's curve as the field's files do, and return the file's name."""
    path = folder / f"target.{name}"
    head = f"mode = xray\ncomposition = Au\nqmin = {RANGE['q_min']}\nqmax = {RANGE['q_max']}"
    np.savetxt(path, np.column_stack(curve), header=f"{head}\n#### start data", comments="")
    return path.name

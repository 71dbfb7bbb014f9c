"""Gold clusters of ScattBO's twin, read by `pdf.match`, with what is really true.

The laboratory is the packaged one: noise, a rest of background, uneven batches. One record a
reading, as JSON lines; a file that is there is continued.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from planning.paired import add_record, read_records

from analysis.pdf.agents.match import MatchAgent, make
from instruments import Bench, Sample
from instruments.clock import VirtualClock
from instruments.commands import Measure, Synthesize
from instruments.measurement import Measurement
from instruments.simulated.gold import Particle, positions
from instruments.simulated.gold_batch import Accidents
from orchestrator.gold_twin import hidden_batch, solution_reactor, total_scattering

AGENT = {"element": "Au", "most_atoms": 1000, "bond_range": [2.4, 4.6]}
ACCIDENTS = {"minority": 0.02, "sizes": 0.04, "strain": 0.001, "disorder": 0.1}
BEAMLINE = {"noise": 1.0, "residual": 0.02, "accidents": ACCIDENTS}
CURVES = ("s_q", "g_r")


def gold_readings(path: Path, *, seeds: range, usual: int) -> dict[int, list[dict[str, Any]]]:
    """Return laboratory → its readings."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in _readings(path, seeds, usual):
        found.setdefault(row["seed"], []).append(row)
    return found


def _readings(path: Path, seeds: range, usual: int) -> Iterator[dict[str, Any]]:
    done = {(row["seed"], row["turn"]): row for row in read_records(path)}
    agent = make(AGENT, Path())
    for seed in seeds:
        for turn in range(usual):
            row = done.get((seed, turn))
            if row is None:
                row = asyncio.run(_reading(agent, seed, turn))
                add_record(path, row)
            yield row


async def _reading(agent: MatchAgent, seed: int, turn: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, turn, 8])
    bench = Bench(VirtualClock(), Path(), seed)
    reactor = solution_reactor("reactor", {"spread": 1.0}, bench)
    beamline = total_scattering("beamline", BEAMLINE, bench)
    await reactor.connect()
    await beamline.connect()
    recipe = {
        "pH": float(rng.uniform(2, 12)),
        "pressure": float(rng.uniform(15, 80)),
        "solvent": str(rng.choice(["Ethanol", "Methanol"])),
    }
    order = Synthesize(sample_id=f"c/{turn}", number=turn, recipe=recipe)
    sample = (await reactor.execute(f"c/{turn}/synthesize/1", order)).value
    assert isinstance(sample, Sample)
    curves = []
    for curve in CURVES:
        measure = Measure(
            measurement_id=f"c/{turn}/{curve}/1", sample=sample, settings={"curve": curve}
        )
        measured = (await beamline.execute(f"c/{turn}/{curve}/1", measure)).value
        assert isinstance(measured, Measurement)
        curves.append(measured)
    insight = agent.analyze(curves, rng=rng)
    batch = hidden_batch(sample, seed=seed, accidents=Accidents(**ACCIDENTS))
    return {
        "seed": seed,
        "turn": turn,
        "kind": "usual",
        "values": {k: v for k, v in recipe.items() if not isinstance(v, str)},
        "truth": _truth(batch.main),
        "estimates": {k: (e.value, e.std, e.unit) for k, e in insight.estimates.items()},
        "p_wrong": insight.p_wrong,
        "novelty": insight.novelty,
        "quality": dict(insight.quality),
        "abstained": insight.abstained,
    }


def _truth(main: Particle) -> dict[str, float]:
    """Return distance of neighbours and number of atoms of the cluster that was meant to grow."""
    bond = main.length * (math.sqrt(3) / 2 if main.kind == "body-centred" else 1.0)
    return {"pdf.bond": bond, "pdf.n_atoms": float(len(positions(main.kind, main.size)))}

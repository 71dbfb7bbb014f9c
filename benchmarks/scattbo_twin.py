"""How many experiments until the gold campaign makes its structure, through noise and accidents?

The packaged campaign `scattbo` on the simulated laboratory, whose curves carry counting noise and
whose batches hold what nobody records: another kind, several sizes, strain. The planner `structure`
beside one that is told the distances alone, on the same seeds, which change the campaign's streams
and the laboratory's. An unfinished campaign counts as one more than its budget.

    python benchmarks/scattbo_twin.py --seeds 10 --noise 1 10 --planners structure bayesian
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts

from orchestrator.campaign import Campaign, PlannerChoice, load_campaign  # noqa: E402
from orchestrator.control import run_campaign  # noqa: E402
from orchestrator.deciding.deciders import match_planner  # noqa: E402
from orchestrator.examples import find_campaign  # noqa: E402
from orchestrator.laboratories.laboratory import (  # noqa: E402
    Laboratory,
    build_laboratory,
    load_laboratory,
)
from orchestrator.laboratories.matching import match  # noqa: E402
from orchestrator.launch import Prepared, begin  # noqa: E402
from orchestrator.store import Store  # noqa: E402


class Laboratories:
    """The example with other planners, seeds and noise; its agents are made once."""

    def __init__(self, budget: int) -> None:
        self._path = find_campaign("scattbo")
        campaign, self._source = load_campaign(self._path)
        limit = campaign.budget.model_copy(update={"experiments": budget})
        self._campaign = campaign.model_copy(update={"budget": limit})
        self._match = match(self._campaign, self._laboratory(0, 1.0), self._source)
        self._lab_source = load_laboratory(self._path.parent / campaign.laboratory)[1]

    def prepared(self, planner: str, seed: int, noise: float) -> Prepared:
        """Return one campaign, ready to begin."""
        choice = PlannerChoice(use=planner)
        campaign: Campaign = self._campaign.model_copy(update={"seed": seed, "planner": choice})
        laboratory = self._laboratory(1000 + seed, noise)
        chooser = match_planner(campaign, self._source, [], agents=self._match.agents.values())
        assert chooser is not None
        matched = replace(self._match, planner=chooser)
        return Prepared(campaign, laboratory, matched, self._source, self._lab_source, True)

    def _laboratory(self, seed: int, noise: float) -> Laboratory:
        file, source = load_laboratory(self._path.parent / self._campaign.laboratory)
        beamline = file.instruments["beamline"]
        settings = {**beamline.settings, "noise": noise}
        changed = {
            **file.instruments,
            "beamline": beamline.model_copy(update={"settings": settings}),
        }
        file = file.model_copy(update={"seed": seed, "instruments": changed})
        return build_laboratory(file, source, twin=True)


async def experiments_needed(ready: Prepared) -> tuple[int, list[float]]:
    """Run one campaign; return its experiments (budget + 1 if it missed), and its distances."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/sdlab.sqlite", Path(folder) / "arrays")
        run = begin(ready, store)
        await run.laboratory.connect()
        ending = await run_campaign(run)
        made = [o for _, o in store.observations(run.id)]
    distances = [float(np.mean(list(o.outcomes.values()))) if o.outcomes else 9.0 for o in made]
    reached = "satisfies" in ending.reason
    return len(made) if reached else ready.campaign.budget.experiments + 1, distances


def main() -> None:
    """Run the campaigns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--noise", type=float, nargs="+", default=[1.0])
    parser.add_argument("--planners", nargs="+", default=["structure", "bayesian"])
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    laboratories = Laboratories(said.budget)
    rows = []
    print(
        "noise  planner      runs   hit  best  median  worst   best distance, median   CPU s a run"
    )
    for noise in said.noise:
        for planner in said.planners:
            began = time.process_time()
            runs = [
                asyncio.run(experiments_needed(laboratories.prepared(planner, seed, noise)))
                for seed in range(said.first, said.first + said.seeds)
            ]
            steps = np.array([steps for steps, _ in runs])
            nearest = [min(distances) for _, distances in runs]
            seconds = (time.process_time() - began) / len(runs)
            hit = float((steps <= said.budget).mean())
            print(
                f"{noise:5g}  {planner:11}{len(runs):6}{hit:6.2f}{steps.min():6}"
                f"{np.median(steps):8.1f}{steps.max():7}{np.median(nearest):19.3f}{seconds:18.1f}",
                flush=True,
            )
            rows.append({"noise": noise, "planner": planner, "steps": steps.tolist()})
    if said.json is not None:
        said.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

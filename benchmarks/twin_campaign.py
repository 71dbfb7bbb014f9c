"""How many experiments until the titania campaign reaches its target, planner against planner?

Every planner runs the packaged example on the simulated laboratory from the same seeds, until an
experiment satisfies every target or the budget ends. A seed changes the campaign's random streams
and the laboratory's (thermocouple error, batches, counting noise). An unfinished campaign counts as
one more than its budget, which flatters the slower planner.

    python benchmarks/twin_campaign.py --seeds 20 --planners bayesian sobol random --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from instruments.sample import Sample
from instruments.simulated.kinetics import Powder
from orchestrator.campaign import PlannerChoice, load_campaign
from orchestrator.control import run_campaign
from orchestrator.examples import find_campaign
from orchestrator.laboratories.laboratory import build_laboratory, load_laboratory
from orchestrator.laboratories.matching import match
from orchestrator.launch import Prepared, begin
from orchestrator.scoring import probability_reached
from orchestrator.store import Store
from orchestrator.twin import hidden_powder
from planners.sampling import draw_uniform


def prepared(planner: str, seed: int, budget: int) -> Prepared:
    """Return the example with another planner, seed and budget."""
    path = find_campaign("tio2")
    campaign, source = load_campaign(path)
    campaign = campaign.model_copy(
        update={
            "seed": seed,
            "planner": PlannerChoice(use=planner),
            "budget": campaign.budget.model_copy(update={"experiments": budget}),
        }
    )
    file, lab_source = load_laboratory(path.parent / campaign.laboratory)
    file = file.model_copy(update={"seed": 1000 + seed})
    laboratory = build_laboratory(file, lab_source, twin=True)
    return Prepared(
        campaign, laboratory, match(campaign, laboratory, source), source, lab_source, True
    )


async def experiments_needed(planner: str, seed: int, budget: int) -> dict[str, float]:
    """Run one campaign and return what it took."""
    ready = prepared(planner, seed, budget)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/sdlab.sqlite", Path(folder) / "arrays")
        run = begin(ready, store)
        began = time.process_time()
        await run.laboratory.connect()
        ending = await run_campaign(run)
        observations = [o for _, o in store.observations(run.id)]
        reached = "satisfies" in ending.reason
        truth = float("nan")
        if reached:
            last = store.experiment(run.id, len(observations) - 1)
            assert last is not None
            assert last.sample is not None
            powder = hidden_powder(last.sample, seed=1000 + seed)
            truth = float(_truly_reached(ready, powder))
        return {
            "experiments": float(len(observations) if reached else budget + 1),
            "reached": float(reached),
            "truly_reached": truth,
            "said": probability_reached(ready.campaign.objective, observations[-1]),
            "failed": float(sum(o.failed for o in observations)),
            "cpu_s": time.process_time() - began,
        }


def _truly_reached(ready: Prepared, powder: Powder) -> bool:
    """Return whether the hidden sample itself satisfies the targets."""
    truth = hidden_values(powder)
    return all(t.is_reached(truth[t.quantity]) for t in ready.campaign.objective.targets)


def hidden_values(powder: Powder) -> dict[str, float]:
    """Return the hidden truth by quantity; fractions are of what is crystalline."""
    return {
        "xrd.weight_fraction.rutile": powder.crystalline_fraction("rutile"),
        "xrd.crystallite_size.anatase": powder.sizes["anatase"],
    }


def share_of_space(n: int, seed: int) -> tuple[float, float]:
    """Return the share of the space whose hidden samples satisfy the targets, and its std."""
    ready = prepared("random", seed, 1)
    rng = np.random.default_rng(seed)
    fixed = ready.campaign.synthesis.settings
    now = ready.laboratory.clock.now()
    hits = 0
    for number in range(n):
        point = draw_uniform(ready.campaign.space, 1, rng=rng)[0]
        sample = Sample(
            id=f"draw/{number}",
            number=number,
            recipe={**fixed, **point},
            made_by="furnace",
            simulated=True,
            started=now,
            finished=now,
        )
        hits += _truly_reached(ready, hidden_powder(sample, seed=seed))
    share = hits / n
    return share, float(np.sqrt(share * (1 - share) / n))


def spread(values: list[float], rng: np.random.Generator) -> tuple[float, float]:
    """Return the 90 % bootstrap interval of the median."""
    draws = rng.choice(values, size=(4000, len(values)))
    low, high = np.quantile(np.median(draws, axis=1), [0.05, 0.95])
    return float(low), float(high)


def main() -> None:
    """Run every planner on every seed and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--budget", type=int, default=120)
    parser.add_argument("--planners", nargs="+", default=["bayesian", "sobol", "random"])
    parser.add_argument("--draws", type=int, default=20_000, help="to tell how rare the target is")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    share, error = share_of_space(options.draws, 1000 + options.first_seed)
    print(f"{share:.2%} ± {error:.2%} of the space satisfies the targets", flush=True)
    rng = np.random.default_rng(0)
    results: dict[str, list[dict[str, float]]] = {}
    for planner in options.planners:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            row = asyncio.run(experiments_needed(planner, seed, options.budget))
            results.setdefault(planner, []).append({"seed": seed, **row})
            print(f"{planner:<10} seed {seed}: {row}", flush=True)
    print(f"\n{platform.machine()}, Python {platform.python_version()}, budget {options.budget}")
    print(
        f"{'planner':<10} {'median':>7} {'90 % of it':>14} {'reached':>8} {'truly':>6} {'CPU s':>7}"
    )
    for planner, rows in results.items():
        needed = [r["experiments"] for r in rows]
        low, high = spread(needed, rng)
        truly = np.nanmean([r["truly_reached"] for r in rows])
        print(
            f"{planner:<10} {np.median(needed):>7.1f} {low:>6.1f} … {high:<5.1f} "
            f"{np.mean([r['reached'] for r in rows]):>8.0%} {truly:>6.0%} "
            f"{np.mean([r['cpu_s'] for r in rows]):>7.1f}"
        )
    if "bayesian" in results and "sobol" in results:
        a, b = (np.median([r["experiments"] for r in results[p]]) for p in ("bayesian", "sobol"))
        print(f"bayesian / sobol = {a / b:.2f} (mark: at most 0.50)")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

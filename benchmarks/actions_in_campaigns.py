"""Second looks and longer counts in whole campaigns: what do they cost, and what is found?

The packaged campaign ``tio2_actions`` runs through the orchestrator, history and all, from the same
seeds in three ways: ``weighed`` as it stands; ``long`` with every sample counted 16 times as long
and nothing weighed; ``short`` with short counts and nothing weighed. The tube is weaker than in the
example, so that a short scan leaves more doubt than the tolerance of the target. Every way may take
so many turns. Reported for each are the beam time, what all of it cost, and how far the recommended
sample (the best by what stands) truly is from the wanted fraction, which the hidden powder tells.

    python benchmarks/actions_in_campaigns.py --seeds 20 --records turns.jsonl --json out.json

Records are appended seed by seed, so that a run goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from planning.paired import add_record, read_records  # noqa: E402

from orchestrator.acting.current import current  # noqa: E402
from orchestrator.campaign import Campaign, load_campaign  # noqa: E402
from orchestrator.control import best, run_campaign, spent  # noqa: E402
from orchestrator.examples import find_campaign  # noqa: E402
from orchestrator.laboratories.laboratory import build_laboratory, load_laboratory  # noqa: E402
from orchestrator.laboratories.matching import match  # noqa: E402
from orchestrator.launch import Prepared, begin  # noqa: E402
from orchestrator.standing import hours_used  # noqa: E402
from orchestrator.store import Store  # noqa: E402
from orchestrator.twin import hidden_powder  # noqa: E402

WAYS = ("weighed", "long", "short")
SHORT, LONG = 0.5, 8.0
"""Counting times a point [s]."""

STEP = 0.04
"""Step of every scan [deg]; twice the instrument's own, so that a refinement takes half as long."""

PEAK_RATE = 60.0
"""Counts a second at the strongest peak; the example's tube has 200."""

WANTED, TOLERANCE = 0.30, 0.02


def prepared(way: str, seed: int, turns: int) -> Prepared:
    """Return the example counted in one way, with a seed for the campaign and its laboratory."""
    path = find_campaign("tio2_actions")
    campaign, source = load_campaign(path)
    campaign = _counted(campaign, way).model_copy(
        update={
            "seed": seed,
            "budget": campaign.budget.model_copy(update={"experiments": turns}),
            "stop": campaign.stop.model_copy(update={"when_reached": False}),
        }
    )
    file, lab_source = load_laboratory(path.parent / campaign.laboratory)
    entry = file.instruments["diffractometer"]
    weak = entry.model_copy(update={"settings": {**entry.settings, "peak_rate": PEAK_RATE}})
    instruments = {**file.instruments, "diffractometer": weak}
    file = file.model_copy(update={"seed": 1000 + seed, "instruments": instruments})
    laboratory = build_laboratory(file, lab_source, twin=True)
    matched = match(campaign, laboratory, source)
    return Prepared(campaign, laboratory, matched, source, lab_source, True)


def _counted(campaign: Campaign, way: str) -> Campaign:
    [plan] = campaign.measurements
    counting = {"counting_time": LONG if way == "long" else SHORT, "step": STEP}
    changes: dict[str, object] = {"measurements": (plan.model_copy(update={"settings": counting}),)}
    if way != "weighed":
        further = campaign.further.model_copy(update={"seconds": 0.0})
        changes |= {"actions": None, "further": further}
    return campaign.model_copy(update=changes)


async def one(way: str, seed: int, turns: int) -> dict[str, float | str]:
    """Run one campaign and return what it used and found."""
    ready = prepared(way, seed, turns)
    began = time.process_time()
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(f"sqlite:///{folder}/sdlab.sqlite", Path(folder) / "arrays") as store,
    ):
        run = begin(ready, store)
        await run.laboratory.connect()
        await run_campaign(run)
        experiments = {e.number: e for e in store.experiments(run.id)}
        standing = current(store.observations(run.id))
        index = best(ready.campaign, [o for _, o in standing])
        assert index is not None
        sample = experiments[standing[index][0]].sample
        assert sample is not None
        powder = hidden_powder(sample, seed=1000 + seed)
        scans = [a for a in store.actions(run.id) if a.step.startswith("measure")]
        return {
            "way": way,
            "seed": seed,
            "turns": turns,
            "samples": len(standing),
            "scans": len(scans),
            "beam_h": hours_used(scans),
            "money": spent(run).money,
            "off": abs(powder.crystalline_fraction("rutile") - WANTED),
            "cpu_s": time.process_time() - began,
        }


def paired(rows: list[dict[str, float | str]], what: str, rng: np.random.Generator) -> str:
    """Return the mean ratio of ``weighed`` to ``long`` with its 90 % bootstrap interval."""
    by = {(r["way"], r["seed"]): float(r[what]) for r in rows}
    seeds = [s for w, s in by if w == "weighed" and ("long", s) in by]
    pairs = np.array([[by["weighed", s], by["long", s]] for s in seeds])
    drawn = pairs[rng.integers(len(pairs), size=(4000, len(pairs)))].mean(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.05, 0.95])
    one, other = pairs.mean(axis=0)
    return f"{one / other:.2f} ({low:.2f} to {high:.2f}, {len(pairs)} seeds)"


def report(rows: list[dict[str, float | str]]) -> None:
    """Print a line a way, and the ratios."""
    heads = ("seeds", 6), ("samples", 9), ("scans", 7), ("beam h", 8), ("money", 8), ("off", 8)
    print(f"{'way':<9}" + "".join(f"{head:>{width}}" for head, width in heads) + f"{'hits':>7}")
    for way in WAYS:
        mine = [r for r in rows if r["way"] == way]
        if not mine:
            continue
        mean = {k: np.mean([float(r[k]) for r in mine]) for k in ("samples", "scans", "beam_h")}
        money, off = (np.array([float(r[k]) for r in mine]) for k in ("money", "off"))
        print(
            f"{way:<9}{len(mine):>6}{mean['samples']:>9.1f}{mean['scans']:>7.1f}"
            f"{mean['beam_h']:>8.1f}{money.mean():>8.0f}{np.median(off):>8.3f}"
            f"{np.mean(off <= TOLERANCE):>7.0%}"
        )
    if not {"weighed", "long"} <= {r["way"] for r in rows}:
        return
    rng = np.random.default_rng(0)
    for what in ("beam_h", "money", "off"):
        print(f"weighed / long, {what}: {paired(rows, what, rng)}")


def main() -> None:
    """Run every way on every seed and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=200)
    parser.add_argument("--turns", type=int, default=14)
    parser.add_argument("--ways", nargs="+", default=list(WAYS))
    parser.add_argument("--records", type=Path, default=Path("actions_in_campaigns.jsonl"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = read_records(options.records)
    done = {(r["way"], r["seed"]) for r in rows}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for way in options.ways:
            if (way, seed) in done:
                continue
            rows.append(asyncio.run(one(way, seed, options.turns)))
            add_record(options.records, rows[-1])
    report(rows)
    if options.json is not None:
        options.json.write_text(json.dumps({"rows": rows}, indent=1))


if __name__ == "__main__":
    main()

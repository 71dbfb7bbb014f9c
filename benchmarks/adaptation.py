"""Does it help to fit the simulations to an instrument: networks before and after `sdlab adapt`.

An instrument unlike the recipe's: nanocrystals, wide peaks, a background several times the signal,
few counts. Sixteen candidates. From twelve of its patterns, unlabelled, `ranges_like` reads what
they look like; networks trained on the recipe's ranges and on those are then asked about 300 fresh
patterns of the instrument, and about 300 of the recipe's own world, where adapting should cost
little. Networks alone, without refinement; a short recipe of its own (400 steps, two networks).

Run: ``python benchmarks/adaptation.py [--seeds 3] [--json OUT]``. Needs no data.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from simulated_patterns import as_measurement  # noqa: E402

from analysis.physics.structures import structure  # noqa: E402
from analysis.xrd.adapting import ranges_like  # noqa: E402
from analysis.xrd.artefacts import Ranges  # noqa: E402
from analysis.xrd.radiation import CU_K_ALPHA  # noqa: E402
from analysis.xrd.training.phases import (  # noqa: E402
    RECIPES,
    TWO_THETA,
    Recipe,
    figures,
    held_out,
    train_networks,
)
from instruments.measurement import Measurement  # noqa: E402

CANDIDATES = (
    *("anatase", "rutile", "brookite", "corundum", "periclase", "halite", "quartz", "zincite"),
    *("fluorite", "calcite", "hematite", "magnetite", "cristobalite", "cerianite", "bunsenite"),
    "cuprite",
)
FOREIGN = Ranges(
    size=(35.0, 90.0),
    w=(0.02, 0.05),
    background=(3.0, 9.0),
    rise=(2.0, 6.0),
    counts=(250.0, 1500.0),
    shortened=0.0,
)
RECIPE = replace(RECIPES["tiny"], name="short", n_variants=60, steps=400, width=12)
N_SHOWN, N_ASKED = 12, 300


def shown(recipe: Recipe, seed: int) -> list[Measurement]:
    """Return patterns of the instrument, without labels."""
    crystals = [structure(name) for name in CANDIDATES]
    made = held_out(crystals, CU_K_ALPHA, recipe, n=N_SHOWN, seed=1000 + seed, ranges=FOREIGN)
    return [
        as_measurement(TWO_THETA, row, f"shown {k}", wavelength=CU_K_ALPHA.wavelength)
        for k, row in enumerate(made.counts)
    ]


def trial(seed: int) -> dict[str, dict[str, float]]:
    """Return the figures of both trainings in both worlds."""
    crystals = [structure(name) for name in CANDIDATES]
    adapted = replace(RECIPE, ranges=ranges_like(shown(RECIPE, seed), radiation=CU_K_ALPHA))
    found = {}
    for name, recipe in (("recipe", RECIPE), ("adapted", adapted)):
        networks = train_networks(crystals, CU_K_ALPHA, recipe, seed=seed, told=lambda *_: None)
        for world, ranges in (("foreign", FOREIGN), ("own", Ranges())):
            test = held_out(
                crystals, CU_K_ALPHA, RECIPE, n=N_ASKED, seed=2000 + seed, ranges=ranges
            )
            found[f"{name} on {world}"] = figures(networks, test, seed=seed)
    return found


def main() -> None:
    """Run the trials and print means and spreads over seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    trials = [trial(seed) for seed in range(asked.seeds)]
    keys = ("exact_set", "precision", "recall", "calibration_error")
    print(f"{'training on patterns':24}" + "".join(f"{k:>22}" for k in keys))
    for name in trials[0]:
        row = ""
        for key in keys:
            values = [t[name][key] for t in trials]
            row += f"{np.mean(values):10.3f} [{min(values):.3f}, {max(values):.3f}]".rjust(22)
        print(f"{name:24}{row}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(trials, indent=1))


if __name__ == "__main__":
    main()

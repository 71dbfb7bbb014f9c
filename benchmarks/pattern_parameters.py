"""Cells, sizes and fractions of five oxides from the pattern: how good, how sure, how fast?

The system of Dong et al. (2021, doi:10.1038/s41524-021-00542-4), NiO, PdO, CeO2, ZrO2 and θ-Al2O3,
as a synchrotron sees it (70 keV, 2 to 9°): cell lengths within 0.5 % of the listed ones, sizes from
30 to 500 Å, shares of the Bragg intensity at random with every fifth phase absent, a Chebyshev
background of the second degree, 3,000 to 100,000 counts at the highest point.

Test patterns are drawn peak by peak by another code than the training's: `like` within the same
world; `unlike` with wider instrument functions, microstrain, texture, leaning peaks, a zero shift,
and a background of the seventh degree with a rise, wider than what intervals were calibrated on.

Beside the agent: its networks alone; its fit alone, started in the middle of all ranges; its fit
started at the truth, which is what counting statistics leave; ridge regression on the square root
of the pattern; and, on the first patterns, the full refinement of `xrd.quantify`, which also
refines displacement and microstrain. Errors are mean absolute, of the phases that the agent tells
(above three standard deviations). Speed is CPU time of one thread.

Run: ``python benchmarks/pattern_parameters.py [--recipe standard] [--json OUT]``. Networks are
trained first if they are not in the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor  # noqa: E402

from analysis.errors import WeightsNotTrained  # noqa: E402
from analysis.learning.calibration import (  # noqa: E402
    expected_calibration_error,
    with_prior,
)
from analysis.learning.conformal import coverage  # noqa: E402
from analysis.xrd.agents.parameters import NOVEL_AREA, Parameters, make  # noqa: E402
from analysis.xrd.fit import fit_pattern  # noqa: E402
from analysis.xrd.layout import Layout  # noqa: E402
from analysis.xrd.parameter_patterns import Conditions, draw_patterns  # noqa: E402
from analysis.xrd.parameter_statement import kinds_of, state  # noqa: E402
from analysis.xrd.preprocess import FitRange  # noqa: E402
from analysis.xrd.reading import BATCH, Reader  # noqa: E402
from analysis.xrd.training import parameters_calibration as calibration  # noqa: E402
from analysis.xrd.training.parameters import network_input  # noqa: E402
from analysis.xrd.training.parameters_samples import (  # noqa: E402
    Sample,
    Strangeness,
    draw_sample,
)
from analysis.xrd.training.parameters_trainer import train  # noqa: E402
from analysis.xrd.training.phases_trainer import strangers  # noqa: E402
from analysis.xrd.world import World  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402

FloatArray = NDArray[np.float64]

SETTINGS: dict[str, object] = {
    "phases": ["bunsenite", "palladinite", "cerianite", "zirconia_tetragonal", "theta_alumina"],
    "radiation": {"lines": [[0.1771, 1.0]]},
    "resolution": {"w": 4e-4},
    "two_theta": [2.0, 9.0],
    "microstrain": 0.0,
    "displacement": 0.0,
}
LIKE = Strangeness(
    width=(1.0, 1.0),
    microstrain=(1e-9, 1e-9),
    texture=(1.0, 1.0),
    skew=0.0,
    zero=0.0,
    rise=0.0,
    conditions=Conditions(),
)
UNLIKE = Strangeness(
    width=(0.75, 1.3),
    microstrain=(5e-5, 1e-3),
    texture=(0.75, 1.35),
    skew=0.15,
    zero=0.05,
    rise=3.0,
    conditions=Conditions(order=7, bend=0.2, background=(0.05, 4.0), counts=(500.0, 3e5)),
)
SEED = 20211
N_RIDGE = 6000
"""Patterns from which the ridge regression learns."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a method says: values (n, m), and standard deviations where it has them."""

    values: FloatArray
    std: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Middle:
    """Proposes the middle of every range."""

    world: World

    def start(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return zeros."""
        return torch.zeros(len(counts), len(self.world.numbers)), torch.zeros(len(counts))


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Proposes what is true, batch after batch."""

    batches: list[Tensor]

    def start(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next batch of truths."""
        return self.batches.pop(0), torch.zeros(len(counts))


def agent_for(recipe: str, seed: int) -> Parameters:
    """Return the agent, trained if it is not."""
    asked = {**SETTINGS, "recipe": recipe, "seed": seed}
    try:
        return make(asked, Path())
    except WeightsNotTrained:
        print("training first", file=sys.stderr)
        train(SETTINGS, Path(), recipe=recipe, seed=seed, told=_tell)
        return make(asked, Path())


def _tell(what: str, done: int, of: int) -> None:
    if done == of or done % max(of // 10, 1) == 0:
        print(f"{what}: {done} of {of}", file=sys.stderr)


def draw(world: World, strangeness: Strangeness, n: int) -> list[Sample]:
    """Return `n` test samples."""
    return [
        draw_sample(world, (), strangeness, rng=np.random.default_rng([SEED, k])) for k in range(n)
    ]


def truths(world: World, samples: list[Sample]) -> FloatArray:
    """Return the true numbers, (n, m), fractions first."""
    fractions = np.stack([s.fractions for s in samples])
    return np.concatenate([fractions, world.physical(np.stack([s.z for s in samples]))], axis=1)


def by_reader(agent: Parameters, reader: Reader, counts: FloatArray) -> tuple[Said, FloatArray]:
    """Return what a reader says with the agent's intervals, and what it tells of."""
    world, factors = reader.fit.world, agent.calibration.factors
    sigma = np.sqrt(np.maximum(counts, 1.0))
    told = state(reader.read(counts, sigma), world, factors)
    return Said(told.values, told.std), told.told


def by_networks(agent: Parameters, counts: FloatArray) -> Said:
    """Return what the networks alone say."""
    world = agent.world
    told = agent.ensemble.propose(torch.as_tensor(counts, dtype=torch.float32))
    z, z_std = told.z.double().numpy(), told.z_std.double().numpy()
    values = np.concatenate([told.fractions.double().numpy(), world.physical(z)], axis=1)
    std = [told.fractions_std.double().numpy(), world.slopes(z) * z_std]
    return Said(values, np.concatenate(std, axis=1))


def by_ridge(agent: Parameters, counts: FloatArray) -> Said:
    """Return what ridge regression on the networks' input says; the ridge from a held-out tenth."""
    world, columns = agent.world, agent.reader.fit.columns
    drawn = draw_patterns(
        columns, N_RIDGE, conditions=Conditions(), rng=np.random.default_rng([SEED, 1, 0])
    )
    x = network_input(drawn.counts).double().numpy()
    y = torch.cat([drawn.fractions, drawn.z], dim=1).double().numpy()
    # A cell or size that is not seen teaches nothing: the middle stands in.
    unseen = (drawn.visibility <= 30).numpy()
    for k, number in enumerate(world.numbers):
        if number.phase is not None:
            y[unseen[:, number.phase], len(world.crystals) + k] = 0.0
    mean, rest, cut = x.mean(axis=0), x - x.mean(axis=0), N_RIDGE * 9 // 10
    best: tuple[float, FloatArray] | None = None
    for ridge in 10.0 ** np.arange(-3, 4):
        gram = rest[:cut].T @ rest[:cut] + ridge * np.eye(x.shape[1])
        slopes = np.linalg.solve(gram, rest[:cut].T @ (y - y.mean(axis=0))[:cut])
        loss = float(((rest[cut:] @ slopes + y.mean(axis=0) - y[cut:]) ** 2).mean())
        if best is None or loss < best[0]:
            best = loss, slopes
    assert best is not None
    tested = network_input(torch.as_tensor(counts, dtype=torch.float32)).double().numpy()
    found = (tested - mean) @ best[1] + y.mean(axis=0)
    n = len(world.crystals)
    return Said(np.concatenate([found[:, :n], world.physical(found[:, n:])], axis=1))


def by_refinement(agent: Parameters, counts: FloatArray) -> tuple[Said, float]:
    """Return what full refinements say, and CPU seconds a pattern."""
    world = agent.world
    layout = Layout(world.crystals, world.resolution, fix_resolution=True)
    start = layout.start
    for k, slot in enumerate(layout.slots):
        if slot.name == "size":
            start[k] = float(np.log(world.size).mean())
    rows, begin = [], time.process_time()
    for y in counts:
        data = FitRange(world.grid, y, np.sqrt(np.maximum(y, 1.0)), sigma_known=False)
        fit = fit_pattern(
            data,
            layout=layout,
            radiation=world.radiation,
            background_order=agent.settings.background_order,
            start=start,
        )
        states = [layout.phase(i, fit.vector) for i in range(len(world.crystals))]
        numbers = [
            states[n.phase].size
            if n.name == "size"
            else states[n.phase].cell["abc".find(n.name) if n.name in "abc" else 4]
            for n in world.numbers
        ]
        rows.append([*fit.weights, *numbers])
    return Said(np.array(rows)), (time.process_time() - begin) / len(counts)


def measured(world: World, counts: FloatArray) -> list[Measurement]:
    """Return patterns as an instrument would hand them over."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Measurement(
            id=f"map/{k}",
            sample_id=f"map/{k}",
            technique="xrd",
            x=world.grid,
            y=y,
            sigma=None,
            x_name="two_theta",
            x_unit="deg",
            y_name="intensity",
            y_unit="counts",
            instrument="benchmark",
            simulated=True,
            started=now,
            finished=now,
            settings={"wavelength": world.radiation.wavelength},
        )
        for k, y in enumerate(counts)
    ]


def speed(agent: Parameters, counts: FloatArray) -> dict[str, float]:
    """Return patterns per CPU second: measurement to insight, and parts of it."""
    patterns = measured(agent.world, counts)
    agent.analyze_together(patterns[:BATCH], rng=np.random.default_rng(0))
    begin = time.process_time()
    agent.analyze_together(patterns, rng=np.random.default_rng(0))
    whole = time.process_time() - begin
    begin = time.process_time()
    for i in range(0, len(counts), BATCH):
        agent.ensemble.propose(torch.as_tensor(counts[i : i + BATCH], dtype=torch.float32))
    found = {"agent": len(counts) / whole, "networks": len(counts) / (time.process_time() - begin)}
    sigma = np.sqrt(np.maximum(counts, 1.0))
    middle = Reader(Middle(agent.world), agent.reader.fit)
    for name, reader in (("reading", agent.reader), ("reading from the middle", middle)):
        begin = time.process_time()
        reader.read(counts, sigma)
        found[name] = len(counts) / (time.process_time() - begin)
    return found


def doubt(agent: Parameters, n: int) -> dict[str, float]:
    """Return how well foreign phases are told, half of the samples holding one.

    Samples are as those that the doubt was learnt on, with other seeds; a foreign phase has 5 to
    30 % of the system's Bragg intensity. A statement is wrong as the agent means it: a foreign
    phase, or a number off by four deviations.
    """
    world = agent.world
    samples = calibration.draw_samples(
        world, strangers(world.crystals), Strangeness(foreign=0.5), n=n, seed=SEED
    )
    tried = calibration.try_samples(agent.reader, agent.calibration.factors, samples)
    foreign = np.array([s.foreign for s in samples])
    wrong = foreign | calibration.far_off(tried)
    said = agent.calibration.wrong.probability(calibration.doubts(tried.reading))
    p = np.array([with_prior(float(v), base=agent.calibration.base, prior=wrong.mean())
                  for v in said])  # fmt: skip
    return {
        "wrong": float(wrong.mean()),
        "auroc.foreign.unexplained": _auroc(tried.reading.unexplained, foreign),
        "auroc.wrong": _auroc(p, wrong),
        "brier": float(np.mean((p - wrong) ** 2)),
        "brier.constant": float(wrong.mean() * (1 - wrong.mean())),
        "calibration_error": expected_calibration_error(p, wrong),
        "foreign.abstained": float(np.mean(tried.reading.unexplained[foreign] > NOVEL_AREA)),
        "right.abstained": float(np.mean(tried.reading.unexplained[~foreign] > NOVEL_AREA)),
    }


def _auroc(score: FloatArray, yes: NDArray[np.bool_]) -> float:
    """Return the probability that a yes scores higher than a no, ties counting half."""
    one, other = score[yes][:, None], score[~yes][None]
    return float(np.mean((one > other) + 0.5 * (one == other)))


def errors(world: World, said: Said, truth: FloatArray, told: FloatArray) -> dict[str, float]:
    """Return mean absolute errors of what is told, by kind and cell parameter, and coverage."""
    kinds, found = np.array(kinds_of(world)), {}
    off = said.values - truth
    for kind in ("fraction", "length", "angle", "size"):
        mine = told & (kinds == kind)[None]
        size = np.abs(off[mine] / truth[mine] if kind == "size" else off[mine])
        found[kind] = float(size.mean())
        found[f"{kind}.p95"] = float(np.quantile(size, 0.95))
        if said.std is not None:
            found[f"{kind}.coverage"] = coverage(off[mine], said.std[mine])
    for k, number in enumerate(world.numbers, start=len(world.crystals)):
        name = f"{world.crystals[number.phase].name}.{number.name}"
        relative = np.abs(off[:, k] / (truth[:, k] if number.name == "size" else 1.0))
        found[name] = float(relative[told[:, k]].mean())
    return found


def compare(
    agent: Parameters, samples: list[Sample], n_refined: int
) -> dict[str, dict[str, float]]:
    """Return the errors of every method on a set of samples."""
    world, reader = agent.world, agent.reader
    counts, truth = np.stack([s.counts for s in samples]), truths(world, samples)
    said, told = by_reader(agent, reader, counts)
    z = torch.as_tensor(np.stack([s.z for s in samples]), dtype=torch.float32)
    at_truth = Reader(Truth(list(z.split(BATCH))), reader.fit)
    middle = Reader(Middle(world), reader.fit)
    methods = {
        "agent": said,
        "networks alone": by_networks(agent, counts),
        "fit from the middle": by_reader(agent, middle, counts)[0],
        "fit from the truth": by_reader(agent, at_truth, counts)[0],
        "ridge regression": by_ridge(agent, counts),
    }
    found = {name: errors(world, one, truth, told) for name, one in methods.items()}
    if n_refined:
        first = slice(0, n_refined)
        refined, seconds = by_refinement(agent, counts[first])
        found["refinement"] = errors(world, refined, truth[first], told[first])
        found["refinement"]["cpu_seconds"] = seconds
        part = Said(said.values[first], None if said.std is None else said.std[first])
        found["agent, those"] = errors(world, part, truth[first], told[first])
    return found


def show(name: str, found: dict[str, dict[str, float]]) -> None:
    """Print the table of one set."""
    print(f"\n{name}: mean absolute error (95 % of cases below); coverage of 90 % intervals")
    print(f"{'method':22}{'length Å':>20}{'angle °':>18}{'size %':>16}{'fraction':>18}  coverage")
    for method, e in found.items():
        held = [f"{e[f'{k}.coverage']:.2f}" for k in ("length", "size", "fraction") if
                f"{k}.coverage" in e]  # fmt: skip
        print(
            f"{method:22}{e['length']:11.5f} ({e['length.p95']:.4f}){e['angle']:9.4f} "
            f"({e['angle.p95']:.3f}){100 * e['size']:9.2f} ({100 * e['size.p95']:.0f})"
            f"{e['fraction']:10.5f} ({e['fraction.p95']:.4f})  {' '.join(held)}"
        )
    best = found["agent"]
    print("agent, by number: " + ", ".join(f"{k} {v:.4f}" for k, v in best.items() if "_" in k or
          k.split(".")[0] in ("bunsenite", "palladinite", "cerianite")))  # fmt: skip


def main() -> None:
    """Train if need be, test, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patterns", type=int, default=1000)
    parser.add_argument("--refined", type=int, default=50)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    agent = agent_for(asked.recipe, asked.seed)
    print(f"trained in {agent.card.cpu_seconds:.0f} CPU s: {agent.card.sentences[0]}")
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name, strangeness in (("like", LIKE), ("unlike", UNLIKE)):
        samples = draw(agent.world, strangeness, asked.patterns)
        figures[name] = compare(agent, samples, asked.refined)
        show(name, figures[name])
        if name == "like":
            rates = speed(agent, np.stack([s.counts for s in samples]))
            figures["speed"] = {"patterns per CPU s": rates}
            told = ", ".join(f"{what} {rate:.0f}" for what, rate in rates.items())
            print(f"patterns per CPU second: {told}")
            if asked.refined:
                seconds = figures[name]["refinement"]["cpu_seconds"]
                print(f"refinement {seconds:.2f} CPU s a pattern: {seconds * rates['agent']:.0f} "
                      "times as long")  # fmt: skip
    found = doubt(agent, asked.patterns)
    figures["doubt"] = {"half foreign": found}
    print("\ndoubt, half of the samples with a foreign phase: "
          + ", ".join(f"{k} {v:.3f}" for k, v in found.items()))  # fmt: skip
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

"""Does `pdf.match` read the simulated ScattBO laboratory, and how much noise does it bear?

Gold is grown by random recipes of the large benchmark in the simulated reactor, measured by the
simulated instrument at several levels of noise, and read by an agent that knows neither. Besides,
batches with accidents that nobody records: another kind among the clusters, several sizes, strain.
`noise` 1 is the counting of the packaged laboratory; 3 counts a ninth of it.

    python benchmarks/scattbo_noise.py --samples 20 --json noise.json

Samples are clusters of up to 2,000 atoms, which the agent's library covers; `--beyond` takes larger
ones only, which are decahedra and the largest icosahedra; `--without-own` hides each sample's own
cluster from the agent, which is left with other sizes of its type.

Columns: R_w between the curve and the one without noise and accidents, both scaled; types and
lattices named rightly among those spoken of (an octahedron and a face-centred crystallite share a
lattice); errors of bond and of the number of atoms, median; shares of true values within one std;
abstentions. The truth is the batch's main cluster, with the strain of the batch but not of its
single clusters.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts

from analysis.insight import Insight  # noqa: E402
from analysis.pdf.agents.match import LATTICE, TYPE, MatchAgent, make  # noqa: E402
from analysis.pdf.curves import Reading  # noqa: E402
from analysis.pdf.matching import Candidate, Scanner  # noqa: E402
from instruments import (  # noqa: E402
    Bench,
    Measure,
    Measurement,
    Sample,
    Synthesize,
    VirtualClock,
)
from instruments.sample import Setting  # noqa: E402
from instruments.simulated.gold import SOLVENTS, Particle, n_atoms  # noqa: E402
from instruments.simulated.gold_batch import Accidents  # noqa: E402
from orchestrator.gold_twin import (  # noqa: E402
    hidden_batch,
    solution_reactor,
    total_scattering,
)

LIBRARY = {"most_atoms": 2100, "bond_range": [2.0, 5.0], "fitted": 6, "element": "Au"}
MOST_ATOMS = 2000
NAMES = {"body-centred": "bcc"}
BOND = {"body-centred": float(np.sqrt(3.0) / 2.0)}
"""Shortest distance of a cluster in units of its length, where it is not one."""

RANGES: dict[str, dict[str, Setting]] = {
    "published": {"q_min": 2.0, "q_max": 10.0},
    "wide": {"q_min": 0.8, "q_max": 20.0},
}
PACKAGED = {"minority": 0.02, "sizes": 0.04, "strain": 0.001, "disorder": 0.1}
SEVERE = {"minority": 0.1, "sizes": 0.1, "strain": 0.005, "disorder": 0.3}


@dataclass(frozen=True, slots=True)
class World:
    """One state of the laboratory."""

    name: str
    noise: float
    accidents: dict[str, float]
    residual: float = 0.0

    @property
    def settings(self) -> dict[str, object]:
        """Settings of the instrument."""
        return {"noise": self.noise, "residual": self.residual, "accidents": self.accidents}


WORLDS = (
    *(World(f"noise {n:g}", n, {}) for n in (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)),
    World("packaged", 1.0, PACKAGED, 0.02),
    World("severe", 1.0, SEVERE, 0.05),
)


async def grown(recipe: dict[str, Setting], number: int, seed: int) -> Sample:
    """Return a sample of the simulated reactor."""
    reactor = solution_reactor("reactor", {}, Bench(VirtualClock(), Path(), seed))
    await reactor.connect()
    command = Synthesize(sample_id=f"gold/{number}", number=number, recipe=recipe)
    made = (await reactor.execute(f"gold/{number}/synthesize/1", command)).value
    assert isinstance(made, Sample)
    return made


async def measured(
    sample: Sample, world: World, scan: dict[str, Setting], seed: int
) -> Measurement:
    """Return a measurement of a sample."""
    bench = Bench(VirtualClock(), Path(), seed)
    beamline = total_scattering("beamline", world.settings, bench)
    await beamline.connect()
    command = Measure(measurement_id=f"{sample.id}/pdf/1", sample=sample, settings=scan)
    found = (await beamline.execute(f"{sample.id}/measure/1", command)).value
    assert isinstance(found, Measurement)
    return found


def samples(count: int, seed: int, *, beyond: bool) -> list[Sample]:
    """Return samples of random recipes."""
    rng = np.random.default_rng([seed, 5])
    found: list[Sample] = []
    while len(found) < count:
        recipe: dict[str, Setting] = {
            "pH": float(rng.uniform(0, 14)),
            "pressure": float(rng.uniform(0, 100)),
            "solvent": str(rng.choice(SOLVENTS)),
        }
        sample = asyncio.run(grown(recipe, len(found), seed))
        wanted = hidden_batch(sample, seed=seed).main
        if (n_atoms(wanted.kind, wanted.size) > MOST_ATOMS) == beyond:
            found.append(sample)
    return found


class Hiding:
    """A scanner that does not see the clusters of one type and size.

    Parameters
    ----------
    scanner : that sees all.
    hidden : what it does not see.
    """

    def __init__(self, scanner: Scanner, hidden: Particle) -> None:
        self._scanner = scanner
        self._hidden = named(hidden), n_atoms(hidden.kind, hidden.size)
        self.entries = tuple(e for e in scanner.entries if (e.kind, e.n_atoms) != self._hidden)

    def scan(self, reading: Reading) -> list[Candidate]:
        """Return every entry but the hidden ones at its best bond, the best entry first."""
        found = self._scanner.scan(reading)
        return [c for c in found if (c.entry.kind, c.entry.n_atoms) != self._hidden]


def read(agent: MatchAgent, m: Measurement, own: Particle, *, without_own: bool) -> Insight:
    """Return what the agent says of a measurement, the sample's own cluster hidden if wanted."""
    whole = agent.scanner
    try:
        if without_own:
            agent.scanner = Hiding(whole, own)
        return agent.analyze([m], rng=np.random.default_rng(0))
    finally:
        agent.scanner = whole


def named(particle: Particle) -> str:
    """Return what the agent calls the type of a cluster."""
    return NAMES.get(particle.kind, particle.kind)


def row_of(insight: Insight, wanted: Particle) -> dict[str, float | bool]:
    """Return how far an answer is from what most of the sample is."""
    if insight.abstained:
        return {"abstained": True}
    types, lattices = (insight.class_probabilities[name] for name in (TYPE, LATTICE))
    true = named(wanted)
    bond, atoms = insight.estimates["pdf.bond"], insight.estimates["pdf.n_atoms"]
    true_bond = wanted.length * BOND.get(wanted.kind, 1.0)
    true_atoms = n_atoms(wanted.kind, wanted.size)
    return {
        "abstained": False,
        "type": max(types, key=types.__getitem__) == true,
        "lattice": max(lattices, key=lattices.__getitem__) == true.replace("octahedron", "fcc"),
        "bond": abs(bond.value / true_bond - 1),
        "atoms": abs(np.log(atoms.value / true_atoms)),
        "bond_within": abs(bond.value - true_bond) < (bond.std or 0.0),
        "atoms_within": abs(atoms.value - true_atoms) < (atoms.std or 0.0),
    }


def distance(one: Measurement, other: Measurement) -> float:
    """Return R_w between two curves on one grid."""
    return float(np.sqrt(((one.y - other.y) ** 2).sum() / (other.y**2).sum()))


def table(
    agent: MatchAgent,
    made: list[Sample],
    scan: dict[str, Setting],
    *,
    seed: int,
    without_own: bool,
) -> list[dict[str, object]]:
    """Read every sample in every world, print a line each and return them."""
    rows: list[dict[str, object]] = []
    exact = [asyncio.run(measured(s, WORLDS[0], scan, seed)) for s in made]
    for world in WORLDS:
        start = time.process_time()
        curves = [asyncio.run(measured(s, world, scan, seed)) for s in made]
        accidents = Accidents.model_validate(world.accidents)
        truth = [hidden_batch(s, seed=seed, accidents=accidents).main for s in made]
        found = [
            row_of(read(agent, m, wanted, without_own=without_own), wanted)
            for m, wanted in zip(curves, truth, strict=True)
        ]
        spoken = [r for r in found if not r["abstained"]]
        row = {
            "world": world.name,
            "curve": scan["curve"],
            "samples": len(found),
            "rw": float(np.median([distance(m, e) for m, e in zip(curves, exact, strict=True)])),
            "abstained": len(found) - len(spoken),
            **_summary(spoken),
            "cpu_seconds_each": (time.process_time() - start) / len(found),
        }
        rows.append(row)
        print(
            f"{world.name:10}{scan['curve']:>5}{row['rw']:8.4f}{row['type']:5}/{len(spoken)}"
            f"{row['lattice']:5}/{len(spoken)}{row['bond']:9.2%}{row['atoms']:8.1%}"
            f"{row['bond_within']:7.2f}{row['atoms_within']:7.2f}{row['abstained']:5}",
            flush=True,
        )
    return rows


def _summary(spoken: list[dict[str, float | bool]]) -> dict[str, float]:
    if not spoken:
        return dict.fromkeys(("type", "lattice"), 0) | dict.fromkeys(
            ("bond", "atoms", "bond_within", "atoms_within"), float("nan")
        )
    return {
        "type": sum(bool(r["type"]) for r in spoken),
        "lattice": sum(bool(r["lattice"]) for r in spoken),
        "bond": float(np.median([r["bond"] for r in spoken])),
        "atoms": float(np.median([r["atoms"] for r in spoken])),
        "bond_within": float(np.mean([r["bond_within"] for r in spoken])),
        "atoms_within": float(np.mean([r["atoms_within"] for r in spoken])),
    }


def main() -> None:
    """Print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--range", default="published", choices=sorted(RANGES))
    parser.add_argument("--curves", default="s_q,g_r")
    parser.add_argument("--beyond", action="store_true", help="clusters larger than the library's")
    parser.add_argument("--without-own", action="store_true", help="hide each sample's cluster")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    agent = make(LIBRARY, Path())
    made = samples(said.samples, said.seed, beyond=said.beyond)
    print(
        "world     curve     R_w    type lattice     bond   atoms  in std: bond, atoms  abstained"
    )
    rows: list[dict[str, object]] = []
    for curve in said.curves.split(","):
        scan: dict[str, Setting] = {"curve": curve, "r_step": 0.02, **RANGES[said.range]}
        rows += table(agent, made, scan, seed=said.seed, without_own=said.without_own)
    if said.json is not None:
        record = {n: getattr(said, n) for n in ("range", "seed", "beyond", "without_own")}
        record["rows"] = rows
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()

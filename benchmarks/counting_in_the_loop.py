"""The same decisions for less beam time? How long to count, decided while the sample lies there.

Titania is fired on a grid of temperature, dwell and dopant until the rutile fraction is 0.30. The
simulated diffractometer has a weak tube (`PEAK_RATE`), so that a short scan leaves a doubt of some
0.02, the tolerance of the target; every pattern is refined by xrd.quantify. All policies make the
same number of samples with the planner `bayesian`, and differ in how long each is counted:

- ``long`` always 8 s a point; ``long_b`` the same with other counting noise, to see how often the
  decisions of two such campaigns agree at all
- ``short`` always 0.5 s
- ``precise`` four times longer, and again, until the std of the fraction is a quarter of the
  tolerance or the agent asks for no more
- ``confirm`` all short; at the end the samples of the best posterior mean four times longer, and
  again, for half of the beam time of ``long`` in all
- ``worth`` four times longer, and again, where `choose_action` says that it is worth its price
  beside a new experiment; at the end earlier samples as it says, within the same half

Two campaigns with other counting noise make other samples, and rarely agree on a recipe: so it is
also asked of ``worth``, after the campaign and not charged, whether the same sample would be
recommended had all its samples been counted long, and how much nearer its truth would be.

Beam time is what the instrument charges for all scans, mounting included. The recommended recipe is
that of the best posterior mean among those made, told by the same kind of process in every policy.
Its true fraction is that of the hidden kinetics without the accidents of a batch. Prices are those
of the simulated laboratory: the furnace's and the diffractometer's hours.

    python benchmarks/counting_in_the_loop.py --seeds 20 --records counting.jsonl --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from planning.paired import add_record, read_records  # noqa: E402

from analysis.insight import Insight  # noqa: E402
from analysis.xrd.agents.quantify import make as quantify  # noqa: E402
from instruments import Bench, Measure, Measurement, Sample, VirtualClock  # noqa: E402
from instruments.execution import Executor  # noqa: E402
from orchestrator.scoring import observe  # noqa: E402
from orchestrator.twin import diffractometer, hidden_powder  # noqa: E402
from planners import (  # noqa: E402
    DiscreteParameter,
    Objective,
    Observation,
    Point,
    SearchSpace,
    Target,
)
from planners.actions.records import MeasureAgain, Option  # noqa: E402
from planners.bayesian.planner import make  # noqa: E402
from planners.bayesian.surrogate import fit_quantity  # noqa: E402
from planners.encoding import Encoding  # noqa: E402

POLICIES = ("long", "long_b", "short", "precise", "confirm", "worth")
PEAK_RATE = 80.0
BATCH_SPREAD = 0.3
SHORT, LONG = 0.5, 8.0
TOLERANCE = 0.02
RUTILE = "xrd.weight_fraction.rutile"
SHARE = 0.5
"""Of the beam time of counting long, that ``confirm`` and ``worth`` may use."""

NO_MORE = 1e-9
"""Factor of the price of a scan where nothing else can be done."""

FURNACE, DIFFRACTOMETER = 4.0, 25.0
"""Prices of an hour."""

SPACE = SearchSpace(
    parameters=(
        DiscreteParameter(name="temperature", values=tuple(map(float, range(560, 741, 5)))),
        DiscreteParameter(name="dwell", values=(0.5, 1.0, 2.0, 4.0, 8.0)),
        DiscreteParameter(name="dopant", values=(0.0, 1.0, 2.0, 3.0)),
    )
)
WANTED = Objective(
    targets=(Target(quantity=RUTILE, goal="match", value=0.30, tolerance=TOLERANCE),)
)
MOUNTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Laboratory:
    """The simulated diffractometer of one seed, and the agent that reads its patterns."""

    seed: int
    noise: str
    executor: Executor
    beam_seconds: float = 0.0
    times: list[float] = field(default_factory=list)

    @classmethod
    async def build(cls, seed: int, noise: str) -> Laboratory:
        """Return a connected one; `noise` names the stream of its counts."""
        bench = Bench(VirtualClock(), Path(), 1000 + seed)
        settings = {"peak_rate": PEAK_RATE, "batch_spread": BATCH_SPREAD}
        executor = diffractometer("diffractometer", settings, bench)
        await executor.connect()
        return cls(seed, noise, executor)

    async def scan(self, sample: Sample, counting_time: float) -> Measurement:
        """Return one scan; what it takes is added to the beam time."""
        name = f"{sample.id}/{self.noise}/{counting_time:g}"
        command = Measure(
            measurement_id=f"{name}/xrd",
            sample=sample,
            settings={"counting_time": counting_time, "step": 0.04},
        )
        outcome = await self.executor.execute(name, command)
        assert isinstance(outcome.value, Measurement), outcome
        self.beam_seconds += (outcome.finished - outcome.started).total_seconds()
        self.times.append(counting_time)
        return outcome.value

    def seconds(self, counting_time: float) -> float:
        """Return what the instrument says a scan will take."""
        command = Measure(
            measurement_id="estimate",
            sample=sample_of(0, {"temperature": 600.0, "dwell": 1.0, "dopant": 0.0}),
            settings={"counting_time": counting_time, "step": 0.04},
        )
        return self.executor.check(command).seconds


def sample_of(number: int, point: Point) -> Sample:
    """Return a sample as the furnace would record it."""
    return Sample(
        id=f"c/{number}",
        number=number,
        recipe={**point, "ramp": 5.0, "dopant_element": "Fe"},
        made_by="furnace",
        simulated=True,
        started=MOUNTED,
        finished=MOUNTED,
    )


def true_fraction(point: Point, seed: int) -> float:
    """Return the rutile fraction of a recipe without the accidents of a batch."""
    powder = hidden_powder(sample_of(0, point), seed=1000 + seed, batch_spread=0.0)
    return float(powder.crystalline_fraction("rutile"))


def price_of(point: Point) -> float:
    """Return what firing a sample costs: dosing, heating and cooling at 5 K/min, and the dwell."""
    heating = 2 * (float(point["temperature"]) - 20.0) / 300.0
    return FURNACE * (0.25 + heating + float(point["dwell"]))


@dataclass
class Campaign:
    """A campaign under way: its samples with their scans, and what is known of each."""

    policy: str
    seed: int
    laboratory: Laboratory
    points: list[Point] = field(default_factory=list)
    scans: list[list[Measurement]] = field(default_factory=list)
    insights: list[Insight] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.planner = make({"seed": self.seed})
        self.agent = quantify({"phases": ["anatase", "rutile", "brookite"]}, Path())

    @property
    def observations(self) -> list[Observation]:
        """What is known of each sample."""
        told = zip(self.points, self.insights, strict=True)
        return [observe(WANTED, [insight], values=point, cost=1.0) for point, insight in told]

    async def make_one(self) -> None:
        """Make the sample that the planner proposes, and count it as the policy says."""
        number = len(self.points)
        rng = np.random.default_rng([self.seed, number])
        known = self.observations
        proposal = self.planner.propose(SPACE, WANTED, observations=known, rng=rng)[0]
        self.points.append(proposal.values)
        self.scans.append([])
        await self.measure(number, LONG if self.policy.startswith("long") else SHORT)
        while self._goes_on(number, rng):
            await self.measure(number, 4 * self.longest(number))

    async def measure(self, number: int, counting_time: float) -> None:
        """Scan a sample, and read all its scans anew."""
        sample = sample_of(number, self.points[number])
        self.scans[number].append(await self.laboratory.scan(sample, counting_time))
        insight = self.agent.analyze(self.scans[number], rng=np.random.default_rng(0))
        self.insights[number : number + 1] = [insight]

    def longest(self, number: int) -> float:
        """Return the longest counting time of a sample so far [s]."""
        return max(float(m.settings["counting_time"]) for m in self.scans[number])

    def option(self, number: int) -> Option | None:
        """Return the longer count that the agent asks for, with its price."""
        asked, counting_time = self.insights[number].next_measurement, 4 * self.longest(number)
        if asked is None or counting_time > LONG:
            return None
        return Option(
            again=MeasureAgain(
                experiment=number, technique="xrd", settings={"counting_time": counting_time}
            ),
            row=number,
            cost=DIFFRACTOMETER * self.laboratory.seconds(counting_time) / 3600.0,
            stds=dict(asked.promised),
            p_wrong=asked.p_wrong,
            reason=asked.reason,
        )

    def choice(self, options: list[Option], rng: np.random.Generator) -> int | None:
        """Return the sample that is worth another count, None if a new one is worth more."""
        known = self.observations
        firing = float(np.mean([price_of(point) for point in self.points]))
        chosen = self.planner.choose_action(
            SPACE,
            WANTED,
            observations=known,
            options=options,
            new_cost=firing + DIFFRACTOMETER * self.laboratory.seconds(SHORT) / 3600.0,
            replicates=False,
            rng=rng,
        )
        return None if chosen.measure_again is None else chosen.measure_again.experiment

    def _goes_on(self, number: int, rng: np.random.Generator) -> bool:
        """Return whether the sample that lies in the diffractometer is counted longer."""
        option = self.option(number)
        if option is None or self.observations[number].failed:
            return False
        if self.policy == "precise":
            return self.observations[number].stds[RUTILE] > TOLERANCE / 4
        return self.policy == "worth" and self.choice([option], rng) is not None

    async def confirm(self, allowed: float) -> None:
        """Count samples that were made before, within some hours of beam time in all.

        No sample can be made any more, so that a new one costs too much at any worth.
        """
        for turn in range(1000):
            options = [o for n in range(len(self.points)) if (o := self.option(n)) is not None]
            options = [o for o in options if self._hours_with(o) <= allowed]
            if self.policy == "confirm":
                number = self._promising([o.row for o in options])
            else:
                rng = np.random.default_rng([self.seed, len(self.points), turn])
                free = [o.model_copy(update={"cost": o.cost * NO_MORE}) for o in options]
                number = self.choice(free, rng) if options else None
            if number is None:
                return
            await self.measure(number, 4 * self.longest(number))

    @property
    def recommended(self) -> int:
        """The sample of the best posterior mean."""
        return int(np.argmax(believed_utility(self.observations)))

    async def had_all_been_long(self) -> dict[str, Any]:
        """Count every sample long; return whether that decides otherwise, and the truth then."""
        before = self.recommended
        for number in range(len(self.points)):
            if self.longest(number) < LONG:
                await self.measure(number, LONG)
        after = self.recommended
        fraction = true_fraction(self.points[after], self.seed)
        return {"same_if_long": after == before, "fraction_if_long": fraction}

    def _hours_with(self, option: Option) -> float:
        hours = option.cost / DIFFRACTOMETER
        return self.laboratory.beam_seconds / 3600.0 + hours

    def _promising(self, rows: list[int]) -> int | None:
        """Return the row of the best posterior mean."""
        if not rows:
            return None
        worth = believed_utility(self.observations)
        return max(rows, key=lambda row: float(worth[row]))


async def campaign(policy: str, seed: int, n_samples: int) -> dict[str, Any]:
    """Run one campaign; return its recommended recipe, its truth and its beam time."""
    began = time.process_time()
    laboratory = await Laboratory.build(seed, "b" if policy == "long_b" else "a")
    run = Campaign(policy, seed, laboratory)
    for _ in range(n_samples):
        await run.make_one()
    if policy in ("confirm", "worth"):
        await run.confirm(SHARE * n_samples * laboratory.seconds(LONG) / 3600.0)
    best = run.points[run.recommended]
    beam_hours, times = laboratory.beam_seconds / 3600.0, list(laboratory.times)
    told = {} if policy != "worth" else await run.had_all_been_long()
    return {
        "policy": policy,
        "seed": seed,
        "n_samples": n_samples,
        "recipe": list(best.values()),
        "fraction": true_fraction(best, seed),
        "beam_hours": beam_hours,
        "times": times,
        "cpu_s": time.process_time() - began,
        **told,
    }


def believed_utility(observations: list[Observation]) -> np.ndarray:
    """Return the utility of the posterior mean at every sample; of failed ones, minus infinity."""
    rows = [i for i, o in enumerate(observations) if not o.failed]
    encoding = Encoding(SPACE)
    made = [observations[i] for i in rows]
    mean, _ = fit_quantity(encoding, RUTILE, made).predict(encoding.encode_observations(made))
    worth = np.full(len(observations), -np.inf)
    worth[rows] = WANTED.targets[0].utilities(mean)
    return worth


@dataclass(frozen=True)
class Row:
    """One policy beside always counting long, over the seeds of both; 90 % bootstrap intervals."""

    policy: str
    n_seeds: int
    beam_share: tuple[float, float, float]
    error: float
    excess_error: tuple[float, float, float]
    reached: float
    same_if_long: float
    gain_if_long: tuple[float, float, float]
    same_recipe: float


def compared(records: list[dict[str, Any]]) -> list[Row]:
    """Return every policy beside ``long``."""
    table = {(r["policy"], r["seed"]): r for r in records}
    rows = []
    for policy in POLICIES:
        seeds = sorted(s for p, s in table if p == policy and ("long", s) in table)
        if not seeds:
            continue
        mine = [table[policy, s] for s in seeds]
        long = [table["long", s] for s in seeds]
        error = np.array([abs(r["fraction"] - 0.30) for r in mine])
        usual = np.array([abs(r["fraction"] - 0.30) for r in long])
        wasted = np.array([abs(r.get("fraction_if_long", np.nan) - 0.30) for r in mine])
        hours = np.array([r["beam_hours"] for r in mine])
        longest = np.array([r["beam_hours"] for r in long])
        rows.append(
            Row(
                policy,
                len(seeds),
                _interval(lambda i, a=hours, b=longest: a[i].sum() / b[i].sum(), len(seeds)),
                float(error.mean()),
                _interval(lambda i, d=error - usual: d[i].mean(), len(seeds)),
                float((error <= TOLERANCE).mean()),
                float(np.mean([r.get("same_if_long", np.nan) for r in mine])),
                _interval(lambda i, d=error - wasted: d[i].mean(), len(seeds)),
                float(
                    np.mean([a["recipe"] == b["recipe"] for a, b in zip(mine, long, strict=True)])
                ),
            )
        )
    return rows


def _interval(statistic: Any, n: int) -> tuple[float, float, float]:
    """Return a statistic of all seeds, and its 5 and 95 % bootstrap quantiles."""
    rng = np.random.default_rng(0)
    drawn = [statistic(rng.integers(0, n, n)) for _ in range(4000)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(statistic(np.arange(n))), float(low), float(high)


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(
        "policy    seeds  beam time / long       |fraction - 0.30|  excess over long               "
        "reached  same sample if long  error saved if long            same recipe as long"
    )
    for r in rows:
        share, excess, gain = r.beam_share, r.excess_error, r.gain_if_long
        print(
            f"{r.policy:9s} {r.n_seeds:5d}  {share[0]:.2f} ({share[1]:.2f} to {share[2]:.2f})    "
            f"{r.error:17.4f}  {excess[0]:+.4f} ({excess[1]:+.4f} to {excess[2]:+.4f})  "
            f"{r.reached:7.0%}  {r.same_if_long:19.0%}  {gain[0]:+.4f} ({gain[1]:+.4f} to "
            f"{gain[2]:+.4f})  {r.same_recipe:19.0%}"
        )


def main() -> None:
    """Run what is missing, then print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--policies", nargs="+", default=POLICIES, choices=POLICIES)
    parser.add_argument("--records", type=Path, help="file of campaigns, added to and resumed")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = read_records(asked.records)
    done = {(r["policy"], r["seed"], r["n_samples"]) for r in found}
    for seed in range(asked.first, asked.first + asked.seeds):
        for policy in asked.policies:
            if (policy, seed, asked.samples) in done:
                continue
            record = asyncio.run(campaign(policy, seed, asked.samples))
            found.append(record)
            add_record(asked.records, record)
    rows = compared([r for r in found if r["n_samples"] == asked.samples])
    show(rows)
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(r) for r in rows], indent=1))


if __name__ == "__main__":
    main()

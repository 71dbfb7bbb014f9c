"""What does a campaign lose, and what happens twice, if its process is killed at any moment?

Campaigns run on instruments in a process of their own, which write down what they physically did.
The campaign's process is killed with SIGKILL at random moments of each of six phases, and the
campaign is resumed until it ends. Then the instruments' own log is compared with the history.

    python benchmarks/kill_nine.py --points 100
    python benchmarks/kill_nine.py --points 3 --recovery queryable

``queryable``: the instruments are asked what became of a command. ``ask_operator``: they cannot be
asked and would act a second time; a person looks at the log of deeds and answers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from survival.bench import Bench, running_bench
from survival.postgres import postgres, scissors
from survival.sabotage import PHASES, Phase
from survival.verdict import Verdict, compare
from survival.victim import End, Life, begin, live, live_to_the_end

EXPERIMENTS = 6
"""Experiments a campaign; a synthesis and a measurement each."""

SECONDS = 0.02
"""Duration of an action."""

WITHIN: dict[Phase, float] = {
    "before the intent": 0.004,
    "after the intent": 0.004,
    "after the send": 0.01,
    "after the acknowledgement": SECONDS,
    "after the result": 0.004,
    "during the planner's write": 0.004,
}
"""How long after a phase begins the blow may fall [s]: about as long as the phase lasts."""


@dataclass
class Tally:
    """What was counted for one phase."""

    phase: str
    recovery: str
    kills: int = 0
    campaigns: dict[str, str] = field(default_factory=dict)
    resumed: list[float] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)


def torment(bench: Bench, phase: Phase, *, recovery: str, points: int, rng: random.Random) -> Tally:
    """Kill campaigns in one phase until enough blows have struck."""
    tally = Tally(phase, recovery)

    def struck(life: Life) -> End:
        enough = tally.kills >= points
        return live(
            life,
            phase=None if enough else phase,
            nth=rng.randrange(3),
            within=WITHIN[phase],
            seed=rng.randrange(2**32),
        )

    while tally.kills < points:
        _one_campaign(bench, tally, f"{recovery}-{PHASES.index(phase)}", struck)
    return tally


def cut_off(bench: Bench, *, points: int, rng: random.Random) -> Tally:
    """Cut the database's connections of running campaigns at random moments."""
    tally = Tally("database connection cut", "queryable")

    def struck(life: Life) -> End:
        with scissors(bench, points - tally.kills, rng) as cuts:
            end = live(life, phase=None, nth=0, within=0.0, seed=0)
        tally.kills += cuts.made
        return end

    while tally.kills < points:
        _one_campaign(bench, tally, "cut", struck)
    return tally


def _one_campaign(bench: Bench, tally: Tally, stem: str, struck: Callable[[Life], End]) -> None:
    """Begin a campaign, let it live and die until it ends, and judge it."""
    seed = len(tally.campaigns)
    name, asks = f"{stem}-{seed}", tally.recovery == "ask_operator"
    campaign = begin(bench, name, seed=seed, experiments=EXPERIMENTS)
    tally.campaigns[name] = campaign
    life, is_first = Life(bench, name, campaign, asks=asks), True
    while True:
        end = struck(life)
        if end.resumed_after is not None and not is_first:
            tally.resumed.append(end.resumed_after)
        is_first = False
        tally.kills += end.killed
        if end.ended:
            break
    tally.verdict.add(compare(bench, name, campaign, asks=asks))


def calm(bench: Bench, seed: int) -> list[object]:
    """Return what an undisturbed campaign proposes and observes."""
    name = f"calm-{seed}"
    campaign = begin(bench, name, seed=seed, experiments=EXPERIMENTS)
    live_to_the_end(Life(bench, name, campaign, asks=False))
    return decisions(bench, name, campaign)


def decisions(bench: Bench, name: str, campaign: str) -> list[object]:
    """Return a campaign's proposals and observations."""
    with bench.open_store(name) as store:
        return [
            (
                e.proposal.values,
                e.observation and (e.observation.outcomes, e.observation.failed),
            )
            for e in store.experiments(campaign)
        ]


def quantile(values: list[float], share: float) -> float:
    """Return an order statistic."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def report(tallies: list[Tally]) -> dict[str, object]:
    """Print the table and return the numbers."""
    print(f"{'recovery':<13}{'phase':<28}{'kills':>6}{'deeds':>7}{'twice':>7}{'lost':>6}"
          f"{'asked':>7}{'stuck':>7}{'p95 s':>8}")  # fmt: skip
    rows = []
    for t in tallies:
        v, p95 = t.verdict, quantile(t.resumed, 0.95)
        print(f"{t.recovery:<13}{t.phase:<28}{t.kills:>6}{v.deeds:>7}{v.twice:>7}{v.lost:>6}"
              f"{v.asked:>7}{v.stuck:>7}{p95:>8.3f}")  # fmt: skip
        rows.append({"phase": t.phase, "recovery": t.recovery, "kills": t.kills,
                     "campaigns": len(t.campaigns), "resumed_p95_s": p95, **asdict(v)})  # fmt: skip
    return {"machine": platform.platform(), "cores": os.cpu_count(), "rows": rows}


def judged(bench: Bench, tally: Tally, undisturbed: dict[int, list[object]]) -> Tally:
    """Compare what each campaign decided with a campaign that nobody killed.

    Where a person had to say how a command ended, results are lost with it and decisions may
    differ; that is not counted.
    """
    if tally.recovery == "ask_operator":
        return tally
    for seed, (name, campaign) in enumerate(tally.campaigns.items()):
        if seed not in undisturbed:
            undisturbed[seed] = calm(bench, seed)
        tally.verdict.changed += decisions(bench, name, campaign) != undisturbed[seed]
    return tally


def tallies(points: int, recoveries: list[str], *, cuts: int, seed: int) -> list[Tally]:
    """Run everything that was asked for."""
    rng, found = random.Random(seed), []
    undisturbed: dict[int, list[object]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_bench(Path(folder), seconds=SECONDS) as bench,
    ):
        for recovery in recoveries:
            for phase in PHASES:
                tally = torment(bench, phase, recovery=recovery, points=points, rng=rng)
                found.append(judged(bench, tally, undisturbed))
                print(f"{recovery}, {phase}: {tally.kills} kills", file=sys.stderr)
        if cuts:
            with postgres(Path(folder)) as url:
                on_server = replace(bench, url=url)
                found.append(judged(on_server, cut_off(on_server, points=cuts, rng=rng), {}))
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=100, help="blows a phase and recovery")
    parser.add_argument("--cuts", type=int, default=100, help="cuts of PostgreSQL's connections")
    parser.add_argument("--recovery", choices=("queryable", "ask_operator", "both"), default="both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    wanted = ["queryable", "ask_operator"]
    if arguments.recovery != "both":
        wanted = [arguments.recovery]
    found = tallies(arguments.points, wanted, cuts=arguments.cuts, seed=arguments.seed)
    numbers = report(found)
    bad = Counter[str]()
    for tally in found:
        for name in ("twice", "lost", "stuck", "changed"):
            bad[name] += getattr(tally.verdict, name)
    print(
        f"in all: {sum(t.kills for t in found)} blows; done twice {bad['twice']}, results lost "
        f"{bad['lost']}, stuck {bad['stuck']}, campaigns that decided otherwise {bad['changed']}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=1))
    sys.exit(1 if bad.total() else 0)


if __name__ == "__main__":
    main()

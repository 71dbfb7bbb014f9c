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
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from survival.bench import Bench, running_bench
from survival.sabotage import PHASES, Phase
from survival.verdict import Verdict, compare
from survival.victim import Life, begin, live, live_to_the_end

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
    campaigns: int = 0
    resumed: list[float] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)


def torment(bench: Bench, phase: Phase, *, recovery: str, points: int, rng: random.Random) -> Tally:
    """Kill campaigns in one phase until enough blows have struck."""
    tally = Tally(phase, recovery)
    while tally.kills < points:
        name = f"{recovery}-{PHASES.index(phase)}-{tally.campaigns}"
        campaign = begin(bench, name, seed=tally.campaigns, experiments=EXPERIMENTS)
        asks = recovery == "ask_operator"
        life = Life(bench, name, campaign, asks=asks)
        while True:
            enough = tally.kills >= points
            end = live(
                life,
                phase=None if enough else phase,
                nth=rng.randrange(3),
                within=WITHIN[phase],
                seed=rng.randrange(2**32),
            )
            if end.resumed_after is not None:
                tally.resumed.append(end.resumed_after)
            if end.killed:
                tally.kills += 1
            elif end.ended:
                break
        tally.verdict.add(compare(bench, name, campaign, asks=asks))
        tally.campaigns += 1
    return tally


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
                     "campaigns": t.campaigns, "resumed_p95_s": p95, **asdict(v)})  # fmt: skip
    return {"machine": platform.platform(), "cores": os.cpu_count(), "rows": rows}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=100, help="blows a phase and recovery")
    parser.add_argument("--recovery", choices=("queryable", "ask_operator", "both"), default="both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    wanted = ["queryable", "ask_operator"]
    if arguments.recovery != "both":
        wanted = [arguments.recovery]
    tallies = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_bench(Path(folder), seconds=SECONDS) as bench,
    ):
        undisturbed: dict[int, list[object]] = {}
        for recovery in wanted:
            for phase in PHASES:
                tally = torment(bench, phase, recovery=recovery, points=arguments.points, rng=rng)
                for seed in range(tally.campaigns):
                    if seed not in undisturbed:
                        undisturbed[seed] = calm(bench, seed)
                    name = f"{recovery}-{PHASES.index(phase)}-{seed}"
                    with bench.open_store(name) as store:
                        campaign = store.campaigns()[0].id
                    if decisions(bench, name, campaign) != undisturbed[seed]:
                        tally.verdict.changed += 1
                tallies.append(tally)
                print(f"{recovery}, {phase}: {tally.kills} kills", file=sys.stderr)
    numbers = report(tallies)
    totals = Counter[str]()
    for tally in tallies:
        for name in ("twice", "lost", "stuck", "changed"):
            totals[name] += getattr(tally.verdict, name)
    print(f"in all: {sum(t.kills for t in tallies)} kills; done twice {totals['twice']}, results "
          f"lost {totals['lost']}, stuck {totals['stuck']}, campaigns that decided otherwise "
          f"{totals['changed']}")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=1))
    sys.exit(1 if sum(totals.values()) else 0)


if __name__ == "__main__":
    main()

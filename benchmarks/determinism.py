"""Does the same seed give the same campaign, bit for bit, also after kills at random moments?

Runs the titania campaign as a separate process three times: undisturbed, undisturbed again, and
killed with SIGKILL at random moments and resumed until it ends. Proposals, measured counts and
observations are compared by their exact bytes.

    python benchmarks/determinism.py --kills 5 --experiments 10
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestrator.store import Store

SDLAB = str(Path(sys.executable).parent / "sdlab")


def digest(home: Path) -> list[str]:
    """Return one hash an experiment over proposal, counts and observation."""
    store = Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays")
    record = store.campaigns()[0]
    hashes = []
    for e in store.experiments(record.id):
        assert e.observation is not None
        h = hashlib.sha256(e.proposal.model_dump_json().encode())
        h.update(e.observation.model_dump_json().encode())
        for m in e.measurements:
            h.update(store.measurement(m.id).y.tobytes())
        hashes.append(h.hexdigest())
    store.close()
    return hashes


def command(home: Path, experiments: int) -> list[str]:
    """Return the command that begins the campaign, or resumes it if it has begun."""
    store = Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays")
    records = store.campaigns()
    store.close()
    tail = ["--no-prefect", "--home", str(home)]
    if not records:
        return [SDLAB, "run", "tio2", "--dry-run", "-n", str(experiments), "--home", str(home)]
    return [SDLAB, "resume", records[0].id, *tail]


def run(home: Path, experiments: int, *, kills: int, rng: random.Random) -> int:
    """Run to the end, killing the process `kills` times on the way; return how many struck."""
    struck = 0
    while True:
        process = subprocess.Popen(
            command(home, experiments), stdout=subprocess.DEVNULL, start_new_session=True
        )
        if struck >= kills:
            if process.wait():
                raise SystemExit("the campaign failed")
            return struck
        try:
            process.wait(timeout=rng.uniform(2.0, 9.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            struck += 1
            continue
        return struck


def main() -> None:
    """Compare the three campaigns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    hashes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, kills in (("first", 0), ("second", 0), ("killed", options.kills)):
            home = Path(folder) / name
            home.mkdir()
            struck = run(home, options.experiments, kills=kills, rng=rng)
            hashes[name] = digest(home)
            print(f"{name:<7} {len(hashes[name])} experiments, killed {struck} times", flush=True)
    result = {
        "seed": options.seed,
        "repeated_identical": hashes["first"] == hashes["second"],
        "killed_identical": hashes["first"] == hashes["killed"],
        "experiments": len(hashes["first"]),
    }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if not (result["repeated_identical"] and result["killed_identical"]):
        raise SystemExit("the campaigns differ")


if __name__ == "__main__":
    main()

"""Replays tasks that come as lines of JSON, one record a line back; runs in a peer's environment.

PYTHONPATH=.:benchmarks python benchmarks/planning/working.py < tasks.jsonl > records.jsonl
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

import torch  # noqa: E402  after the thread counts

from planning.replaying import Task, replay  # noqa: E402


def main() -> None:
    """Answer until the input ends."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a package prints is no record
    for line in sys.stdin:
        record = replay(Task(**json.loads(line)))
        print(json.dumps(record, separators=(",", ":")), file=answers, flush=True)
        gc.collect()  # experiments of Ax hold one another in circles


if __name__ == "__main__":
    main()

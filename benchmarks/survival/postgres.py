"""A PostgreSQL of the benchmark's own, and scissors for the connections to it."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from survival.bench import Bench

from tests.orchestrator.databases import url_of

LONGEST_PEACE = 0.15
"""Seconds that connections live at the longest, about as long as a few actions take."""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server and give the URL of an empty database."""
    with url_of("postgresql", folder) as url:
        yield url


@dataclass
class Cuts:
    """How many connections were cut."""

    made: int = 0


@contextmanager
def scissors(bench: Bench, most: int, rng: random.Random) -> Iterator[Cuts]:
    """Cut the connections of everybody else at random moments of the block."""
    assert bench.url is not None
    cuts, ended = Cuts(), threading.Event()

    def snip() -> None:
        assert bench.url is not None
        with psycopg.connect(bench.url, autocommit=True) as connection:
            while cuts.made < most and not ended.wait(rng.uniform(0, LONGEST_PEACE)):
                cut = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                cuts.made += len(cut.fetchall())

    cutting = threading.Thread(target=snip)
    cutting.start()
    try:
        yield cuts
    finally:
        ended.set()
        cutting.join()

"""Analysis on a Dask cluster tells what it would have told here, also when the cluster dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.examples import find_campaign
from orchestrator.laboratories.spread import SpreadEntry
from orchestrator.launch import begin, prepare, with_changes
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.under_prefect.server import Server
from planners.proposal import Observation

pytest.importorskip("prefect_dask")
pytestmark = [pytest.mark.prefect, pytest.mark.slow]


@contextmanager
def _titania(folder: Path) -> Iterator[Run]:
    with Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays") as store:
        yield begin(with_changes(prepare(find_campaign("tio2")), experiments=3), store)


def _with(run: Run, entry: SpreadEntry) -> Run:
    return replace(run, laboratory=replace(run.laboratory, spread=entry))


async def _first_turn(run: Run) -> Observation:
    await run.laboratory.connect()
    observation = await turn(run, 0)
    await run.laboratory.disconnect()
    return observation


async def test_a_cluster_of_processes_tells_what_this_process_would(
    server: Server, tmp_path: Path
) -> None:
    from orchestrator.under_prefect.spread import cluster, spread

    entry = SpreadEntry(workers=2)
    with _titania(tmp_path / "here") as here, _titania(tmp_path / "there") as there:
        alone = await _first_turn(here)
        together = await _first_turn(spread(_with(there, entry)))
        cluster(entry).close()
        assert together == alone
        store = there.history
        assert isinstance(store, Store)
        assert [e for e in store.events(there.id) if e.kind == "cluster_failed"] == []


async def test_without_its_cluster_the_campaign_reads_by_itself_and_says_so(
    server: Server, tmp_path: Path
) -> None:
    from orchestrator.under_prefect.spread import cluster, spread

    entry = SpreadEntry(address="tcp://127.0.0.1:9", longest=20)
    with _titania(tmp_path / "here") as here, _titania(tmp_path / "there") as there:
        alone = await _first_turn(here)
        together = await _first_turn(spread(_with(there, entry)))
        cluster(entry).close()
        assert together == alone
        store = there.history
        assert isinstance(store, Store)
        (event,) = [e for e in store.events(there.id) if e.kind == "cluster_failed"]
        assert "xrd.quantify reads in the campaign's own process" in event.message

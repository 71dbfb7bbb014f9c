"""What a person sees in the browser: the figures show, and the page asks nobody outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchestrator.launch import begin, prepare, with_changes
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.under_prefect.flows import PrefectTurns
from orchestrator.under_prefect.server import Server, campaign_page
from tests.prefect import chromium
from tests.prefect.conftest import Api

EXAMPLE = Path(__file__).parents[2] / "orchestrator" / "examples" / "tio2.toml"

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium.find() is None, reason=f"needs a Chromium: one of {', '.join(chromium.NAMES)}"
    ),
]

_WIDTHS = "[...document.images].map(image => image.naturalWidth)"


async def test_figures_of_a_real_campaign_show_and_nobody_outside_is_asked(
    server: Server, api: Api, tmp_path: Path
) -> None:
    prepared = with_changes(prepare(EXAMPLE, dry_run=True), experiments=4)
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as store:
        run = begin(prepared, store)
        await run.laboratory.connect()
        async with PrefectTurns() as turns:
            for number in range(4):
                await turns.take(run, number)
        shown = api.flow_runs(run.id)[-1]
        artifacts = api.artifacts(shown["id"])
    program = chromium.find()
    assert program is not None
    async with chromium.page(program, tmp_path / "browser") as page:
        await page.open(campaign_page(server, run.id))
        await page.until("document.body.innerText.includes('4 runs')")

        await page.open(f"{server.url}/runs/flow-run/{shown['id']}")
        await page.until("document.body.innerText.includes('5 Task runs')")
        await page.until("document.body.innerText.includes('synthesize started')")
        await page.screenshot(tmp_path / "flow-run.png")

        for kind, figures in {"experiment": 1, "landscape": 1, "campaign": 2}.items():
            artifact = artifacts[f"{kind}-{run.id}"]
            await page.open(f"{server.url}/artifacts/artifact/{artifact['id']}")
            await page.until(f"{_WIDTHS}.filter(width => width > 0).length == {figures}")
            assert await page.value(f"Math.min(...{_WIDTHS})") > 600
            await page.screenshot(tmp_path / f"{kind}.png")
            assert (tmp_path / f"{kind}.png").stat().st_size > 20_000
        assert len(page.asked) > 20, "the browser's requests were not seen"
        assert {urlsplit(url).hostname for url in page.asked} == {"127.0.0.1"}


async def test_best_experiments_stand_in_a_table(
    server: Server, api: Api, bread: Callable[..., Run], tmp_path: Path
) -> None:
    run = bread()
    await run.laboratory.connect()
    async with PrefectTurns() as turns:
        await turns.take(run, 0)
    artifact = api.artifacts(api.flow_runs(run.id)[0]["id"])[f"best-{run.id}"]
    program = chromium.find()
    assert program is not None
    async with chromium.page(program, tmp_path / "browser") as page:
        await page.open(f"{server.url}/artifacts/artifact/{artifact['id']}")
        cells = "[...document.querySelectorAll('td')].map(cell => cell.innerText).join(' | ')"
        await page.until(f"{cells}.includes('±')")
        shown = await page.value(cells)
        assert shown.startswith("0 | ")
        assert "°C" in shown

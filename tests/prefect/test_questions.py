"""A question stands in Prefect's page with a form; whichever way answers it, both agree."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from orchestrator.people.asking import Question, Reply
from orchestrator.people.notifying import Notice, NotifyEntry
from orchestrator.store import Store
from orchestrator.under_prefect.posting import Post
from orchestrator.under_prefect.questions import asked_in_prefect, collect_answers
from orchestrator.under_prefect.server import Server
from tests.orchestrator.conftest import record
from tests.orchestrator.listener import listening
from tests.prefect import chromium
from tests.prefect.conftest import Api

pytestmark = pytest.mark.prefect

GATE = Question(
    "approve/3",
    "approve",
    "May experiment 3 be made: temperature 240 degC, time 1.5 h?",
    ("approve", "veto"),
    3,
    {"values": {"temperature": 240.0, "time": 1.5}, "why_proposed": "nothing is known near it"},
)


PRESSES = 10
"""How often a person presses the button of an answer before giving up."""


@pytest.fixture
def oven(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Store, str]]:
    name = f"oven-{abs(hash(request.node.name)) % 10**8}"
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as store:
        store.create_campaign(record(name))
        yield store, name


async def _until(true: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.1)


def _run(api: Api, name: str, state: str) -> dict | None:
    found = [r for r in api.flow_runs(name) if r["state_type"] == state]
    return found[-1] if found else None


def _resume(server: Server, run: dict, **answer: str) -> dict:
    """Answer as the page does; as a person would, again while the server's database is busy."""
    with httpx.Client(base_url=server.api_url, timeout=30) as client:
        for _ in range(PRESSES):
            told = client.post(f"/flow_runs/{run['id']}/resume", json={"run_input": answer})
            if told.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1.0)
    told.raise_for_status()
    return told.json()


@asynccontextmanager
async def _asked(store: Store, name: str, api: Api):
    """Give the paused flow run of the open question."""
    store.questions.ask(name, GATE)
    async with asked_in_prefect(name, store.questions):
        await _until(lambda: _run(api, name, "PAUSED"))
        run = _run(api, name, "PAUSED")
        assert run is not None
        yield run


async def test_form_in_the_page_answers_the_question(
    server: Server, api: Api, oven: tuple[Store, str]
) -> None:
    store, name = oven
    async with _asked(store, name, api) as run:
        assert run["name"].startswith("question: May experiment 3 be made")
        refused = _resume(server, run, answer="perhaps")
        assert refused["status"] == "REJECT"
        assert store.questions.open(name)
        taken = _resume(server, run, answer="veto", reason="the tray is bent")
        assert taken["status"] == "ACCEPT"
        await _until(lambda: not store.questions.open(name))
        assert store.questions.find(name, GATE.key).reply == Reply(
            "veto", "the tray is bent", "Prefect UI"
        )
        await _until(lambda: _run(api, name, "COMPLETED"))


async def test_answer_given_elsewhere_closes_the_form(
    server: Server, api: Api, oven: tuple[Store, str]
) -> None:
    store, name = oven
    async with _asked(store, name, api):
        store.questions.answer(name, GATE.key, Reply("approve", "", "anna@bakery"))
        await _until(lambda: _run(api, name, "COMPLETED"))
    assert [r["state_type"] for r in api.flow_runs(name)] == ["COMPLETED"]


async def test_answer_given_in_the_page_while_no_process_runs_is_found_later(
    server: Server, api: Api, oven: tuple[Store, str]
) -> None:
    store, name = oven
    async with _asked(store, name, api) as run:
        pass
    assert _resume(server, run, answer="approve")["status"] == "ACCEPT"
    assert store.questions.open(name)
    await collect_answers(name, store.questions)
    assert not store.questions.open(name)
    assert _run(api, name, "COMPLETED")
    reply = store.questions.find(name, GATE.key).reply
    assert reply is not None
    assert (reply.answer, reply.by) == ("approve", "Prefect UI")


async def test_resumed_campaign_shows_its_open_question_once(
    server: Server, api: Api, oven: tuple[Store, str]
) -> None:
    store, name = oven
    async with _asked(store, name, api):
        pass
    await collect_answers(name, store.questions)
    async with _asked(store, name, api):
        states = sorted(r["state_type"] for r in api.flow_runs(name))
        assert states == ["CANCELLED", "PAUSED"]


def test_notice_goes_through_a_block_that_keeps_the_address(server: Server) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    failures: list[str] = []
    with listening() as listener:
        contents = {"text": "{{subject}}: {{body}}"}
        block = CustomWebhookNotificationBlock(name="lab", url=listener.url, json_data=contents)
        block.save("oven-lab", overwrite=True)
        entry = NotifyEntry(blocks=("custom-webhook/oven-lab", "slack-webhook/nowhere"))
        post = Post(entry, failures.append, has_server=True)
        post.send(Notice("failed", "oven-1", "the oven is cold"))
        post.close()
    assert listener.heard == [{"text": "oven-1: the oven is cold"}]
    [failure] = failures
    assert "slack-webhook/nowhere" in failure


async def test_dead_server_stops_no_question(
    monkeypatch: pytest.MonkeyPatch, server: Server, oven: tuple[Store, str]
) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    store, name = oven
    store.questions.ask(name, GATE)
    nobody = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nobody):
        async with asked_in_prefect(name, store.questions):
            store.questions.answer(name, GATE.key, Reply("approve", "", "anna@bakery"))
            await asyncio.sleep(0.6)
    assert store.questions.open(name) == []


@pytest.mark.browser
@pytest.mark.skipif(chromium.find() is None, reason="needs a Chromium")
async def test_page_shows_the_question_with_its_options(
    server: Server, api: Api, oven: tuple[Store, str], tmp_path: Path
) -> None:
    store, name = oven
    program = chromium.find()
    assert program is not None
    async with (
        _asked(store, name, api) as run,
        chromium.page(program, tmp_path / "browser") as page,
    ):
        await page.open(f"{server.url}/runs/flow-run/{run['id']}")
        await page.until("document.body.innerText.includes('question: May experiment 3')")
        button = "[...document.querySelectorAll('button')].find(b => b.innerText.trim()=='Resume')"
        await page.until(f"!!{button}")
        await page.value(f"{button}.click()")
        await page.until("document.body.innerText.includes('nothing is known near it')")
        await asyncio.sleep(1)
        await page.screenshot(tmp_path / "question.png")
        shown = str(await page.value("document.body.innerText"))
        for part in ("approve or veto", "Reason (Optional)", "240", "Submit"):
            assert part in shown
    assert (tmp_path / "question.png").stat().st_size > 20_000

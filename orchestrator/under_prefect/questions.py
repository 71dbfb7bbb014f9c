"""Questions in Prefect's page: each stands there as a paused flow run with a form that answers it.

The history is what counts. A question that is answered elsewhere loses its form, an answer given
in the form is written to the history, and a server that is away changes nothing. No process waits
inside these flow runs, so none of them is lost with one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import httpx
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Cancelled, Completed, Paused, Running
from pydantic import BaseModel, Field, create_model

from orchestrator.errors import CampaignError
from orchestrator.people.asking import Asked, Reply
from orchestrator.store.questions import Questions

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks at the open questions and their forms."""

LONGEST_END = 10.0
"""Seconds that the end of a session may take here."""

TROUBLES = (httpx.HTTPError, PrefectException, RuntimeError)
"""What Prefect raises when its server is away or refuses."""

_KEYS = keyset_from_base_key("answer")
_TAG = "question"
_LONGEST_NAME = 100


@flow(name="question", persist_result=False, retries=0)
async def question() -> None:
    """Wait for a person; the form is all there is to it."""
    raise RuntimeError("a question is answered in its form, not run")


async def collect_answers(campaign_id: str, questions: Questions) -> None:
    """Write down what was answered in forms while no process ran a campaign.

    Call it while this process holds the campaign, before the flow runs are closed that an earlier
    process left open. Forms that are still open are closed; `asked_in_prefect` makes them anew.
    """
    try:
        await Forms(campaign_id, questions).collect()
    except TROUBLES as error:
        log.warning("earlier answers in Prefect could not be read: %r", error)


@asynccontextmanager
async def asked_in_prefect(campaign_id: str, questions: Questions) -> AsyncIterator[None]:
    """Show the open questions of a campaign in Prefect while the block runs.

    Forms of questions that are still open stay when the block ends.
    """
    over = asyncio.Event()
    showing = asyncio.create_task(Forms(campaign_id, questions).show(until=over))
    try:
        yield
    finally:
        over.set()
        await asyncio.wait({showing}, timeout=LONGEST_END)
        showing.cancel()


@dataclass(slots=True)
class Forms:
    """The forms of one campaign.

    Attributes
    ----------
    shown : key of a question → its flow run; None if a person has cancelled that in the page.
    """

    campaign_id: str
    questions: Questions
    shown: dict[str, UUID | None] = field(default_factory=dict)

    async def show(self, until: asyncio.Event) -> None:
        """Keep forms and questions alike until the event, and once more after it."""
        last = False
        while not last:
            last, pause = until.is_set(), LOOK_EVERY
            try:
                await self.look()
            except TROUBLES as error:
                log.warning("questions cannot be shown in Prefect: %r", error)
                pause = 10 * LOOK_EVERY
            waiting = asyncio.create_task(until.wait())
            await asyncio.wait({waiting}, timeout=0 if last else pause)
            waiting.cancel()

    async def look(self) -> None:
        """Show what is new, write down what was answered in a form, close what was elsewhere."""
        waiting = {asked.question.key: asked for asked in self.questions.open(self.campaign_id)}
        if not waiting and not self.shown:
            return
        async with get_client() as client:
            for key, asked in waiting.items():
                if key not in self.shown:
                    self.shown[key] = await _show(client, asked)
                elif (run_id := self.shown[key]) is not None:
                    await self._read(client, key, run_id)
            for key in [k for k in self.shown if k not in waiting]:
                run_id = self.shown.pop(key)
                if run_id is not None:
                    await self._close(client, key, run_id)

    async def collect(self) -> None:
        """Read what was answered while nobody looked; forms that are still open are made anew."""
        async with get_client() as client:
            for run in await _open_runs(client, self.campaign_id):
                key = _key_of(run)
                answered = run.state is not None and run.state.type == StateType.RUNNING
                if answered:
                    await self._write(client, key, run.id)
                state: State[Any] = (
                    Completed(message="the answer was read when the campaign went on")
                    if answered
                    else Cancelled(message="asked again by the process that goes on")
                )
                await client.set_flow_run_state(run.id, state, force=True)

    async def _read(self, client: PrefectClient, key: str, run_id: UUID) -> None:
        run = await client.read_flow_run(run_id)
        kind = run.state.type if run.state is not None else StateType.PAUSED
        if kind == StateType.RUNNING:
            await self._write(client, key, run_id)
        elif kind != StateType.PAUSED:
            self.shown[key] = None  # cancelled in the page: the question itself stays open

    async def _write(self, client: PrefectClient, key: str, run_id: UUID) -> None:
        """Write down the answer of a form; one that comes too late changes nothing."""
        try:
            given = await client.read_flow_run_input(run_id, _KEYS["response"])
        except ObjectNotFound:
            return  # the server stores the answer a moment after it lets the run go on
        answer = _Given.model_validate_json(given)
        said = Reply(answer.answer, answer.reason, by="Prefect UI")
        try:
            self.questions.answer(self.campaign_id, key, said)
        except CampaignError as error:
            log.warning("an answer in Prefect was not taken: %s", error)

    async def _close(self, client: PrefectClient, key: str, run_id: UUID) -> None:
        reply = self.questions.find(self.campaign_id, key).reply
        told = "" if reply is None else f"{reply.by}: {reply.answer} {reply.reason}".rstrip()
        await client.set_flow_run_state(run_id, Completed(message=told), force=True)


def answer_form(asked: Asked) -> type[RunInput]:
    """Return the form that answers a question: its options to choose from, and a reason."""
    options = asked.question.options
    choice: Any = Literal.__getitem__(options)  # the options are known only now
    reason = Field(default="", description="why, in your words; kept in the history")
    return create_model(
        "Answer",
        __base__=RunInput,
        answer=(choice, Field(description=" or ".join(options))),
        reason=(str, reason),
    )


async def _show(client: PrefectClient, asked: Asked) -> UUID:
    """Make the paused flow run of a question, and return its id."""
    text = asked.question.text
    short = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    run = await client.create_flow_run(
        question,
        name=f"question: {short}",
        tags=[f"campaign:{asked.campaign_id}", f"key:{asked.question.key}", _TAG, "sdlab"],
        state=Running(),
    )
    # Prefect's own `save` opens a second connection and leaves it open.
    schema = json.dumps(answer_form(asked).model_json_schema())
    await client.create_flow_run_input(run.id, _KEYS["schema"], schema)
    described = json.dumps(_description(asked))
    await client.create_flow_run_input(run.id, _KEYS["description"], described)
    paused: State[Any] = Paused(message=text)
    paused.state_details.run_input_keyset = {str(name): key for name, key in _KEYS.items()}
    await client.set_flow_run_state(run.id, paused, force=True)
    return run.id


async def _open_runs(client: PrefectClient, campaign_id: str) -> list[FlowRun]:
    kinds = [StateType.RUNNING, StateType.PAUSED]
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=[f"campaign:{campaign_id}", _TAG]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=kinds)),
        )
    )


def _key_of(run: FlowRun) -> str:
    return next((t.removeprefix("key:") for t in run.tags if t.startswith("key:")), "")


class _Given(BaseModel):
    """What the form gave; the server has checked it against the options."""

    answer: str
    reason: str = ""


def _description(asked: Asked) -> str:
    lines = [f"**{asked.question.text}**", ""]
    values = asked.question.details.get("values")
    if isinstance(values, dict):
        lines += ["| setting | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in values.items()]
    if why := asked.question.details.get("why_proposed"):
        lines += ["", f"Proposed because {why}"]
    return "\n".join(lines)

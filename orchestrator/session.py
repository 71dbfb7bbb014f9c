"""One process running one campaign: connect, take turns, and leave everything in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from orchestrator.control import Ending, TakeTurn, run_campaign
from orchestrator.errors import ServerError, Superseded
from orchestrator.holding import fence
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.store import Store

logger = logging.getLogger(__name__)

Say = Callable[[str], None]

RELAY_EVERY = 0.5
"""Seconds between two looks at what the instruments say of themselves."""


async def run_session(run: Run, store: Store, folder: Path, *, prefect: bool, say: Say) -> Ending:
    """Run a campaign to its end in this process, and record how it stands.

    Parameters
    ----------
    folder : state folder; Prefect's own files go below it.
    prefect : take the turns under Prefect, starting its server if none answers.
    say : shows a sentence to the person at the screen.

    Raises
    ------
    CampaignError
        The campaign cannot go on; its status in the history says ``failed``.
    """
    interrupt = _Interrupt(say)
    with interrupt.listening():
        async with _turns(run, folder, prefect=prefect, say=say) as take_turn:
            ending = await _carry_out(run, store, take_turn, interrupt)
    store.set_status(run.id, ending.status, ending.reason)
    return ending


async def _carry_out(run: Run, store: Store, take_turn: TakeTurn, interrupt: _Interrupt) -> Ending:
    await run.laboratory.connect()
    if run.token is not None:
        await fence(run.laboratory, run.id, run.token)
    store.set_status(run.id, "running")
    relay = asyncio.create_task(_relay_messages(run, interrupt.say))
    try:
        return await run_campaign(run, take_turn=take_turn, wanted=interrupt.goes_on)
    except asyncio.CancelledError:
        done = len(store.observations(run.id))
        return Ending("interrupted", "stopped in the middle of an experiment", done)
    except Superseded:
        raise  # how the campaign stands is for its new holder to say
    except Exception as error:
        store.set_status(run.id, "failed", f"{type(error).__name__}: {error}")
        raise
    finally:
        relay.cancel()
        await run.laboratory.disconnect()


async def _relay_messages(run: Run, say: Say) -> None:
    """Show what real instruments say of themselves while they work, such as a request."""
    shown: dict[str, str] = {}
    while not run.laboratory.simulated:
        for name, instrument in run.laboratory.instruments.items():
            status = await instrument.status()
            if status.state == "busy" and status.message != shown.get(name):
                shown[name] = status.message
                say(f"{name}: {status.message}")
        await asyncio.sleep(RELAY_EVERY)


@asynccontextmanager
async def _turns(run: Run, folder: Path, *, prefect: bool, say: Say) -> AsyncIterator[TakeTurn]:
    """Give what takes the turns; a Prefect server that does not start stops no campaign."""
    if not prefect or not await _server_answers(folder, say):
        yield turn
        return
    from orchestrator.flows import seen_in_prefect

    async with seen_in_prefect(run) as take_turn:
        yield take_turn


async def _server_answers(folder: Path, say: Say) -> bool:
    """Start the Prefect server if none answers, and return whether one does."""
    from orchestrator.prefect_server import ensure_server

    def starting(sentence: str, waited: float) -> None:
        say(f"{sentence} ({waited:.0f} s)")

    try:
        server = await asyncio.to_thread(ensure_server, folder / "prefect", progress=starting)
    except ServerError as error:
        say(f"going on without Prefect: {error}")
        return False
    say(f"history in Prefect: {server.url}")
    return True


class _Interrupt:
    """Ctrl-C: once to stop after the present experiment, twice to stop at once."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self._pressed = 0

    def goes_on(self) -> bool:
        """Return whether the next experiment may begin."""
        return not self._pressed

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catch the signals while a campaign runs."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()

        def pressed() -> None:
            self._pressed += 1
            if self._pressed == 1:
                self.say(
                    "stopping after this experiment; Ctrl-C again stops at once, instruments too"
                )
            else:
                task.cancel()

        # Plain handlers instead of the loop's own, which Windows does not have.
        before = {
            number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(pressed))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

"""Ctrl-C: once to stop after the present experiments, twice to stop at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Interrupt:
    """What the signals of this process ask of a campaign.

    Parameters
    ----------
    say : shows a sentence to the person at the screen.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._pressed = 0

    @property
    def pressed(self) -> bool:
        """Whether no further experiment may begin."""
        return self._pressed > 0

    def press(self) -> None:
        """Let no further experiment begin."""
        self._pressed += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catch the signals while a campaign runs; the second one cancels the present task."""
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

"""One suite that every instrument must pass, for the authors of drivers and plug-ins.

Example
-------
>>> async def test_my_furnace() -> None:
...     clock = VirtualClock()
...     await check_instrument(
...         lambda: my_furnace("furnace", {...}, Bench(clock, Path(), seed=0)),
...         good=Synthesize(sample_id="c/0", number=0, recipe={"temperature": 600.0}),
...         bad=[Synthesize(sample_id="c/0", number=0, recipe={"temperature": 6000.0})],
...         clock=clock,
...     )
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from instruments.clock import Clock
from instruments.commands import Command
from instruments.conformance.describing import DESCRIBING
from instruments.conformance.executing import EXECUTING
from instruments.conformance.querying import QUERYING
from instruments.conformance.refusing import REFUSING
from instruments.conformance.stopping import STOPPING
from instruments.conformance.trial import Check, Trial, World
from instruments.protocols import Instrument

__all__ = ["CHECKS", "Check", "Trial", "World", "check_instrument", "name_of"]

CHECKS: tuple[Check, ...] = (*DESCRIBING, *REFUSING, *EXECUTING, *STOPPING, *QUERYING)


async def check_instrument(
    make: Callable[[], Instrument],
    good: Command,
    bad: Sequence[Command] = (),
    *,
    clock: Clock,
    world: World | None = None,
    factor: float = 1.5,
    beside: Callable[[Instrument], Instrument] | None = None,
) -> list[str]:
    """Run every check and return their names.

    Parameters
    ----------
    make, good, bad, clock, factor, beside : see `Trial`.
    world : runs beside every execution of `good`, for instruments that wait for a person or
        another program.

    Raises
    ------
    AssertionError
        Its first words name the check that failed.
    """
    trial = Trial(make, good, tuple(bad), clock, world or _nothing, factor, beside)
    for check in CHECKS:
        try:
            await check(trial)
        except Exception as error:
            said = str(error) or type(error).__name__
            raise AssertionError(f"{name_of(check)}: {said}") from error
    return [name_of(check) for check in CHECKS]


def name_of(check: Check) -> str:
    """Return the claim a check makes, as a sentence."""
    return str(getattr(check, "__name__", "check")).replace("_", " ").strip()


async def _nothing(command: Command) -> None:
    del command

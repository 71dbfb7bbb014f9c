"""Checks of what an instrument must refuse before anything moves."""

from __future__ import annotations

import math

from instruments.commands import Command, Measure, Synthesize
from instruments.conformance.trial import ID, Check, Trial, renamed
from instruments.errors import CommandRefused
from instruments.protocols import Instrument
from instruments.sample import Sample, Setting


async def _refused(instrument: Instrument, command: Command, why: str) -> CommandRefused:
    refusal: CommandRefused | None = None
    try:
        await instrument.execute(ID, command)
    except CommandRefused as error:
        refusal = error
    assert refusal is not None, f"{why} was not refused"
    assert refusal.faults, f"{why} was refused without a reason"
    state = (await instrument.status()).state
    assert state == "idle", f"the state is {state} after a refusal"
    return refusal


def _settings(command: Command) -> dict[str, Setting]:
    return command.recipe if isinstance(command, Synthesize) else command.settings


def _with(command: Command, settings: dict[str, Setting]) -> Command:
    """Return the command with other settings, past all validation, as a faulty client would."""
    key = "recipe" if isinstance(command, Synthesize) else "settings"
    return command.model_copy(update={key: settings})


def _other_role(trial: Trial) -> Command:
    now = trial.clock.now()
    if isinstance(trial.good, Measure):
        return Synthesize(sample_id="conformance/0", number=0, recipe={})
    sample = Sample(
        id="conformance/0",
        number=0,
        recipe={},
        made_by="",
        simulated=True,
        started=now,
        finished=now,
    )
    return Measure(measurement_id="conformance/0/0", sample=sample)


async def _refuses_nan_and_infinity(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for accepted in instrument.describe().accepts:
            for value in (math.nan, math.inf, -math.inf):
                settings = {**_settings(trial.good), accepted.name: value}
                await _refused(
                    instrument, _with(trial.good, settings), f"{accepted.name} = {value}"
                )


async def _refuses_values_out_of_range(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for accepted in instrument.describe().accepts:
            beyond: list[Setting] = []
            if accepted.choices:
                beyond.append("no such choice")
            if not accepted.choices and accepted.low is not None:
                beyond.append(math.nextafter(accepted.low, -math.inf))
            if not accepted.choices and accepted.high is not None:
                beyond.append(math.nextafter(accepted.high, math.inf))
            for value in beyond:
                settings = {**_settings(trial.good), accepted.name: value}
                await _refused(
                    instrument, _with(trial.good, settings), f"{accepted.name} = {value}"
                )


async def _refuses_text_where_a_number_is_expected(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for accepted in instrument.describe().accepts:
            settings: dict[str, Setting] = {**_settings(trial.good), accepted.name: "hot;\n*RST"}
            await _refused(instrument, _with(trial.good, settings), f"text as {accepted.name}")


async def _refuses_an_unknown_setting(trial: Trial) -> None:
    async with trial.connected() as instrument:
        settings = {**_settings(trial.good), "no_such_setting": 1.0}
        error = await _refused(instrument, _with(trial.good, settings), "an unknown setting")
        assert "no_such_setting" in str(error), f"the refusal does not name it: {error}"


async def _refuses_a_missing_setting(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for accepted in instrument.describe().accepts:
            if accepted.default is None:
                settings = {k: v for k, v in _settings(trial.good).items() if k != accepted.name}
                error = await _refused(instrument, _with(trial.good, settings), "a missing setting")
                assert accepted.name in str(error), f"the refusal does not name it: {error}"


async def _refuses_the_other_role(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await _refused(instrument, _other_role(trial), "a command for the other role")


async def _refuses_dangerous_identities(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for identity in ("../../etc/passwd", "a\nb", "a;b", "a@b", "/root", "a//b", "x" * 1000):
            await _refused(instrument, renamed(trial.good, identity), f"the id {identity[:20]!r}")


async def _refuses_every_bad_command(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for command in trial.bad:
            await _refused(instrument, command, repr(command))
            try:
                instrument.check(command)
            except CommandRefused:
                continue
            raise AssertionError(f"check accepts {command!r}, which execute refuses")


async def _a_refused_command_leaves_its_id_free(trial: Trial) -> None:
    async with trial.connected() as instrument:
        settings = {**_settings(trial.good), "no_such_setting": 1.0}
        await _refused(instrument, _with(trial.good, settings), "an unknown setting")
        assert (await trial.run(instrument)).settled == "succeeded", "the id was taken"


REFUSING: tuple[Check, ...] = (
    _refuses_nan_and_infinity,
    _refuses_values_out_of_range,
    _refuses_text_where_a_number_is_expected,
    _refuses_an_unknown_setting,
    _refuses_a_missing_setting,
    _refuses_the_other_role,
    _refuses_dangerous_identities,
    _refuses_every_bad_command,
    _a_refused_command_leaves_its_id_free,
)

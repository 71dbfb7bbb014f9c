"""One measurement of a sample, taken again while its data are spoilt and the campaign allows it."""

from __future__ import annotations

from collections.abc import Mapping

from instruments.commands import Measure
from instruments.measurement import Measurement
from instruments.sample import Sample, Setting
from orchestrator.failing.clearing import MORE, mark
from orchestrator.failing.remedies import StepFailed
from orchestrator.journal import act, settled_attempts
from orchestrator.run import Run
from orchestrator.telling import measurement_in_words, why_it_failed

SPOILING_FLAGS = frozenset({"saturated", "shutter_closed", "misplaced_sample", "thermocouple_open"})
"""Flags of an instrument after which its data say nothing about the sample."""


async def measure_once(
    run: Run,
    number: int,
    sample: Sample,
    index: int,
    *,
    more: Mapping[str, Setting] | None = None,
    times: int = 1,
) -> Measurement:
    """Return one planned measurement; spoilt ones are kept in the history and taken again.

    Parameters
    ----------
    more : settings of a further measurement, taken besides the planned one.
    times : how many further ones there are with it in this experiment.

    Raises
    ------
    StepFailed
        The instrument failed, or its data were spoilt, as often as the campaign allows.
    """
    plan, names = run.campaign.plans[index], run.match.measuring(index)
    name = " or ".join(names)
    which = f"{index}{_turn(number, sample)}{mark(MORE, 0 if more is None else times)}"
    stem, step = f"{sample.id}/{plan.technique}-{which}", f"measure-{which}"
    settings = plan.settings if more is None else dict(more)
    if done := _recorded(run, number, stem):
        return done
    taken: list[Measurement] = []

    def command(attempt: int) -> Measure:
        return Measure(measurement_id=f"{stem}/{attempt}", sample=sample, settings=settings)

    def keep(value: Sample | Measurement) -> None:
        assert isinstance(value, Measurement)
        run.history.record_measurement(run.id, number, value)
        if not SPOILING_FLAGS & set(value.flags):
            taken.append(value)

    run.tell(number, "measure", "started", f"{name} · {plan.technique} of {sample.id}")
    why = "it was tried as often as the campaign allows"
    while len(settled_attempts(run, number, step)) <= run.campaign.on_failure.measure_again:
        outcome = await act(run, number, step=step, instruments=names, command=command, keep=keep)
        if taken:
            run.tell(number, "measure", "finished", measurement_in_words(taken[0]))
            return taken[0]
        why = why_it_failed(outcome)
        run.tell(number, "measure", "failed", f"{name}: {why}")
        run.history.record_event(run.id, "measurement_failed", f"{name}: {why}", number)
    raise StepFailed(f"measurement failed: {why}", cause="measurement")


def _turn(number: int, sample: Sample) -> str:
    """Return what marks a measurement of an earlier sample, so that it is no other turn's."""
    return "" if sample.number == number else f"-turn{number}"


def _recorded(run: Run, number: int, stem: str) -> Measurement | None:
    known = run.history.experiment(run.id, number)
    for summary in known.measurements if known is not None else ():
        if summary.id.startswith(f"{stem}/") and not SPOILING_FLAGS & set(summary.flags):
            return run.history.measurement(summary.id)
    return None

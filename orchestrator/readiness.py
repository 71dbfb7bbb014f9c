"""An instrument that stands in fault is reset before it is sent the next command."""

from __future__ import annotations

import logging

from instruments.errors import InstrumentError
from instruments.protocols import Instrument
from orchestrator.errors import LaboratoryRefused
from orchestrator.run import Run

logger = logging.getLogger(__name__)


async def make_ready(run: Run, instrument: str) -> None:
    """Return when an instrument takes commands; a latched fault is reset, which moves nothing.

    Raises
    ------
    LaboratoryRefused
        It cannot be reset, or somebody stopped it and has not released it.
    """
    device = run.laboratory.instruments[instrument]
    status = await device.status()
    if status.state == "stopped":
        raise LaboratoryRefused(
            f"{instrument} was stopped ({status.message}); look at it, then resume the campaign"
        )
    if status.state != "fault":
        return
    if (trouble := await _reset(device)) is not None:
        raise LaboratoryRefused(
            f"{instrument} stands in fault ({status.message}) and cannot be reset: {trouble}. "
            f"Repair it, then `sdlab resume {run.id}`"
        )
    said = f"{instrument} was reset after a fault: {status.message}"
    logger.info("reset instrument=%s campaign=%s", instrument, run.id)
    run.history.record_event(run.id, "instrument_reset", said)


async def _reset(device: Instrument) -> str | None:
    """Return why an instrument cannot be reset, or None if it was."""
    try:
        await device.reset()
    except (InstrumentError, OSError) as error:
        return str(error)
    return None

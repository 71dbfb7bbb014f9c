"""What experiments cost: hours of instruments and consumables at their prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.run import Run
from orchestrator.store.records import ActionRecord


def price(
    laboratory: Laboratory, instrument: str, *, seconds: float, consumed: Mapping[str, float]
) -> float:
    """Return what using an instrument costs, in the laboratory's currency.

    Parameters
    ----------
    seconds : laboratory time the instrument is occupied.
    consumed : consumable → amount; one without a price costs nothing.
    """
    capabilities = laboratory.describe(instrument)
    prices = {c.name: c.price for c in capabilities.consumables}
    goods = sum(prices.get(name, 0.0) * amount for name, amount in consumed.items())
    return capabilities.hourly_rate * seconds / 3600 + goods


def cost_of(run: Run, number: int) -> float:
    """Return what every attempt of an experiment cost so far, failed ones included."""
    return money_used(run.laboratory, run.history.actions(run.id, number))


def money_used(laboratory: Laboratory, actions: Iterable[ActionRecord]) -> float:
    """Return what actions cost that have ended, however they did."""
    total = 0.0
    for action in actions:
        if action.started is None or action.finished is None:
            continue
        total += price(
            laboratory,
            action.instrument,
            seconds=(action.finished - action.started).total_seconds(),
            consumed=action.consumed,
        )
    return total

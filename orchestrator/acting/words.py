"""A measurement of an earlier sample in the words of whoever reads of it."""

from __future__ import annotations

from orchestrator.campaign import Campaign
from planners.actions.records import MeasureAgain
from planners.settable import Value


def again_in_words(again: MeasureAgain, campaign: Campaign | None) -> str:
    """Return ``sample of experiment 12 again: xrd, counting_time 4 (4 × as planned)``.

    Parameters
    ----------
    campaign : whose plan the settings are compared with; None leaves that out.
    """
    plans = () if campaign is None else campaign.measurements
    planned = next((p.settings for p in plans if p.technique == again.technique), {})
    told = [_setting(name, value, planned.get(name)) for name, value in again.settings.items()]
    return f"sample of experiment {again.experiment} again: {', '.join([again.technique, *told])}"


def _setting(name: str, value: Value, planned: Value | None) -> str:
    if isinstance(value, str):
        return f"{name} {value}"
    text = f"{name} {value:.4g}"
    if isinstance(planned, str) or not planned or planned == value:
        return text
    return f"{text} ({value / planned:.3g} × as planned)"

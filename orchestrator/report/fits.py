"""Which curves of an insight's evidence a person is shown: those laid beside what was observed."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.insight import Curve

OBSERVED = "observed"
PRINCIPAL = "pattern"
"""Name of the evidence that stands for an insight where there are several."""


def fits(evidence: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return the fitted pattern alone if there is one, else every curve with an observed column.

    Returns
    -------
    name of the evidence → curve, in their order; empty where nothing was observed.
    """
    shown = {name: c for name, c in evidence.items() if OBSERVED in c.columns}
    return {PRINCIPAL: shown[PRINCIPAL]} if PRINCIPAL in shown else shown


def told_apart(found: Mapping[str, Curve], name: str) -> str:
    """Return what is put behind a title where one insight shows several curves."""
    return f" · {name}" if len(found) > 1 else ""

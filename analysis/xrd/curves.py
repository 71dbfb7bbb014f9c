"""The curves of a fit, kept as evidence."""

from __future__ import annotations

import numpy as np

from analysis.insight import Curve
from analysis.xrd.fit import Fit


def fit_curve(fit: Fit) -> Curve:
    """Return observed, calculated, difference, background and each phase's part, in counts."""
    columns = {
        "observed": fit.counts,
        "calculated": fit.calculated,
        "difference": fit.counts - fit.calculated,
        "background": fit.background,
    }
    bragg = fit.problem.solve(fit.vector).columns * fit.scales
    for crystal, column in zip(fit.problem.layout.crystals, bragg.T, strict=True):
        columns[f"phase.{crystal.name}"] = np.ascontiguousarray(column)
    return Curve(fit.problem.two_theta, "two_theta", "deg", columns, "counts")

"""Tick marks: where the reflections of each fitted phase lie, for a figure of the fit."""

from __future__ import annotations

import numpy as np

from analysis.insight import Curve
from analysis.physics.cell import d_spacings
from analysis.physics.reflections import reflections
from analysis.xrd.fit import Fit

PREFIX = "reflections."
"""Before the name of a phase, in the evidence of an insight."""


def tick_marks(fit: Fit) -> dict[str, Curve]:
    """Return ``reflections.<phase>`` → the phase's reflections within the pattern.

    Positions are those of the strongest line at the refined cell and displacement; the column
    ``strength`` is m |F|² with Lorentz and polarisation factors, the strongest 1.
    """
    problem = fit.problem
    radiation, layout = problem.radiation, problem.layout
    first, last = problem.two_theta[[0, -1]]
    d_min = radiation.wavelength / (2 * float(np.sin(np.radians(last) / 2)))
    found = {}
    for i, crystal in enumerate(layout.crystals):
        # A little beyond the end, as the refined cell may be larger.
        listed = reflections(
            crystal,
            d_min=round(0.985 * d_min, 3),
            wavelength=radiation.wavelength,
            probe=radiation.probe,
        )
        d = d_spacings(listed.hkl, cell=layout.phase(i, fit.vector).cell or crystal.cell)
        sine = np.minimum(radiation.wavelength / (2 * d), 0.999999)
        bragg = 2 * np.degrees(np.arcsin(sine))
        position = bragg + layout.displacement(fit.vector) * np.sqrt(1 - sine**2)
        strength = listed.multiplicity * listed.f2 * radiation.lorentz_polarisation(bragg)
        order = np.argsort(position, kind="stable")
        order = order[(position[order] >= first) & (position[order] <= last)]
        if order.size:
            relative = strength[order] / strength[order].max()
            found[PREFIX + crystal.name] = Curve(
                position[order], "two_theta", "deg", {"strength": relative}
            )
    return found

"""Named faults of the simulated reactors and of the total-scattering instrument."""

from __future__ import annotations

from collections.abc import Mapping

from instruments.simulated.faults import FaultKind

_TIMEOUT = FaultKind("timeout", "fill", "the pump's controller did not answer in time")

SOLUTION_FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("clogged", "fill", "the feed line is clogged; what was in it is lost"),
        _TIMEOUT,
        FaultKind("leak", "grow", "the pressure fell; the vessel leaks", needs_reset=True),
    )
}
"""Faults that the simulated autoclave can produce."""

ROBOT_FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("clogged", "fill", "a pump is clogged; what it had dosed is lost"),
        _TIMEOUT,
        FaultKind(
            "lamp_dead", "grow", "a lamp that should burn draws no current", needs_reset=True
        ),
    )
}
"""Faults that the simulated robot can produce."""

SCATTERING_FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("misplaced_sample", "load", "no capillary stands in the beam"),
        FaultKind("timeout", "expose", "the detector did not answer in time"),
        FaultKind("shutter_closed", "expose", "the shutter stayed closed", flagged=True),
    )
}
"""Faults that the simulated total-scattering instrument can produce."""

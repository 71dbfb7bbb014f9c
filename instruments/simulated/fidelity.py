"""Fidelity cards: what each simulated instrument models, and what a dry run cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from instruments.simulated.faults import DIFFRACTOMETER_FAULTS, FURNACE_FAULTS, FaultKind


@dataclass(frozen=True, slots=True)
class FidelityCard:
    """What a twin can and cannot stand for.

    Attributes
    ----------
    models, leaves_out : sentences for a person.
    faults : every fault that the twin can produce. What is not here has not been rehearsed.
    repeats : under which conditions the twin gives the same data again.
    """

    models: tuple[str, ...]
    leaves_out: tuple[str, ...]
    faults: Mapping[str, FaultKind]
    repeats: str

    def as_text(self, title: str) -> str:
        """Return the card as Markdown."""
        faults = [
            f"`{fault.name}` ({fault.step}): {fault.message}"
            + ("; the data are flagged" if fault.flagged else "")
            for fault in self.faults.values()
        ]
        lines = [f"## {title}", ""]
        for heading, items in (
            ("Models", self.models),
            ("Leaves out", self.leaves_out),
            ("Can fail by", tuple(faults)),
            ("Repeats", (self.repeats,)),
        ):
            lines += [f"**{heading}**", "", *(f"- {item}" for item in items), ""]
        return "\n".join(lines)


_REPEATS = (
    "bit for bit for the same laboratory seed, instrument name and command id without its "
    "campaign, whatever ran before"
)

FURNACE_CARD = FidelityCard(
    models=(
        "crystallisation, anatase → rutile and brookite → rutile, coarsening, with Arrhenius rates "
        "integrated along ramp, dwell and cooling",
        "iron that promotes and aluminium that retards rutile, their solubility and lattice strain",
        "a constant thermocouple error that nobody sees, and batch-to-batch accidents",
        "dosing and control errors, recorded as the balance and the thermocouple report them",
        "duration with jitter, waiting for a hot furnace, stock, electricity",
    ),
    leaves_out=(
        "overshoot, thermal lag of the powder, gradients within a batch",
        "atmosphere, sintering, loss of powder, brookite → anatase",
    ),
    faults=FURNACE_FAULTS,
    repeats=_REPEATS,
)

DIFFRACTOMETER_CARD = FidelityCard(
    models=(
        "Kα1, Kα2 and a Kβ leak, angle-dependent resolution, size and strain broadening",
        "zero error of the instrument, height and texture of each mounting",
        "air scatter, halo of amorphous material, fluorescence of iron, dark counts",
        "Poisson counts by counting time, dead time, saturation with a flag",
        "ageing of the tube by experiment and its swing within a scan",
        "phases that an analysis of titania does not expect: hematite, corundum",
    ),
    leaves_out=(
        "axial divergence, absorption contrast, extinction, grain statistics",
        "size distributions, anisotropic broadening, stacking faults",
        "drift between scans by the clock: ageing counts experiments instead",
    ),
    faults=DIFFRACTOMETER_FAULTS,
    repeats=_REPEATS,
)

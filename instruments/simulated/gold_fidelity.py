"""Fidelity cards of the simulated reactors and of the total-scattering instrument."""

from __future__ import annotations

from instruments.simulated.fidelity import FidelityCard
from instruments.simulated.reactor_faults import ROBOT_FAULTS, SCATTERING_FAULTS, SOLUTION_FAULTS

_REPEATS = (
    "bit for bit for the same laboratory seed, instrument name and command id without its "
    "campaign, whatever ran before"
)

_OF_REACTORS = (
    "if asked for: settings that are met only nearly, as the controllers read back; durations with "
    "jitter",
    "stock of what is used up; losses where a line clogs",
)

SOLUTION_REACTOR_CARD = FidelityCard(
    models=(
        "ScattBO's rules: pH sets the size in steps, pressure the distance of neighbours, solvent "
        "the kind of cluster",
        *_OF_REACTORS,
    ),
    leaves_out=(
        "any chemistry: the rules are the author's invention, with no kinetics, yield or failure "
        "to nucleate",
        "the time that a pressure or pH takes to settle",
    ),
    faults=SOLUTION_FAULTS,
    repeats=_REPEATS,
)

ROBOT_REACTOR_CARD = FidelityCard(
    models=(
        "ScattBO's robot: lamps set the size, temperature the distance; two pumps' speeds, one "
        "pump's share and the stirrer the kind; nine of seventeen settings do nothing",
        "volumes that must fill the vessel",
        *_OF_REACTORS,
    ),
    leaves_out=(
        "any chemistry: the rules are the author's invention",
        "wear of the pumps, carry-over between batches, warming and the light of the room",
    ),
    faults=ROBOT_FAULTS,
    repeats=_REPEATS,
)

TOTAL_SCATTERING_CARD = FidelityCard(
    models=(
        "S(Q), F(Q), I(Q) down to small angles and G(r) of gold clusters by Debye's equation, with "
        "their displacements, any range of Q, and Q_damp in G(r)",
        "if asked for: Poisson counts of sample and empty capillary by counting time, with the std "
        "that follows in every curve; a background not quite taken off; a wrong scale of Q",
        "if asked for, of a batch: a minority of another kind, a distribution of sizes, strain, "
        "disorder; nobody records them",
    ),
    leaves_out=(
        "Compton and multiple scattering, absorption, polarisation, dead time",
        "resolution in Q but for the damping of G(r); correlated motion of neighbours",
        "surfaces, ligands, and clusters that scatter together",
    ),
    faults=SCATTERING_FAULTS,
    repeats=_REPEATS,
)

"""Which wishes this room serves, and which cannot be served together."""

from __future__ import annotations

from planners.bayesian.settings import BayesianSettings
from planners.encoding import Encoding
from planners.errors import UnsupportedSpace
from planners.objective import Objective

PER_NAME, MOST_FIRST = 5, 30
"""Experiments that fill the space before a map is refined: so many a name, and at most."""


def first_experiments(encoding: Encoding, objective: Objective, settings: BayesianSettings) -> int:
    """Return how many experiments fill the space before a model chooses.

    A map needs more of them than a best point: a model that believes a quantity smoother than it is
    would follow one border and never look for an island.
    """
    usual = settings.initial_for(encoding.space)
    if settings.n_initial is not None or not objective.maps:
        return usual
    return max(usual, min(PER_NAME * len(encoding.space.names), MOST_FIRST))


def is_served_here(objective: Objective, settings: BayesianSettings) -> bool:
    """Return whether a wish goes beyond a best point at equal prices."""
    return bool(
        objective.maps
        or objective.input_errors
        or settings.cost is not None
        or settings.fidelity is not None
    )


def check_wishes(encoding: Encoding, objective: Objective, settings: BayesianSettings) -> None:
    """Raise UnsupportedSpace for wishes that do not fit the space or one another."""
    if settings.cost is not None:
        settings.cost.check(encoding.space)
    if settings.fidelity is not None:
        settings.fidelity.check(encoding.space)
        if objective.input_errors:
            raise UnsupportedSpace(
                "the settings ask for a choice among fidelities and the objective for robustness "
                "against input errors; no score for both at once is known here. Remove "
                "`fidelity` or `input_errors`"
            )
    if objective.combine == "front" and len(objective.targets) > 1:
        beyond = [
            what
            for what, asked in (
                ("input_errors", bool(objective.input_errors)),
                ("fidelity", settings.fidelity is not None),
            )
            if asked
        ]
        if beyond:
            raise UnsupportedSpace(
                f"a front is wanted together with {' and '.join(beyond)}, which weigh a single "
                'utility; give the targets a `scale` and combine = "weighted", or remove '
                f"{' and '.join(beyond)}"
            )
    settings_columns = encoding.columns[: encoding.n_settings]
    numbers = {c.name for c in settings_columns if c.category is None and c.levels is None}
    for name in objective.input_errors:
        if name not in numbers:
            raise UnsupportedSpace(
                f"`input_errors` has a standard deviation for {name!r}, which is no numeric name "
                f"of the space; there are {', '.join(sorted(numbers)) or 'none'}. Rename or "
                "remove it"
            )

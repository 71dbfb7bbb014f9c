"""Candidates of `xrd.phases`: settings, recipe, and what finds them in a pattern.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from analysis.errors import BadSettings
from analysis.physics.crystal import Crystal
from analysis.xrd.forward import PhaseState, phase_columns
from analysis.xrd.naming import Namer
from analysis.xrd.settings import QuantifySettings
from analysis.xrd.training.ensemble import Networks
from analysis.xrd.training.phases import AGENT, RECIPES, TWO_THETA, Recipe

SCREEN_SIZE = 600.0
"""Crystallite size [Å] of the candidates' patterns in the screen."""


class PhasesSettings(QuantifySettings):
    """What a campaign file says under the agent ``xrd.phases``.

    Attributes
    ----------
    phases : the candidates: names of the structure library, CIFs, or a folder of CIFs.
    excluded : candidates that this sample cannot hold, by what went into it; networks trained for
        all still serve.
    prior_wrong : how often a sample holds something else, or a trace that cannot be named, before
        the pattern is looked at.
    recipe, seed : which of the trained networks are used; ``sdlab train`` makes them.
    """

    excluded: tuple[str, ...] = ()
    recipe: str = "standard"
    seed: int = Field(default=0, ge=0)


def recipe_of(settings: PhasesSettings) -> Recipe:
    """Return the recipe that settings name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    if settings.recipe not in RECIPES:
        raise BadSettings(
            f"{AGENT} has no recipe {settings.recipe!r}; there are {', '.join(RECIPES)}"
        )
    return RECIPES[settings.recipe]


def considered(settings: PhasesSettings, crystals: Sequence[Crystal]) -> list[int]:
    """Return the indices of the candidates that are not excluded.

    Raises
    ------
    BadSettings
        An excluded phase is no candidate, or fewer than two are left.
    """
    names = [c.name for c in crystals]
    strangers = sorted(set(settings.excluded) - set(names))
    if strangers:
        raise BadSettings(
            f"{AGENT} excludes {', '.join(strangers)}, which are no candidates; these are: "
            f"{', '.join(names)}"
        )
    left = [i for i, name in enumerate(names) if name not in settings.excluded]
    if len(left) < 2:
        raise BadSettings(f"{AGENT} excludes all but {len(left)} candidates; leave at least two")
    return left


def namer_of(settings: PhasesSettings, crystals: Sequence[Crystal], networks: Networks) -> Namer:
    """Return what finds the candidates in a pattern.

    Parameters
    ----------
    networks : for exactly these crystals.
    """
    radiation = settings.radiation.radiation()
    resolution = settings.resolution.resolution()
    columns = phase_columns(
        TWO_THETA,
        [PhaseState(c, size=SCREEN_SIZE) for c in crystals],
        radiation=radiation,
        resolution=resolution,
    )
    return Namer(
        crystals,
        networks,
        np.ascontiguousarray(columns.T),
        radiation=radiation,
        resolution=resolution,
        texture=settings.texture,
    )

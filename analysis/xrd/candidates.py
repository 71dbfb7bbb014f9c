"""Candidates of `xrd.phases`: settings, recipe, and what finds them in a pattern.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, model_validator

from analysis.errors import BadSettings
from analysis.physics.crystal import Crystal
from analysis.trainers import named_recipe
from analysis.xrd.artefacts import Span, wider
from analysis.xrd.forward import PhaseState, phase_columns
from analysis.xrd.naming import Namer
from analysis.xrd.settings import QuantifySettings
from analysis.xrd.training.ensemble import Networks
from analysis.xrd.training.phases import AGENT, RECIPES, TWO_THETA, Recipe

Positive = tuple[PositiveFloat, PositiveFloat]

SCREEN_SIZE = 600.0
"""Crystallite size [Å] of the candidates' patterns in the screen."""


class RangesSettings(BaseModel):
    """Artefacts as in `analysis.xrd.artefacts.Ranges`; None leaves what the recipe has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strain: float | None = Field(default=None, ge=0, le=0.1)
    size: Positive | None = None
    microstrain: Positive | None = None
    w: Positive | None = None
    displacement: float | None = Field(default=None, ge=0, le=1)
    background: Positive | None = None
    rise: Span | None = None
    counts: Positive | None = None
    start: Positive | None = None
    end: Positive | None = None

    @model_validator(mode="after")
    def _rising(self) -> RangesSettings:
        for name, value in self.model_dump(exclude_none=True).items():
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"{name} runs from {value[0]:g} to {value[1]:g}; it must rise")
        return self


class PhasesSettings(QuantifySettings):
    """What a campaign file says under the agent ``xrd.phases``.

    Attributes
    ----------
    phases : the candidates: names of the structure library, CIFs, or a folder of CIFs.
    excluded : candidates that this sample cannot hold, by what went into it; networks trained for
        all still serve.
    prior_wrong : how often a sample holds something else, or a trace that cannot be named, before
        the pattern is looked at.
    ranges : artefacts that the networks learn from, where they differ from the recipe's; what
        ``sdlab adapt`` writes. See `analysis.xrd.artefacts.Ranges`.
    recipe, seed : which of the trained networks are used; ``sdlab train`` makes them.
    """

    excluded: tuple[str, ...] = ()
    ranges: RangesSettings = Field(default_factory=RangesSettings)
    recipe: str = "standard"
    seed: int = Field(default=0, ge=0)


def recipe_of(settings: PhasesSettings) -> Recipe:
    """Return the recipe that settings name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    recipe = named_recipe(settings.recipe, RECIPES, agent=AGENT)
    told = settings.ranges.model_dump(exclude_none=True)
    if not told:
        return recipe
    learnt = replace(recipe.ranges, **told)
    return replace(recipe, ranges=learnt, unseen=wider(recipe.unseen, learnt))


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

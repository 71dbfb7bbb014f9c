"""What a choice among actions rests on, in sentences for a chemist."""

from __future__ import annotations

from collections.abc import Sequence

from planners.actions.scene import Scene
from planners.actions.weighing import Weighed
from planners.actions.worths import foretold_by, p_wrong_now
from planners.grounds import point_in_words
from planners.objective import Objective
from planners.proposal import Grounds

MOST_TOLD = 4
"""Runners-up and readings that are told."""

DOUBTED = 0.1
"""Probability of being wrong from which a reading is named."""


def grounds_of(
    scene: Scene, weighed: Sequence[Weighed], objective: Objective, new: Grounds
) -> Grounds:
    """Return what the choice of the first action rests on.

    Parameters
    ----------
    weighed : all actions, best first.
    new : what the planner said of its new experiment; kept where that is chosen.
    """
    best = weighed[0]
    units = {t.quantity: t.unit for t in objective.targets}
    others = sorted(weighed[1:], key=lambda w: not w.is_new)  # a new experiment is always told
    prices = tuple(_price(best, other) for other in others[:MOST_TOLD])
    if best.is_new:
        return new.model_copy(update={"would_change": (*new.would_change, *prices)})
    reduces = _of_option(scene, best, units) if best.option else _of_replicate(best, units)
    return Grounds(
        reduces=reduces,
        evidence=(_samples(scene), *_doubted(scene)),
        would_change=prices,
    )


def _price(best: Weighed, other: Weighed) -> str:
    """Return at which price another action would have been chosen."""
    told = f"To {other.what} is worth {other.worth:.3g} for a cost of {other.cost:.3g}"
    if other.worth <= 0.0:
        return f"{told}: no outcome would change what is recommended, so no price would do."
    if best.worth <= 0.0:
        return f"{told}; it was as good as the choice."
    return f"{told}; below {other.worth / best.rate:.3g} it would have been chosen."


def _of_option(scene: Scene, best: Weighed, units: dict[str, str]) -> tuple[str, ...]:
    assert best.option is not None
    row, told = best.option.row, foretold_by(scene, best.option)
    said = []
    for quantity, left in told.left.items():
        unit = f" {units[quantity]}" if units.get(quantity) else ""
        entry = scene.entries[row].get(quantity)
        after = left.variance**0.5
        if entry is None:
            said.append(f"{quantity} of this sample is not known; ± {after:.2g}{unit} is expected.")
            continue
        said.append(
            f"{quantity} of this sample is {entry.value:.4g} ± {entry.own**0.5:.2g}{unit}; "
            f"± {after:.2g}{unit} is expected."
        )
    if told.otherwise > 0.0:
        now = p_wrong_now(scene, row)
        said.append(
            f"Its analysis is wrong with probability {now:.2g}, which a further measurement would "
            f"show with probability {told.otherwise:.2g}."
        )
    return tuple(said)


def _of_replicate(best: Weighed, units: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{q} of this recipe is known to ± {p.std:.2g}{f' {units[q]}' if units.get(q) else ''}; a "
        f"sample scatters by ± {p.noise:.2g}."
        for q, p in best.predicted.items()
    )


def _samples(scene: Scene) -> str:
    told = sum(bool(entry) for entry in scene.entries)
    again = sum(o.supersedes is not None for o in scene.observations)
    more = f", {again} of them measured again" if again else ""
    return f"{told} samples{more}."


def _doubted(scene: Scene) -> list[str]:
    doubts = [(p_wrong_now(scene, i), i) for i, e in enumerate(scene.entries) if e]
    named = sorted([d for d in doubts if d[0] >= DOUBTED], reverse=True)[:MOST_TOLD]
    return [
        f"What was read at {{{point_in_words(scene.observations[i].values)}}} was believed to be "
        f"wrong with probability {p:.2g}; its agents say {scene.observations[i].p_wrong:.2g}."
        for p, i in named
    ]

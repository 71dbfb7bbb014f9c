"""Why a point was chosen, by the structure it is foretold to give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.search import Choice
from planners.encoding import Encoding
from planners.proposal import Alternative, Observation, Outlook, Prediction, Reason
from planners.structural.aimed_grounds import aimed_grounds
from planners.structural.aiming import Aim
from planners.structural.foretelling import Foretold

NAMED = 0.05
"""Probability from which an answer is named."""


def reason_for(
    aim: Aim, encoding: Encoding, choices: Sequence[Choice], *, made: Sequence[Observation]
) -> Reason:
    """Return the reason for the first choice, with the others as alternatives.

    ``model`` holds for each number and question the probability that a setting moves it.
    """
    foretold = aim.model.foretell(np.array([c.x for c in choices]))
    predicted = _predictions(foretold, len(choices))
    chance = float(aim.chance(foretold)[0])
    success = 1.0 if aim.success is None else float(aim.success.probability(choices[0].x[None])[0])
    return Reason(
        planner="structure",
        text=_text(aim, choices[0], predicted[0], chance, made),
        acquisition="expected gain of likeness",
        acquisition_value=choices[0].value,
        predicted=predicted[0],
        alternatives=tuple(
            Alternative(values=c.point, acquisition_value=c.value, predicted=p)
            for c, p in zip(choices[1:], predicted[1:], strict=True)
        ),
        model=_relevance(aim),
        outlook=Outlook(probability_of_improvement=success * chance),
        grounds=aimed_grounds(aim, encoding, choices, rules=_relevance(aim), made=made),
    )


def _predictions(foretold: Foretold, n: int) -> list[dict[str, Prediction]]:
    moments = {q: foretold.moments(q) for q in foretold.quantities}
    return [
        {q: Prediction(mean=float(m[i]), std=float(s[i])) for q, (m, s) in moments.items()}
        for i in range(n)
    ]


def _relevance(aim: Aim) -> dict[str, float]:
    moved = {name: model.relevance() for name, model in aim.model.numbers.items()}
    moved[aim.model.functions[0].question] = aim.model.labels.relevance()
    return {
        f"{what} follows {axis}": weight
        for what, by in moved.items()
        for axis, weight in by.items()
    }


def _text(
    aim: Aim,
    choice: Choice,
    predicted: dict[str, Prediction],
    chance: float,
    made: Sequence[Observation],
) -> str:
    numbers, answers = aim.model.structure_at(choice.x[None])
    likely = sorted(answers.items(), key=lambda kv: -kv[1])
    kinds = " or ".join(f"{a} ({p:.2f})" for a, p in likely if p >= NAMED)
    sizes = ", ".join(f"{name} {v:.4g} ± {s:.2g}" for name, (v, s) in numbers.items())
    wanted = ", ".join(f"{q} {p.mean:.3g} ± {p.std:.2g}" for q, p in predicted.items())
    return (
        f"Foretold to make {kinds}, {sizes}; so {wanted}, better than the best structure read "
        f"with probability {chance:.2f}. {_rules(aim)} From {len(aim.reached)} structures read in "
        f"{len(made)} experiments."
    )


def _rules(aim: Aim) -> str:
    """Say which settings move what, as far as it is likelier than not."""
    moved: dict[str, list[str]] = {}
    for rule, weight in _relevance(aim).items():
        what, axis = rule.split(" follows ")
        if weight > 0.5:
            moved.setdefault(what, []).append(axis)
    if not moved:
        return "Nothing is known yet of which setting moves what."
    return "; ".join(f"{what} follows {' and '.join(by)}" for what, by in moved.items()) + "."

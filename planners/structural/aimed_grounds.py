"""What a choice by known functions of structure rests on, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planners.bayesian.search import Choice
from planners.encoding import Encoding
from planners.grounds import point_in_words, runner_up
from planners.proposal import Grounds, Observation
from planners.structural.aiming import Aim

OPEN = 0.2
"""Probability from which, and below one minus which, a rule is neither known nor refuted."""

LIKELY = 0.05
"""Probability from which an answer is named."""

MOST_NAMED = 3


def aimed_grounds(
    aim: Aim,
    encoding: Encoding,
    choices: Sequence[Choice],
    *,
    rules: Mapping[str, float],
    made: Sequence[Observation],
) -> Grounds:
    """Return the grounds of the first choice.

    Parameters
    ----------
    rules : "what follows which setting" → probability.
    made : experiments that gave outcomes.
    """
    return Grounds(
        reduces=(*_unsure(aim, choices[0]), *_open(rules)),
        evidence=(*_known(rules), *_doubted(aim, encoding, made)),
        would_change=tuple(
            runner_up(
                [c.point for c in choices],
                [c.value for c in choices],
                acquisition="expected gain",
            )
        ),
    )


def _unsure(aim: Aim, choice: Choice) -> list[str]:
    """Say what structure is foretold at the chosen point, as far as it is not sure."""
    numbers, answers = aim.model.structure_at(choice.x[None])
    told = []
    likely = sorted((p, a) for a, p in answers.items() if p >= LIKELY)[::-1]
    if len(likely) > 1:
        question = aim.model.functions[0].question
        named = ", ".join(f"{a} {p:.2f}" for p, a in likely)
        told.append(f"{question} there is not sure: {named}.")
    by_doubt = sorted(numbers.items(), key=lambda item: -item[1][1] / max(item[1][0], 1e-12))
    told += [f"{name} there is known to {v:.4g} ± {s:.2g}." for name, (v, s) in by_doubt]
    return told


def _open(rules: Mapping[str, float]) -> list[str]:
    undecided = sorted((abs(p - 0.5), rule, p) for rule, p in rules.items() if OPEN < p < 1 - OPEN)
    return [f"Whether {rule} is open (probability {p:.2f})." for _, rule, p in undecided]


def _known(rules: Mapping[str, float]) -> list[str]:
    sure = sorted(((p, rule) for rule, p in rules.items() if p >= 1 - OPEN), reverse=True)
    return [f"{rule} (probability {p:.2f})." for p, rule in sure]


def _doubted(aim: Aim, encoding: Encoding, made: Sequence[Observation]) -> list[str]:
    """Say which readings are not believed, and how many are."""
    right, read = aim.model.right, aim.model.readings.x
    rows = encoding.encode_observations(made)
    points = {tuple(x): o.values for x, o in zip(rows, made, strict=True)}
    found = []
    for i in np.argsort(right)[:MOST_NAMED]:
        point = points.get(tuple(read[i]))
        if right[i] < 0.5 and point is not None:
            found.append(
                f"What was read at {{{point_in_words(point)}}} is held for wrong with probability "
                f"{1 - right[i]:.2f}; its agents said {aim.model.readings.p_wrong[i]:.2f}."
            )
    found.append(f"{int((right >= 0.5).sum())} of {len(right)} structures were believed.")
    return found

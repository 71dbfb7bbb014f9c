"""An explanation as rows of text, for the terminal and for the page alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.report import words
from orchestrator.report.explained import Chosen
from orchestrator.report.foretold import NORMAL_QUANTILE
from orchestrator.report.grounds import Numbered, headed
from orchestrator.report.labels import quantity_label, quantity_name, unit_text
from planners.explaining import Estimated, Explanation, PointExplained

Units = Mapping[str, str]
"""Setting or quantity → unit."""

METHOD = (
    "± is one standard deviation over other sets of as many experiments. Share of variance: total "
    "Sobol' index of the predicted mean, interactions counted; alone: its first-order index; mean "
    "effect: mean size of the Shapley value over the space; relevance: spread of the setting over "
    "its length scale. The model is the Gaussian process of the planner bayesian, whoever "
    "chose; what it makes of a setting need not be a cause."
)
"""How the numbers are to be read."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of text with what must be said about it."""

    title: str
    headings: list[str]
    cells: list[list[str]]
    note: str = ""


def importance_rows(explained: Explanation, units: Units) -> Rows:
    """Return what every setting is worth to one quantity."""
    unit = unit_text(units.get(explained.quantity, ""))
    return Rows(
        title=f"What matters to the {quantity_name(explained.quantity)}",
        headings=[
            "setting",
            "share of variance",
            "alone",
            f"mean effect ({unit})" if unit else "mean effect",
            "relevance",
        ],
        cells=[
            [
                words.plain(i.name),
                _share(i.total),
                _share(i.first_order),
                _measured(i.shap),
                "–" if i.relevance is None else _share(i.relevance),
            ]
            for i in explained.importances
        ],
        note=" ".join(
            [f"From {words.counted(explained.n_observations, 'value')}.", *explained.remarks]
        ),
    )


def contribution_rows(why: PointExplained, chosen: Chosen, quantity: str, units: Units) -> Rows:
    """Return what each setting of an experiment adds to its prediction."""
    unit = units.get(quantity, "")
    cells = [["average over the space", "", words.number(why.average)]]
    cells += [
        [words.plain(c.name), words.setting(c.setting, units.get(c.name, "")), _signed(c.amount)]
        for c in why.contributions
    ]
    predicted = words.measured(why.predicted.mean, why.predicted.std)
    cells.append(["prediction", "", predicted])
    how = "" if why.exact else " Worked out from random orders of the settings."
    return Rows(
        title=f"Why experiment {chosen.number}: {quantity_label(quantity, unit)}",
        headings=["setting", "at", "adds"],
        cells=cells,
        note=(
            f"From the {words.counted(chosen.known, 'experiment')} known when it was chosen, by "
            f"the Gaussian process of the planner bayesian.{how}"
        ),
    )


def alternative_rows(chosen: Chosen, units: Units) -> Rows | None:
    """Return the chosen point and those weighed and not taken; None if there were none."""
    reason = chosen.reason
    if not reason.alternatives:
        return None
    points = [(chosen.values, reason.acquisition_value, reason.predicted)]
    points += [(a.values, a.acquisition_value, a.predicted) for a in reason.alternatives]
    cells = [
        [quantity_label(n, units.get(n, "")), *(words.setting(v[n]) for v, _, _ in points)]
        for n in chosen.values
    ]
    for q in reason.predicted:
        told = [p.get(q) for _, _, p in points]
        shown = ["–" if p is None else words.measured(p.mean, p.std) for p in told]
        cells.append([quantity_label(q, units.get(q, "")), *shown])
    gains = ["–" if value is None else words.number(value) for _, value, _ in points]
    cells.append([reason.acquisition or "acquisition", *gains])
    return Rows(
        title="Weighed, and not taken",
        headings=["", "taken", *map(str, range(1, len(points)))],
        cells=cells,
        note=f"The higher the {reason.acquisition}, the better." if reason.acquisition else "",
    )


def grounds_rows(chosen: Chosen, known: Numbered) -> Rows | None:
    """Return what the choice rests on; None if its planner does not say."""
    cells = [
        [heading if i == 0 else "", sentence]
        for heading, said in headed(chosen.reason.grounds, known)
        for i, sentence in enumerate(said)
    ]
    return Rows(title="What the choice rests on", headings=["", ""], cells=cells) if cells else None


def outcome_rows(chosen: Chosen, units: Units) -> Rows | None:
    """Return each prediction of the planner beside the outcome; None if it predicted nothing."""
    reason, seen = chosen.reason, chosen.observation
    if not reason.predicted:
        return None
    cells = []
    for quantity, p in reason.predicted.items():
        unit = units.get(quantity, "")
        observed, verdict = "–", "not known"
        if seen is None:
            verdict = "under way"
        elif seen.failed:
            verdict = "failed"
        elif quantity in seen.outcomes:
            value, std = seen.outcomes[quantity], seen.stds.get(quantity)
            observed = words.measured(value, std, unit)
            learnt = p.noise or reason.model.get(f"{quantity}.noise_std", 0.0)
            noise = learnt if std is None else std
            verdict = _verdict(value - p.mean, math.hypot(p.std, noise))
        cells.append(
            [quantity_name(quantity), words.measured(p.mean, p.std, unit), observed, verdict]
        )
    return Rows(
        title="Prediction and outcome",
        headings=["quantity", "predicted", "observed", "off by"],
        cells=cells,
        note=(
            f"It failed: {seen.failure}."
            if seen is not None and seen.failed
            else "Off by: in standard deviations of prediction and noise together; inside or "
            "outside of the 90 % interval."
        ),
    )


def _verdict(off: float, spread: float) -> str:
    if spread <= 0:
        return ""
    inside = "inside" if abs(off) <= NORMAL_QUANTILE * spread else "outside"
    return f"{words.number(off / spread, 2)} std, {inside}"


def _share(e: Estimated) -> str:
    text = f"{100 * e.value:.0f}".replace("-0", "0").replace("-", "−")
    return f"{text} %" if e.std is None else f"{text} ± {100 * e.std:.0f} %"


def _measured(e: Estimated) -> str:
    return words.measured(e.value, e.std) if e.std else words.number(e.value, 3)


def _signed(e: Estimated) -> str:
    text = _measured(e)
    return text if text.startswith("−") else f"+{text}"

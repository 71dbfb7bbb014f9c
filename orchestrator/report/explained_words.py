"""An explanation as rows of text, for the terminal and for the page alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.report import words
from orchestrator.report.explained import Chosen
from orchestrator.report.foretold import NORMAL_QUANTILE
from orchestrator.report.labels import quantity_label, quantity_name
from planners.explaining import Estimated, Explanation, PointExplained

Units = Mapping[str, str]
"""Setting or quantity → unit."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of text with what must be said about it."""

    title: str
    headings: list[str]
    cells: list[list[str]]
    note: str = ""


def importance_rows(explained: Explanation, units: Units) -> Rows:
    """Return what every setting is worth to one quantity."""
    unit = words.spaced(units.get(explained.quantity, ""))
    return Rows(
        title=f"What matters to the {quantity_name(explained.quantity)}",
        headings=["setting", "share of variance", "alone", f"mean effect{unit}", "relevance"],
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
        note=(
            f"From {words.counted(explained.n_observations, 'value')}; ± over other sets of as "
            "many experiments. Share of variance: total Sobol' index, interactions counted; alone: "
            "first-order index; mean effect: mean size of the Shapley value; relevance: spread "
            "over length scale. " + " ".join(explained.remarks)
        ).rstrip(),
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
    quantities = list(reason.predicted)
    names = list(chosen.values)
    rows = [("taken", chosen.values, reason.acquisition_value, reason.predicted)]
    rows += [
        (str(i), a.values, a.acquisition_value, a.predicted)
        for i, a in enumerate(reason.alternatives, start=1)
    ]
    return Rows(
        title="Weighed, and not taken",
        headings=[
            "",
            *(quantity_label(n, units.get(n, "")) for n in names),
            reason.acquisition or "acquisition",
            *(f"predicted {quantity_label(q, units.get(q, ''))}" for q in quantities),
        ],
        cells=[
            [
                label,
                *(words.setting(values[n]) for n in names),
                "–" if value is None else words.number(value),
                *(
                    words.measured(predicted[q].mean, predicted[q].std) if q in predicted else "–"
                    for q in quantities
                ),
            ]
            for label, values, value, predicted in rows
        ],
        note=f"The higher the {reason.acquisition}, the better." if reason.acquisition else "",
    )


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
            verdict = f"failed: {seen.failure}"
        elif quantity in seen.outcomes:
            value, std = seen.outcomes[quantity], seen.stds.get(quantity)
            observed = words.measured(value, std, unit)
            noise = std if std is not None else reason.model.get(f"{quantity}.noise_std", 0.0)
            verdict = _verdict(value - p.mean, math.hypot(p.std, noise))
        cells.append(
            [quantity_name(quantity), words.measured(p.mean, p.std, unit), observed, verdict]
        )
    return Rows(
        title="Prediction and outcome",
        headings=["quantity", "predicted", "observed", ""],
        cells=cells,
    )


def _verdict(off: float, spread: float) -> str:
    if spread <= 0:
        return ""
    inside = "inside" if abs(off) <= NORMAL_QUANTILE * spread else "outside"
    return f"{words.number(off / spread, 2)} standard deviations off, {inside} the 90 % interval"


def _share(e: Estimated) -> str:
    text = f"{100 * e.value:.0f}".replace("-0", "0").replace("-", "−")
    return f"{text} %" if e.std is None else f"{text} ± {100 * e.std:.0f} %"


def _measured(e: Estimated) -> str:
    return words.measured(e.value, e.std) if e.std else words.number(e.value, 3)


def _signed(e: Estimated) -> str:
    text = _measured(e)
    return text if text.startswith("−") else f"+{text}"

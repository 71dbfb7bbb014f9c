"""What every setting is worth, for the report of a campaign: bars with their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.report import words
from orchestrator.report.labels import axis_label, quantity_name
from orchestrator.report.plots import BLUE, GREY, ORANGE, Plot, Trace
from orchestrator.report.story import Story

if TYPE_CHECKING:
    from planners.explaining import Estimated, Explanation

FEWEST, MOST = 5, 150
"""Results from which importances say something, and up to which a page is written quickly."""

MOST_TARGETS = 3

MOST_NAMES = 12


def importance_plots(story: Story) -> tuple[list[Plot], str]:
    """Return one plot a target with how to read them, or why there is none."""
    if story.campaign is None:
        return [], "It is not known, because the campaign file cannot be understood."
    n = len(story.good)
    if not FEWEST <= n <= MOST:
        return [], (
            f"It is worked out from {FEWEST} to {MOST} results, and there "
            f"{'is' if n == 1 else 'are'} {n}."
            + (f" `sdlab explain {story.record.id}` takes its time for it." if n > MOST else "")
        )
    found = [
        e
        for t in story.campaign.objective.targets[:MOST_TARGETS]
        for e in _explained(story, t.quantity)
    ]
    if not found:
        return [], "It is not known: the results so far do not allow a surrogate model."
    remarks = " ".join(dict.fromkeys(remark for e in found for remark in e.remarks))
    return [_plot(story, e) for e in found], (
        "Share of the variance of the predicted mean over the whole space that comes from each "
        "setting, alone and with its interactions (Sobol' indices), and the mean size of its "
        f"effect (Shapley values). Bars are ± one standard deviation over other sets of as many "
        f"experiments. {remarks}"
    ).rstrip()


def _explained(story: Story, quantity: str) -> list[Explanation]:
    # The surrogate need not be loaded for a page without results.
    from orchestrator.report.explained import stream, understood
    from planners.errors import PlanningError
    from planners.explaining import explain

    campaign, space = understood(story)
    told = [o for _, o in story.done]
    try:
        rng = stream(story, len(told))
        return [explain(space, campaign.objective, told, quantity=quantity, n_slices=0, rng=rng)]
    except PlanningError:
        return []


def _plot(story: Story, explained: Explanation) -> Plot:
    shown = explained.importances[:MOST_NAMES][::-1]
    names = [words.shown(words.plain(i.name)) for i in shown]
    unit = story.units.get(explained.quantity, "")
    quantity = quantity_name(explained.quantity)
    return Plot(
        name=f"importance-{story.quantities.index(explained.quantity)}",
        label=f"what each setting is worth to the {quantity}",
        traces=[
            _bars("alone", names, [i.first_order for i in shown], GREY, "x"),
            _bars("with interactions", names, [i.total for i in shown], BLUE, "x"),
            _bars("mean effect", names, [i.shap for i in shown], ORANGE, "x2"),
        ],
        layout={
            "title": {
                "text": words.shown(quantity),
                "font": {"size": 14},
                "x": 0.02,
                "xanchor": "left",
            },
            "barmode": "group",
            "grid": {"rows": 1, "columns": 2, "subplots": [["xy", "x2y"]], "xgap": 0.06},
            "xaxis": {"title": {"text": "share of the variance"}, "range": [0, 1.05]},
            "xaxis2": {
                "title": {"text": words.shown(axis_label("mean effect", unit))},
                "rangemode": "tozero",
            },
            "yaxis": {"type": "category", "automargin": True},
        },
        height=150 + 50 * len(shown),
    )


def _bars(name: str, names: list[str], found: list[Estimated], colour: str, axis: str) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": names,
        "x": [max(e.value, 0.0) for e in found],
        "error_x": {"type": "data", "array": [e.std or 0.0 for e in found], "thickness": 1.2},
        "marker": {"color": colour},
        "xaxis": axis,
        "yaxis": "y",
        "hovertemplate": "%{y}: %{x:.3g}<extra>" + name + "</extra>",
    }

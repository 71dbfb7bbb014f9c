"""Did the planner know how little it knew? Predictions against what was then observed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import binom

from orchestrator.report import words
from orchestrator.report.labels import axis_label, quantity_name
from orchestrator.report.plots import BLUE, GREY, Plot, hover, span
from orchestrator.report.story import Story

LEVEL = 0.9
"""Probability that an honest interval holds the observed value."""

FEWEST = 8
"""Predictions below which no verdict is given."""

NORMAL_QUANTILE = 1.6448536269514722
"""Half width of the central 90 % of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """A quantity as it was predicted before an experiment, and as it was observed.

    Attributes
    ----------
    observed_std : standard deviation of the observed value; None if unknown.
    """

    number: int
    mean: float
    std: float
    observed: float
    observed_std: float | None

    @property
    def holds(self) -> bool:
        """Whether the 90 % interval, widened by the noise of the observation, has the value."""
        width = math.hypot(self.std, self.observed_std or 0.0)
        return abs(self.observed - self.mean) <= NORMAL_QUANTILE * width


def foretold(story: Story, quantity: str) -> list[Foretold]:
    """Return every prediction of a quantity that was followed by an observation of it."""
    found = []
    for number, observation in story.good:
        predicted = story.by_number[number].proposal.reason.predicted.get(quantity)
        if predicted is not None and quantity in observation.outcomes:
            found.append(
                Foretold(
                    number=number,
                    mean=predicted.mean,
                    std=predicted.std,
                    observed=observation.outcomes[quantity],
                    observed_std=observation.stds.get(quantity),
                )
            )
    return found


def calibration_plots(story: Story) -> list[Plot]:
    """Return predicted against observed, one plot a quantity with predictions."""
    rows = {q: foretold(story, q) for q in story.quantities}
    return [_plot(story, q, found) for q, found in rows.items() if found]


def coverage(found: list[Foretold]) -> str:
    """Return how often the 90 % intervals held the observed value, and what luck alone allows."""
    n, held = len(found), sum(f.holds for f in found)
    low, high = binom.interval(LEVEL, n, LEVEL)
    verdict = "The planner knew how little it knew."
    if n < FEWEST:
        verdict = "These are too few to judge by."
    elif held < low:
        verdict = "The planner was too sure."
    elif held > high:
        verdict = "The planner was too careful."
    return (
        f"The 90 % intervals held the observed value in {held} of {words.counted(n, 'case')} "
        f"({words.percent(held / n)}). Honest intervals hold {int(low)} to {int(high)} of {n} in "
        f"nine campaigns out of ten. {verdict}"
    )


def _plot(story: Story, quantity: str, found: list[Foretold]) -> Plot:
    name, unit = quantity_name(quantity), story.units.get(quantity, "")
    observations = dict(story.good)
    ends = span(
        [f.observed for f in found]
        + [f.mean - f.std for f in found]
        + [f.mean + f.std for f in found]
    )
    return Plot(
        name=f"calibration-{story.quantities.index(quantity)}",
        label=f"predicted against observed {name}",
        traces=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "perfect",
                "x": list(ends),
                "y": list(ends),
                "line": {"color": GREY, "dash": "dash", "width": 1.2},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": "experiment ± std",
                "x": [f.observed for f in found],
                "y": [f.mean for f in found],
                "error_x": _bars([f.observed_std or 0.0 for f in found]),
                "error_y": _bars([f.std for f in found]),
                "marker": {"color": BLUE, "size": 7},
                "text": [
                    _told(story, f, quantity) + hover(story, f.number, observations[f.number])
                    for f in found
                ],
                "hoverinfo": "text",
            },
        ],
        layout={
            "xaxis": {"title": {"text": words.shown(f"observed {axis_label(name, unit)}")}},
            "yaxis": {"title": {"text": words.shown(f"predicted {axis_label(name, unit)}")}},
        },
        caption=coverage(found),
        height=420,
    )


def _told(story: Story, f: Foretold, quantity: str) -> str:
    told = words.measured(f.mean, f.std, story.units.get(quantity, ""))
    return words.shown(f"predicted {told}") + "<br>"


def _bars(stds: list[float]) -> dict[str, object]:
    return {"type": "data", "array": stds, "thickness": 1, "width": 0, "color": "#7fb8d9"}

"""The table of all experiments: settings, outcomes, doubts, and why each was made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.acting.words import again_in_words
from orchestrator.report import words
from orchestrator.report.grounds import headed
from orchestrator.report.labels import axis_label, quantity_label
from orchestrator.report.rereading import further_ones, latest
from orchestrator.report.story import DOUBTFUL, Story
from orchestrator.store.records import ActionRecord, Experiment
from planners.parameters import Value

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    sort : what the column is sorted by: a number, or text.
    small : a second line.
    more : what unfolds below.
    """

    text: str
    sort: float | str | None = None
    small: str = ""
    more: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment.

    Attributes
    ----------
    mark : ``best``, ``failed``, ``doubtful``, ``running`` or empty.
    """

    cells: list[Cell]
    mark: str


def headings(story: Story) -> list[str]:
    """Return the headings of the table, with units."""
    units = story.units
    return [
        "#",
        *(axis_label(n, units.get(n, "")) for n in story.settings),
        *(quantity_label(q, units.get(q, "")) for q in story.quantities),
        "analysis wrong",
        "remarks",
        "why it was made",
    ]


def rows(story: Story) -> list[Row]:
    """Return one row an experiment, in the order of their numbers."""
    front = set(story.front) if story.is_front else set()
    return [Row(_cells(story, e), _mark(story, e, front)) for e in story.experiments]


def _mark(story: Story, experiment: Experiment, front: set[int]) -> str:
    observation = experiment.observation
    if observation is None:
        return "running"
    if observation.failed:
        return "failed"
    if experiment.number == story.best or experiment.number in front:
        return "best"
    return "doubtful" if observation.p_wrong > DOUBTFUL else ""


def _cells(story: Story, experiment: Experiment) -> list[Cell]:
    observation = experiment.observation
    made = experiment.proposal.values if observation is None else observation.values
    cells = [Cell(str(experiment.number), float(experiment.number), number=True)]
    cells += [_setting(experiment, name, made.get(name)) for name in story.settings]
    cells += [_outcome(experiment, quantity) for quantity in story.quantities]
    return [*cells, _doubt(experiment), _remarks(story, experiment), _why(story, experiment)]


def _doubt(experiment: Experiment) -> Cell:
    """Return how likely the analysis is wrong; a dash where no agent could tell."""
    observation = experiment.observation
    assessed = any(i.p_wrong is not None for i in experiment.insights)
    if observation is None or observation.failed or not (assessed or observation.p_wrong):
        return Cell("–", number=True)
    return Cell(words.percent(observation.p_wrong), observation.p_wrong, number=True)


def _setting(experiment: Experiment, name: str, value: Value | None) -> Cell:
    if value is None:
        return Cell("–")
    asked = experiment.proposal.values.get(name)
    differs = asked is not None and _rounded(asked) != _rounded(value)
    small = f"asked {_rounded(asked)}" if differs and asked is not None else ""
    return Cell(words.setting(value), value, small=small, number=not isinstance(value, str))


def _rounded(value: Value) -> str:
    return value if isinstance(value, str) else words.number(value)


def _outcome(experiment: Experiment, quantity: str) -> Cell:
    predicted = experiment.proposal.reason.predicted.get(quantity)
    small = (
        "" if predicted is None else f"predicted {words.measured(predicted.mean, predicted.std)}"
    )
    observation = experiment.observation
    if observation is None or quantity not in observation.outcomes:
        return Cell("–", small=small, number=True)
    value = observation.outcomes[quantity]
    text = words.measured(value, observation.stds.get(quantity))
    return Cell(text, value, small=small, number=True)


def _remarks(story: Story, experiment: Experiment) -> Cell:
    observation = experiment.observation
    found: list[str] = []
    if observation is None:
        found.append("under way")
    elif observation.failed:
        found.append(f"Failed: {observation.failure}")
    found += _again(story, experiment)
    found += [f"instrument warns: {', '.join(m.flags)}" for m in experiment.measurements if m.flags]
    if observation is None or not observation.failed:
        found += [further_ones(experiment)] if further_ones(experiment) else []
        found += [remark for i in latest(experiment) for remark in i.remarks]
    found += list(experiment.sample.notes) if experiment.sample is not None else []
    text = story.in_words("; ".join(dict.fromkeys(found)))
    return Cell(text, text)


def _again(story: Story, experiment: Experiment) -> list[str]:
    """Return that an experiment measured an earlier sample, or that its own was measured later."""
    again, number = experiment.proposal.measure_again, experiment.number
    later = [n for n, o in story.ended if o.supersedes == number]
    told = [f"superseded by experiment {n}, which measured the sample again" for n in later]
    return told if again is None else [again_in_words(again, story.campaign), *told]


def _why(story: Story, experiment: Experiment) -> Cell:
    reason = experiment.proposal.reason
    first, *rest = _SENTENCE_END.split(story.in_words(reason.text.strip()), maxsplit=1) or [""]
    model = ""
    if reason.acquisition is not None and reason.acquisition_value is not None:
        model = f" {reason.acquisition} = {words.number(reason.acquisition_value)}."
    grounds = " ".join(s for _, said in headed(reason.grounds, story.done) for s in said)
    more = f"{rest[0] if rest else ''}{model} {story.in_words(grounds)}"
    return Cell(first, first, small="", more=more.strip())


@dataclass(frozen=True, slots=True)
class Mishap:
    """One physical action that did not succeed."""

    number: int
    step: str
    instrument: str
    attempt: int
    text: str


def mishaps(actions: Sequence[ActionRecord]) -> list[Mishap]:
    """Return the physical actions that failed, were refused, or whose end nobody knows."""
    return [
        Mishap(a.number, a.step, a.instrument, a.attempt + 1, _became(a))
        for a in actions
        if a.settled is None or a.error or a.fault
    ]


def _became(action: ActionRecord) -> str:
    if action.settled is None:
        return "nobody knows how it ended"
    fault = f"{words.plain(action.fault)}: " if action.fault else ""
    return f"{words.plain(action.settled)}: {fault}{action.error}".rstrip(": ")

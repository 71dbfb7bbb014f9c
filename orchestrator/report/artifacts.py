"""What the Prefect page shows of a campaign: Markdown with figures, a table, a progress bar.

Only rendered here, from records; who sends it where is not known in this room.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.insight import Curve, Estimate
from instruments.measurement import Measurement
from orchestrator.acting.current import current
from orchestrator.acting.words import again_in_words
from orchestrator.campaign import Campaign
from orchestrator.fronts import front_of
from orchestrator.report.figures import Picture, landscape, pattern, phase_fractions, progress
from orchestrator.report.figures.landscape import Map
from orchestrator.report.fits import fits, told_apart
from orchestrator.report.foretold import expected
from orchestrator.report.front import size_in_words
from orchestrator.report.grounds import as_markdown
from orchestrator.report.labels import quantity_name
from orchestrator.report.rereading import latest
from orchestrator.report.turn_belief import belief_after
from orchestrator.report.words import measured, number, plain, settings, spaced
from orchestrator.run import Run
from orchestrator.store.records import Experiment
from orchestrator.trust.wording import alarms_of
from orchestrator.trust.words import alarm_line
from planners.proposal import Observation

_BEST = 10
_MOST_COLUMNS = 5
_FRACTION = re.compile(r"\.(?:weight|phase|mole|volume)_fraction\.(?P<phase>[^.]+)$")

Fractions = Mapping[str, Estimate]
"""Phase → fraction."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something to show beside a flow run.

    Attributes
    ----------
    key : stays the same from turn to turn, so that the page keeps the versions as a history;
        lower-case letters, digits and dashes only.
    data : Markdown, a JSON list of rows, or per cent.
    """

    kind: Literal["markdown", "table", "progress"]
    key: str
    data: str | float
    description: str


@dataclass(frozen=True, slots=True)
class View:
    """What is needed to show one finished turn.

    Attributes
    ----------
    observations : what is known of each sample, under the number of the experiment that made it.
    ended : every finished experiment, by number.
    patterns : title → fitted pattern, or measured pattern where none was fitted.
    fractions : experiment → phase → fraction.
    alarms : that are on, as sentences.
    """

    campaign_id: str
    campaign: Campaign
    experiment: Experiment
    observations: Sequence[tuple[int, Observation]]
    patterns: Mapping[str, Curve]
    fractions: Mapping[int, Fractions]
    ended: Sequence[tuple[int, Observation]]
    alarms: Sequence[str] = ()


def gather(
    run: Run,
    number: int,
    *,
    fractions: MutableMapping[int, Fractions] | None = None,
) -> View:
    """Return what is needed to show a finished turn, read from the history.

    Parameters
    ----------
    fractions : memory of the calls before, so that no experiment is read twice; added to.

    Raises
    ------
    LookupError
        The history does not know the experiment.
    """
    experiment = run.history.experiment(run.id, number)
    if experiment is None:
        raise LookupError(f"the history of {run.id} has no experiment {number}")
    ended = run.history.observations(run.id)
    known = {} if fractions is None else fractions
    for n, _ in ended:
        if n not in known:
            told = experiment if n == number else run.history.experiment(run.id, n)
            known[n] = _fractions(told)
    patterns = _patterns(run, experiment)
    alarms = [alarm_line(alarm) for alarm in alarms_of(run.history.events(run.id))]
    return View(run.id, run.campaign, experiment, current(ended), patterns, known, ended, alarms)


def render(view: View) -> list[Artifact]:
    """Return everything to show of a finished turn, drawn."""
    slug = re.sub(r"[^a-z0-9]+", "-", view.campaign_id.lower()).strip("-")
    number, name = view.experiment.number, view.campaign.name
    artifacts = [
        Artifact("markdown", f"campaign-{slug}", _campaign_page(view), f"{name}: how it stands"),
        Artifact("markdown", f"experiment-{slug}", _experiment_page(view), f"experiment {number}"),
        Artifact("table", f"best-{slug}", json.dumps(_best_rows(view)), "the best experiments"),
        Artifact("progress", f"budget-{slug}", _share(view), "experiments of the budget"),
    ]
    belief = belief_after(
        view.campaign,
        [o for _, o in view.observations],
        learnt=view.experiment.proposal.reason.model,
    )
    if belief is not None:
        page = _landscape(view, belief).markdown()
        artifacts.append(
            Artifact("markdown", f"landscape-{slug}", page, "what the planner believes")
        )
    return artifacts


def ranked(view: View) -> list[tuple[int, Observation]]:
    """Return the experiments that told everything, best first; broken constraints last."""
    objective = view.campaign.objective
    complete = [(n, o) for n, o in view.observations if objective.is_complete(o.outcomes)]
    return sorted(complete, key=lambda item: objective.rank(item[1].outcomes), reverse=True)


def _campaign_page(view: View) -> str:
    campaign, done = view.campaign, len(view.ended)
    failed = sum(o.failed for _, o in view.ended)
    best = ranked(view)[:1]
    lines = [
        f"# {campaign.name}",
        campaign.description,
        *(f"> **Alarm:** {alarm}" for alarm in view.alarms),
        f"**{done} of {campaign.budget.experiments} experiments**, {failed} failed. "
        + (_best_so_far(view) if best else "None gave a result yet."),
        progress(view.observations, campaign.objective, title=f"{done} experiments").markdown(),
        "## Best experiments",
        _markdown_table(_best_rows(view)) if best else "None yet.",
    ]
    if any(view.fractions.values()):
        lines += ["## Phases", phase_fractions(view.fractions, title="phases found").markdown()]
    return "\n\n".join(line for line in lines if line)


def _best_so_far(view: View) -> str:
    """Return which experiment is best, or for a front which are on it and how much it dominates."""
    objective = view.campaign.objective
    found = front_of(objective, [o for _, o in view.observations])
    if found is None:
        return f"Best so far: experiment {ranked(view)[0][0]}."
    listed = ", ".join(str(view.observations[i][0]) for i in found.members)
    return f"On the front: experiments {listed}. {size_in_words(objective, found)}"


def _experiment_page(view: View) -> str:
    experiment, units = view.experiment, _units(view.campaign)
    reason = experiment.proposal.reason
    lines = [
        f"# Experiment {experiment.number}",
        f"**Proposed** {_proposed(view, units)}",
        f"**Why** {reason.planner}: {reason.text}",
        *([f"**Outlook** {hope}"] if reason.outlook and (hope := expected(reason.outlook)) else []),
        *([told] if (told := as_markdown(reason.grounds, view.observations)) else []),
        _outcome(view),
    ]
    for title, curve in view.patterns.items():
        lines.append(pattern(curve, title=title).markdown())
    lines += [f"> {i.agent}: {remark}" for i in latest(experiment) for remark in i.remarks]
    return "\n\n".join(lines)


def _proposed(view: View, units: Mapping[str, str]) -> str:
    """Return the settings of a new sample, or which one is measured again, and how."""
    proposal = view.experiment.proposal
    if proposal.measure_again is not None:
        return again_in_words(proposal.measure_again, view.campaign)
    return settings(proposal.values, units)


def _outcome(view: View) -> str:
    """Return what came out beside what was predicted."""
    observation = view.experiment.observation
    if observation is None:
        return "It has not ended."
    if observation.failed:
        return f"**Failed** {observation.failure}"
    units = _units(view.campaign)
    predicted = view.experiment.proposal.reason.predicted
    rows = []
    for quantity, value in observation.outcomes.items():
        unit, guess = units.get(quantity, ""), predicted.get(quantity)
        rows.append(
            {
                "quantity": quantity_name(quantity),
                "measured": measured(value, observation.stds.get(quantity), unit),
                "predicted": measured(guess.mean, guess.std, unit) if guess else "–",
            }
        )
    doubt = f"\n\nThe analysis is wrong with probability {observation.p_wrong:.2g}."
    return _markdown_table(rows) + (doubt if observation.p_wrong else "")


def _best_rows(view: View) -> list[dict[str, str | int]]:
    units = _units(view.campaign)
    rows = []
    for n, observation in ranked(view)[:_BEST]:
        row: dict[str, str | int] = {"experiment": n}
        for quantity in view.campaign.objective.quantities:
            value, std = observation.outcomes[quantity], observation.stds.get(quantity)
            row[quantity_name(quantity)] = measured(value, std, units.get(quantity, ""))
        row.update(_settings_columns(observation, units))
        rows.append(row)
    return rows


def _settings_columns(observation: Observation, units: Mapping[str, str]) -> dict[str, str]:
    """Return a column a setting, or one column for many; the page cuts wide tables off."""
    if len(observation.values) > _MOST_COLUMNS:
        return {"settings": settings(observation.values, units)}
    return {
        plain(name): value if isinstance(value, str) else number(value, 3) + spaced(units[name])
        for name, value in observation.values.items()
    }


def _landscape(view: View, belief: Map) -> Picture:
    units = _units(view.campaign)
    first, second = belief.names
    return landscape(
        belief,
        view.observations,
        units=(units.get(first, ""), units.get(second, "")),
        title=f"what the planner believes after {len(view.observations)} experiments",
    )


def _share(view: View) -> float:
    return min(100.0 * len(view.ended) / view.campaign.budget.experiments, 100.0)


def _units(campaign: Campaign) -> dict[str, str]:
    """Return setting or quantity → unit."""
    units = {name: p.unit for p in campaign.space.parameters for name in p.names}
    units |= {bound.quantity: bound.unit for bound in campaign.objective.constraints}
    return units | {target.quantity: target.unit for target in campaign.objective.targets}


def _fractions(experiment: Experiment | None) -> dict[str, Estimate]:
    found = {}
    for insight in experiment.insights if experiment is not None else ():
        for key, estimate in insight.estimates.items():
            if match := _FRACTION.search(key):
                found[match["phase"]] = estimate
    return found


def _patterns(run: Run, experiment: Experiment) -> dict[str, Curve]:
    """Return each agent's fitted pattern; without any, the patterns as measured."""
    start = f"experiment {experiment.number}"
    found = {}
    for summary in experiment.insights:
        rwp = summary.quality.get("rwp")
        quality = "" if rwp is None else f" · Rwp {100 * rwp:.1f} %"
        shown = fits(run.history.insight(summary.id).evidence) if summary.evidence else {}
        for name, curve in shown.items():
            found[f"{start} · {summary.agent}{told_apart(shown, name)}{quality}"] = curve
    if found:
        return found
    curves = [run.history.measurement(m.id) for m in experiment.measurements if m.n_points]
    return {f"{start} · {m.technique} as measured": _as_curve(m) for m in curves}


def _as_curve(measurement: Measurement) -> Curve:
    return Curve(
        x=measurement.x,
        x_name=measurement.x_name,
        x_unit=measurement.x_unit,
        columns={"observed": measurement.y},
        y_unit=measurement.y_unit,
    )


def _markdown_table(rows: Sequence[Mapping[str, str | int]]) -> str:
    head = list(rows[0])
    lines = [head, ["---"] * len(head)]
    lines += [[str(row[h]).replace("|", "\\|") for h in head] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

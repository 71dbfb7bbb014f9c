"""Campaigns and experiments as text on a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from orchestrator.acting.current import current
from orchestrator.acting.words import again_in_words
from orchestrator.campaign import Campaign
from orchestrator.errors import BadFile, UnknownCampaign
from orchestrator.launch import recorded_campaign
from orchestrator.people.wishing import how_it_stands
from orchestrator.report.disagreements import about_disagreements, disagreements
from orchestrator.report.foretold import expected, foretold, inside, latest_outlook, own_count
from orchestrator.report.grounds import as_lines
from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord, Experiment
from orchestrator.trust.recorded import judge
from orchestrator.trust.wording import ALARM, ODD, TRUTH
from orchestrator.trust.words import alarm_line, coverage_line
from planners.parameters import Value

console = Console(highlight=False, soft_wrap=True)


def understood(record: CampaignRecord) -> Campaign | None:
    """Return the campaign of a record, None if this version does not understand its file."""
    try:
        return recorded_campaign(record)[0]
    except BadFile:
        return None


def show_campaign(store: Store, record: CampaignRecord) -> None:
    """Print how a campaign stands and a line for each of its experiments."""
    status, message = how_it_stands(store, record)
    console.print(f"[bold]{record.name}[/]  {record.id}  {status}")
    if message:
        console.print(f"  {message}")
    console.print(f"  seed {record.seed} · campaign {record.campaign_source}")
    console.print(f"  laboratory {record.laboratory_source}")
    experiments = store.experiments(record.id)
    if not experiments:
        console.print("  no experiment yet")
        return
    table = Table(box=None, pad_edge=False)
    settings = list(experiments[0].proposal.values)
    quantities = _quantities(experiments)
    for heading in ("#", *settings, *(q.replace(".", "\n") for q in quantities)):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remark", ratio=1)
    campaign, superseded = understood(record), _superseded(experiments)
    for e in experiments:
        remark = _remark(e, campaign, superseded)
        table.add_row(str(e.number), *_settings(e), *_outcomes(e, quantities), remark)
    console.print(table)
    show_calibration(experiments, quantities)
    if counted := about_disagreements(disagreements(store.events(record.id))):
        console.print(f"  disputes  {counted}")
    show_trust(store, record, campaign, experiments)


def show_calibration(experiments: list[Experiment], quantities: list[str]) -> None:
    """Print how often predictions came true, and what the model expects now; nothing without."""
    counted = {q: foretold(experiments, q) for q in quantities}
    for quantity, found in counted.items():
        if found:
            console.print(f"  predicted {quantity}: {inside(found)}")
    outlook = latest_outlook(experiments)
    if own := own_count(outlook):
        console.print(f"            {own}")
    if outlook is not None and (hope := expected(outlook)):
        console.print(f"  outlook   {hope}, as told with the latest proposal of the model")


def show_trust(
    store: Store, record: CampaignRecord, campaign: Campaign | None, experiments: list[Experiment]
) -> None:
    """Print alarms that are on, and how intervals held where truths are known; else nothing."""
    references = () if campaign is None else campaign.trust.references
    judged = judge(experiments, store.events(record.id), references=references)
    for alarm in judged.on:
        console.print(f"  ALARM     {alarm_line(alarm)}", style="red", markup=False)
    for covered in judged.coverage:
        how = judged.believing.corrections[covered.agent]
        console.print(f"  trust     {coverage_line(covered, how)}", markup=False)


def show_experiment(store: Store, record: CampaignRecord, number: int) -> None:
    """Print everything about one experiment, the reason for it first.

    Raises
    ------
    UnknownCampaign
        The campaign has no such experiment.
    """
    e = store.experiment(record.id, number)
    if e is None:
        last = len(store.experiments(record.id)) - 1
        raise UnknownCampaign(f"{record.id} has no experiment {number}; it has 0 to {last}")
    console.print(f"[bold]experiment {number}[/] of {record.name}")
    reason = e.proposal.reason
    console.print(f"  why       {reason.text} ({reason.planner})")
    for line in as_lines(reason.grounds, current(store.observations(record.id))):
        console.print(line, markup=False)
    for quantity, p in reason.predicted.items():
        console.print(f"  expected  {quantity} = {p.mean:.4g} ± {p.std:.2g}")
    if reason.outlook is not None and (hope := expected(reason.outlook)):
        console.print(f"  outlook   {hope}")
    if e.proposal.measure_again is None:
        console.print(f"  asked     {_pairs(e.proposal.values)}")
    else:
        again = again_in_words(e.proposal.measure_again, understood(record))
        console.print(f"  asked     {again} ({_pairs(e.proposal.values)})")
    if e.sample is not None:
        console.print(f"  made      {_pairs(e.sample.recipe)}  by {e.sample.made_by}")
    for m in e.measurements:
        flags = f"  [red]{', '.join(m.flags)}[/]" if m.flags else ""
        readings = ", ".join(f"{k} = {r.value:.5g} {r.unit}" for k, r in m.readings.items())
        console.print(f"  measured  {m.technique}, {m.n_points} points {readings}{flags}")
    for i in e.insights:
        quality = ", ".join(f"{k} {v:.3g}" for k, v in i.quality.items())
        wrong = "" if i.p_wrong is None else f"  wrong with probability {i.p_wrong:.0%}"
        console.print(f"  read      {i.agent}  {quality}{wrong}")
        found = {key: estimate for key, estimate in i.estimates.items() if estimate.value != 0}
        for key, estimate in found.items():
            console.print(f"              {key} = {estimate}")
        if len(found) < len(i.estimates):
            console.print(f"              {len(i.estimates) - len(found)} more are 0")
        for remark in i.remarks:
            console.print(f"              {remark}")
    for d in disagreements(store.events(record.id), number=number):
        console.print(f"  disputed  {d.about}: {d.said}", markup=False)
        console.print(f"              {d.state}{f': {d.became}' if d.became else ''}", markup=False)
    for event in store.events(record.id):
        if event.number == number and event.kind in (ODD, TRUTH, ALARM):
            console.print(f"  {event.kind:<9} {event.message}", markup=False)
    if e.observation is not None and e.observation.failed:
        console.print(f"  [red]failed[/]    {e.observation.failure}")
    for a in store.actions(record.id, number):
        state = a.settled or "nobody knows"
        console.print(f"  action    {a.step} on {a.instrument}: {state} {a.error}")


def _quantities(experiments: list[Experiment]) -> list[str]:
    known = [list(e.observation.outcomes) for e in experiments if e.observation is not None]
    return list(dict.fromkeys(q for names in known for q in names))


def _settings(experiment: Experiment) -> list[str]:
    return [_value(v) for v in experiment.proposal.values.values()]


def _outcomes(experiment: Experiment, quantities: list[str]) -> list[str]:
    observation = experiment.observation
    if observation is None or observation.failed:
        return ["–"] * len(quantities)
    cells = []
    for quantity in quantities:
        if quantity not in observation.outcomes:
            cells.append("–")
            continue
        std = observation.stds.get(quantity)
        error = f" ± {std:.2g}" if std is not None else ""
        cells.append(f"{observation.outcomes[quantity]:.4g}{error}")
    return cells


def _superseded(experiments: list[Experiment]) -> dict[int, int]:
    """Return experiment → the later one that read the same sample anew."""
    seen = [(e.number, e.observation) for e in experiments if e.observation is not None]
    return {o.supersedes: n for n, o in seen if o.supersedes is not None}


def _remark(
    experiment: Experiment, campaign: Campaign | None, superseded: Mapping[int, int]
) -> str:
    observation, again = experiment.observation, experiment.proposal.measure_again
    said = [] if again is None else [again_in_words(again, campaign)]
    if observation is None:
        return "; ".join([*said, "under way"])
    if observation.failed:
        return "; ".join([*said, f"[red]{observation.failure}[/]"])
    if observation.p_wrong > 0.2:
        said.append(f"wrong with {observation.p_wrong:.0%}?")
    if experiment.number in superseded:
        said.append(f"measured again in {superseded[experiment.number]}")
    return "; ".join(said)


def _pairs(values: dict[str, Value]) -> str:
    return ", ".join(f"{k} {_value(v)}" for k, v in values.items())


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"

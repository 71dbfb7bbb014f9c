"""`sdlab truth` and `sdlab alarms`: how far agents are believed, and who looks after what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.trust.recorded import Judged


def truth(
    campaign_id: CampaignArgument,
    experiment: Annotated[int, typer.Argument(help="The experiment that made the sample.")],
    quantity: Annotated[
        str, typer.Argument(help="What is known, such as xrd.weight_fraction.rutile.")
    ],
    value: Annotated[str, typer.Argument(help="Its value, or the right answer to a question.")],
    std: Annotated[
        float, typer.Option("--std", help="Standard deviation of the value; 0 if exact.")
    ] = 0.0,
    source: Annotated[
        str, typer.Option("--source", "-s", help="How it is known, such as ICP-OES.")
    ] = "",
    home: HomeOption = None,
) -> None:
    """Tell what a sample really is; agents are believed by how they fared against truths.

    It takes the place of what agents said of that sample, corrects the stds and the doubt of all
    they said, and of earlier samples, too, when the planner is asked next. Telling it again
    corrects it.

    Example: `sdlab truth last 7 xrd.weight_fraction.rutile 0.31 --std 0.01 --source ICP-OES`
    """
    from orchestrator.people.asking import this_person
    from orchestrator.trust.statements import Truth
    from orchestrator.trust.stating import state_truth

    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    by = f"{source} ({this_person()})" if source else this_person()
    told = Truth(experiment, quantity, _number_or_word(value), std, by)
    typer.echo(f"experiment {experiment} of {name}: {state_truth(store, name, told)}")


def alarms(
    campaign_id: CampaignArgument,
    resolved: Annotated[
        str,
        typer.Option("--resolved", help="Yes, seen to: what was done, or why nothing is wrong."),
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="Only alarms of this kind.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only alarms of this agent.")] = "",
    home: HomeOption = None,
) -> None:
    """List the alarms that are on and how far each agent is believed, or say they are seen to.

    While an alarm is on, its agent is believed less. After it was seen to, only what comes later
    can raise it again.

    Example: `sdlab alarms last --resolved "realigned the goniometer"`
    """
    from orchestrator.cli.showing import understood
    from orchestrator.trust.recorded import judge
    from orchestrator.trust.stating import resolve

    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    if resolved:
        off = resolve(store, name, kind=kind, agent=agent, reason=resolved)
        typer.echo("\n".join(f"seen to: {a.kind} of {a.agent}" for a in off) or "no alarm is on")
        return
    campaign = understood(store.campaign(name))
    references = () if campaign is None else campaign.trust.references
    print_judged(judge(store.experiments(name), store.events(name), references=references))


def print_judged(judged: Judged) -> None:
    """Print alarms that are on, and coverage where truths are known."""
    from orchestrator.trust.words import alarm_line, coverage_line

    for alarm in judged.on:
        typer.secho(f"  ALARM     {alarm_line(alarm)}", fg="red")
    if not judged.on:
        typer.echo("  no alarm is on")
    for covered in judged.coverage:
        how = judged.believing.corrections[covered.agent]
        typer.echo(f"  trust     {coverage_line(covered, how)}")


def _number_or_word(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value

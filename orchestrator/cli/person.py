"""A person decides: `sdlab questions`, `answer`, `approve`, `veto`, `pause`, `cancel`, `stop`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.store import Store
    from orchestrator.store.question_records import Asked

Reason = Annotated[
    str, typer.Option("--reason", "-r", help="Why, in your words; it is kept in the history.")
]
OneExperiment = Annotated[
    int | None,
    typer.Option("--experiment", "-e", help="Which experiment, if several are asked about."),
]


def questions(
    campaign_id: Annotated[
        str | None, typer.Argument(help="The campaign; by default all campaigns.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were answered, and by whom.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """List what waits for a person, with the command that answers it."""
    store = open_store(home_folder(home))
    name = None if campaign_id is None else named(store, campaign_id)
    found = store.questions.open(name)
    if everything:
        names = [name] if name is not None else [record.id for record in store.campaigns()]
        found = [asked for each in names for asked in store.questions.of(each)]
    if not found:
        typer.echo("nothing waits for an answer")
    for asked in found:
        _print(asked)


def answer(
    campaign_id: CampaignArgument,
    key: Annotated[str, typer.Argument(help="The question's key, from `sdlab questions`.")],
    answer: Annotated[str, typer.Argument(help="One of the answers it offers.")],
    reason: Reason = "",
    home: HomeOption = None,
) -> None:
    """Answer a question. It is acted on at once and cannot be changed.

    Example: `sdlab answer last approve/7 veto --reason "the furnace tube is cracked"`
    """
    store = open_store(home_folder(home))
    _answer(store, named(store, campaign_id), key, answer, reason)


def approve(
    campaign_id: CampaignArgument,
    experiment: OneExperiment = None,
    reason: Reason = "",
    home: HomeOption = None,
) -> None:
    """Let a proposed experiment be made."""
    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    _answer(store, name, _proposal(store, name, experiment), "approve", reason)


def veto(
    campaign_id: CampaignArgument,
    reason: Annotated[
        str, typer.Option("--reason", "-r", help="Why not; the planner avoids its like.")
    ],
    experiment: OneExperiment = None,
    home: HomeOption = None,
) -> None:
    """Forbid a proposed experiment; nothing moves, and the planner learns from it."""
    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    _answer(store, name, _proposal(store, name, experiment), "veto", reason)


def pause(campaign_id: CampaignArgument, reason: Reason = "", home: HomeOption = None) -> None:
    """Begin nothing new; the experiments under way are finished. `sdlab resume` goes on."""
    from orchestrator.people import wishing

    store = open_store(home_folder(home))
    typer.echo(wishing.pause(store, named(store, campaign_id), reason=reason))


def cancel(campaign_id: CampaignArgument, reason: Reason = "", home: HomeOption = None) -> None:
    """End a campaign for good: nothing new begins, and its running commands are stopped."""
    from orchestrator.people import wishing

    store = open_store(home_folder(home))
    typer.echo(wishing.cancel(store, named(store, campaign_id), reason=reason))


def stop(
    campaign_id: Annotated[
        str | None,
        typer.Argument(help="The campaign; by default all that may be moving something."),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Yes: stop the instruments at once.")] = False,
    lab: Annotated[
        Path | None, typer.Option("--lab", help="Stop the instruments of a laboratory file.")
    ] = None,
    reason: Reason = "",
    home: HomeOption = None,
) -> None:
    """Emergency stop: reach every instrument at once, even if no process runs the campaign.

    The exit code is 1 if an instrument was not reached or did not confirm that it is at rest.
    `sdlab resume` asks about each instrument before it moves again; of simulated instruments it
    asks only with `--ask`.
    """
    from orchestrator.errors import CampaignError

    if not now:
        raise CampaignError(
            "`sdlab stop` is the emergency stop and wants `--now`. To end a campaign in order use "
            "`sdlab pause` or `sdlab cancel`"
        )
    folder = home_folder(home)
    well = _stop_laboratory(lab) if lab is not None else True
    well = _stop_campaigns(folder, campaign_id, lab, reason) and well
    raise typer.Exit(0 if well else 1)


def _stop_laboratory(lab: Path) -> bool:
    from orchestrator.laboratories.laboratory import load_laboratory
    from orchestrator.people.emergency import everything_stopped, in_words, stop_directly

    file, source = load_laboratory(lab)
    began = time.monotonic()
    said = asyncio.run(stop_directly(file, source))
    for line in in_words(said):
        typer.echo(line)
    _print_time(began)
    return everything_stopped(said)


def _stop_campaigns(folder: Path, campaign_id: str | None, lab: Path | None, reason: str) -> bool:
    """Stop the named campaign, or those of a laboratory, or all; return whether all is at rest."""
    import instruments.hosting.client  # noqa: F401  (loaded before the time counts)
    from orchestrator.people.emergency import everything_stopped, in_words
    from orchestrator.people.wishing import stop_now, stoppable

    store = open_store(folder)
    records = stoppable(store)
    if campaign_id is not None:
        records = [store.campaign(named(store, campaign_id))]
    elif lab is not None:
        records = [r for r in records if r.laboratory_source == str(lab.resolve())]
    elif not records:
        typer.echo("no campaign may be moving anything; name one, or a laboratory with --lab")

    began = time.monotonic()

    async def all_at_once() -> list[bool]:
        stops = await asyncio.gather(*(stop_now(store, r, reason=reason) for r in records))
        for stopped in stops:
            said = "stopped" if stopped.confirmed else "NO ANSWER"
            typer.echo(f"{stopped.campaign_id}: {said} {stopped.trouble}".rstrip())
            for line in in_words(stopped.said):
                typer.echo(f"  {line}")
        _print_time(began)
        return [s.confirmed and not s.trouble and everything_stopped(s.said) for s in stops]

    return all(asyncio.run(all_at_once()))


def _print_time(began: float) -> None:
    typer.echo(f"every answer was there within {(time.monotonic() - began) * 1000:.0f} ms")


def _proposal(store: Store, campaign_id: str, experiment: int | None) -> str:
    """Return the key of the proposal that waits for approval."""
    from orchestrator.errors import QuestionError

    waiting = [
        a.question for a in store.questions.open(campaign_id) if a.question.kind == "approve"
    ]
    fitting = [q for q in waiting if experiment in (None, q.number)]
    if len(fitting) == 1:
        return fitting[0].key
    if not fitting:
        which = "no proposal" if experiment is None else f"no proposal for experiment {experiment}"
        raise QuestionError(
            f"{which} of {campaign_id} waits for approval; `sdlab questions {campaign_id}` lists "
            "what does"
        )
    numbers = ", ".join(str(q.number) for q in fitting)
    raise QuestionError(f"experiments {numbers} wait for approval; say which with --experiment")


def _answer(store: Store, campaign_id: str, key: str, said: str, reason: str) -> None:
    from orchestrator.people.asking import Reply, this_person
    from orchestrator.people.wishing import is_running

    store.questions.answer(campaign_id, key, Reply(said, reason, this_person()))
    typer.echo(f"{key}: {said}")
    if not is_running(store, campaign_id):
        typer.echo(f"no process runs {campaign_id}; go on with `sdlab resume {campaign_id}`")


def _print(asked: Asked) -> None:
    from orchestrator.people.asking import how_to_answer

    question = asked.question
    typer.echo(f"{asked.campaign_id}  {question.key}  {question.kind}  {asked.at:%Y-%m-%d %H:%M}")
    typer.echo(f"  {question.text}")
    if asked.reply is None:
        typer.echo(f"  {how_to_answer(asked)}")
    else:
        why = f": {asked.reply.reason}" if asked.reply.reason else ""
        typer.echo(f"  {asked.reply.answer}, said {asked.reply.by}{why}")

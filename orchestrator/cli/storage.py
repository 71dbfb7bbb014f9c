"""`sdlab stock`, `where`, `move` and `return`: what is left, and where everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.store import Store


class _ShowsByDefault(TyperGroup):
    """Without a command of its own it shows the stock, so that `sdlab stock LAB` reads well."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command `show` where none is named."""
        named_one = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named_one else ["show", *args])


stock = typer.Typer(
    cls=_ShowsByDefault,
    rich_markup_mode="markdown",
    help="What is left of each consumable, and for whom it is kept back.",
)

Whose = Annotated[
    str,
    typer.Argument(
        metavar="LAB_OR_CAMPAIGN",
        help="A laboratory by its name, a simulated campaign by its id, the beginning of either, "
        "or `last`.",
    ),
]

Scope = Annotated[
    str | None, typer.Option("--in", help="The laboratory (or simulated campaign) it is in.")
]


@stock.command("show")
def show_stock(
    whose: Annotated[
        str | None,
        typer.Argument(
            metavar="[LAB_OR_CAMPAIGN]",
            help="A laboratory, or a campaign on a simulated one; by default every real one.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Show what is left, what commands under way may use, and what is kept back for whom."""
    from orchestrator.cli.storage_tables import print_levels
    from orchestrator.storage.moving import real_laboratories

    store = open_store(home_folder(home))
    if whose is not None:
        levels = store.stock.levels(_scope(store, whose))
    else:
        real = real_laboratories(store)
        levels = [level for level in store.stock.levels() if level.scope in real]
    if levels:
        print_levels(levels)
        return
    typer.echo(
        f"{whose} uses nothing up"
        if whose
        else "no real laboratory with consumables has been used yet; `sdlab stock last` shows "
        "what the newest simulated campaign has left"
    )


@stock.command("fill")
def fill(
    whose: Whose,
    instrument: Annotated[str, typer.Argument(help="The instrument that uses it.")],
    consumable: Annotated[str, typer.Argument(help="What was filled in.")],
    amount: Annotated[float, typer.Argument(help="How much there is now, in its unit.")],
    add: Annotated[bool, typer.Option("--add", help="AMOUNT was added to what was left.")] = False,
    home: HomeOption = None,
) -> None:
    """Record that a person refilled a consumable.

    Example: `sdlab stock fill "furnace line" furnace gel 500`
    """
    from datetime import UTC, datetime

    from orchestrator.cli.storage_tables import print_levels

    store = open_store(home_folder(home))
    scope = _scope(store, whose)
    store.stock.fill(scope, instrument, consumable, amount, at=datetime.now(UTC), add=add)
    print_levels([n for n in store.stock.levels(scope) if n.instrument == instrument])


@stock.command("release")
def release(campaign_id: CampaignArgument, home: HomeOption = None) -> None:
    """Give up what is kept back for a campaign that will not go on soon.

    `sdlab resume` looks again whether there is enough.
    """
    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    count = store.stock.release(name)
    typer.echo(f"{name} keeps back nothing any more ({count} reservations given up)")


def where(
    thing: Annotated[
        str | None,
        typer.Argument(
            metavar="[THING]",
            help="A sample or vessel, for its history; or a laboratory or simulated campaign.",
        ),
    ] = None,
    scope: Scope = None,
    home: HomeOption = None,
) -> None:
    """Show where samples and vessels are, since when, and which hand-overs are in doubt.

    Example: `sdlab where crucible-3`
    """
    from orchestrator.cli.storage_tables import print_history, print_things
    from orchestrator.storage.moving import find_thing, real_laboratories

    store = open_store(home_folder(home))
    inside = None if scope is None else _scope(store, scope)
    everything = store.custody.everything(inside)
    if thing is None and inside is None:
        real = real_laboratories(store)
        everything = [t for t in everything if t.scope in real or t.doubt is not None]
    elif thing is not None and any(t.thing == thing for t in everything):
        found = find_thing(store, thing, inside)
        print_things([found])
        print_history(store.custody.history(thing, found.scope))
        return
    elif thing is not None:
        everything = store.custody.everything(_scope(store, thing))
    if everything:
        print_things(everything)
    else:
        typer.echo(
            "nothing is known of a real laboratory yet; `sdlab where last` shows the newest "
            "simulated campaign"
        )


def move(
    thing: Annotated[str, typer.Argument(help="A sample or vessel.")],
    place: Annotated[
        str,
        typer.Argument(help="An instrument, a vessel, `shelf` or `away`; `furnace:2` is a slot."),
    ],
    scope: Scope = None,
    home: HomeOption = None,
) -> None:
    """Say that you moved a thing; this settles a hand-over that is in doubt.

    Example: `sdlab move tio2-261122-7f3a/4 shelf`
    """
    from orchestrator.cli.storage_tables import print_things
    from orchestrator.storage import moving

    store = open_store(home_folder(home))
    there = moving.find_thing(store, thing, None if scope is None else _scope(store, scope))
    print_things([moving.move(store, there, place)])


def give_back(
    thing: Annotated[str, typer.Argument(help="A vessel that was washed, or a sample taken out.")],
    scope: Scope = None,
    home: HomeOption = None,
) -> None:
    """Say that a vessel is empty again, or that a sample left the laboratory.

    Example: `sdlab return crucible-3`
    """
    from orchestrator.storage import moving

    store = open_store(home_folder(home))
    there = moving.find_thing(store, thing, None if scope is None else _scope(store, scope))
    for sentence in moving.give_back(store, there):
        typer.echo(sentence)


def _scope(store: Store, asked: str) -> str:
    """Return the laboratory or simulated campaign that a person names."""
    from orchestrator.errors import CampaignError
    from orchestrator.storage.moving import scope_of_record

    scopes = [scope_of_record(record) for record in store.campaigns()]
    if asked == "last" and scopes:
        return scopes[0]
    meant = {s for s in scopes if s == asked} or {
        s for s in scopes if s.lower().startswith(asked.lower())
    }
    if len(meant) == 1:
        return meant.pop()
    known = ", ".join(repr(s) for s in dict.fromkeys(scopes)) or "none yet"
    several = "begins several" if meant else "is none"
    raise CampaignError(
        f"{asked!r} {several} of the laboratories and simulated campaigns known: {known[:400]}"
    )

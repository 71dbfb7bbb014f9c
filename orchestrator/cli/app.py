"""The commands of `sdlab`, put together; errors become one sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from orchestrator.cli import (
    adapting,
    analysing,
    benching,
    deploying,
    explaining,
    history,
    hosting,
    person,
    replay,
    running,
    storage,
    system,
    training,
    trusting,
)

app = typer.Typer(
    name="sdlab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""
A self-driving laboratory: synthesize, measure, analyse, plan, again.

**Try it:** `sdlab run tio2` runs a real campaign on a simulated laboratory;
`sdlab examples` lists what else is there.

**Your own:** copy an example with `sdlab examples --copy tio2 my-campaign/`, edit the two
files, look ahead with `sdlab run my-campaign/tio2.toml --dry-run`, then run it without.
""",
)

PANEL_RUN, PANEL_DECIDE = "Run", "Decide while it runs"
PANEL_STORE = "Stock and samples"
PANEL_READ, PANEL_HELP = "Read what happened", "Set-up and help"

app.command("run", rich_help_panel=PANEL_RUN)(running.run)
app.command("resume", rich_help_panel=PANEL_RUN)(running.resume)
app.command("settle", rich_help_panel=PANEL_RUN)(running.settle)
app.command("deploy", rich_help_panel=PANEL_RUN)(deploying.deploy)
app.command("watch", rich_help_panel=PANEL_RUN)(deploying.watch)
app.command("host", rich_help_panel=PANEL_RUN)(hosting.host)
app.command("questions", rich_help_panel=PANEL_DECIDE)(person.questions)
app.command("answer", rich_help_panel=PANEL_DECIDE)(person.answer)
app.command("approve", rich_help_panel=PANEL_DECIDE)(person.approve)
app.command("veto", rich_help_panel=PANEL_DECIDE)(person.veto)
app.command("pause", rich_help_panel=PANEL_DECIDE)(person.pause)
app.command("cancel", rich_help_panel=PANEL_DECIDE)(person.cancel)
app.command("stop", rich_help_panel=PANEL_DECIDE)(person.stop)
app.command("truth", rich_help_panel=PANEL_DECIDE)(trusting.truth)
app.command("alarms", rich_help_panel=PANEL_DECIDE)(trusting.alarms)
app.add_typer(storage.stock, name="stock", rich_help_panel=PANEL_STORE)
app.command("where", rich_help_panel=PANEL_STORE)(storage.where)
app.command("move", rich_help_panel=PANEL_STORE)(storage.move)
app.command("return", rich_help_panel=PANEL_STORE)(storage.give_back)
app.command("list", rich_help_panel=PANEL_READ)(history.list_some)
app.command("show", rich_help_panel=PANEL_READ)(history.show)
app.command("explain", rich_help_panel=PANEL_READ)(explaining.explain)
app.command("report", rich_help_panel=PANEL_READ)(history.report)
app.command("export", rich_help_panel=PANEL_READ)(history.export)
app.command("replay", rich_help_panel=PANEL_READ)(replay.replay)
app.add_typer(benching.bench, name="bench", rich_help_panel=PANEL_READ)
app.command("ui", rich_help_panel=PANEL_READ)(system.ui)
app.command("analyze", rich_help_panel=PANEL_READ)(analysing.analyze)
app.command("train", rich_help_panel=PANEL_HELP)(training.train)
app.command("adapt", rich_help_panel=PANEL_HELP)(adapting.adapt)
app.command("examples", rich_help_panel=PANEL_HELP)(system.examples)
app.command("plugins", rich_help_panel=PANEL_HELP)(system.plugins)
app.command("doctor", rich_help_panel=PANEL_HELP)(system.doctor)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as installed

        typer.echo(f"sdlab {installed('sdlab')}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log more; twice for everything.")
    ] = 0,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Set up what all commands share."""
    del version  # its callback has answered
    level = (logging.ERROR, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def main() -> None:
    """Run the command line; the exit code is 0, 1 for an error, 130 after Ctrl-C."""
    from analysis.errors import AnalysisError
    from instruments.errors import InstrumentError
    from orchestrator.errors import CampaignError
    from planners.errors import PlanningError

    try:
        app()
    except (CampaignError, InstrumentError, AnalysisError, PlanningError) as error:
        typer.secho(f"error: {error}", err=True, fg="red")
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe (`sdlab list | head`) has gone; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        typer.secho(f"error: {what}{error.strerror or error}", err=True, fg="red")
        sys.exit(1)
    except KeyboardInterrupt:
        typer.secho("interrupted", err=True)
        sys.exit(130)
    except Exception as error:
        logging.getLogger(__name__).info("sdlab failed", exc_info=True)
        typer.secho(
            f"error: sdlab failed where it should not ({type(error).__name__}: {error}). What was "
            "recorded is kept. `sdlab -v` before the command shows where; please report it",
            err=True,
            fg="red",
        )
        sys.exit(1)

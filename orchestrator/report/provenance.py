"""Where a report's numbers come from, and how to go on from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.report.story import Story
from orchestrator.store.versions import software_versions

MOST_SOURCES = 200
"""Source files that are listed one by one."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file the campaign was started from, word for word."""

    title: str
    path: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to repeat, check or cite the campaign.

    Attributes
    ----------
    versions : software → version when the campaign was recorded.
    changed : one sentence if this page was written by other versions, else empty.
    sources : recorded measurement files, as key → value.
    commands : what to type → what it does.
    """

    versions: Mapping[str, str]
    changed: str
    documents: list[Document]
    sources: Sequence[Mapping[str, str]]
    n_sources: int
    commands: list[tuple[str, str]]
    citation: str


def provenance(story: Story) -> Provenance:
    """Return where the numbers of a campaign come from."""
    record = story.record
    found = {
        tuple(sorted(m.source.items())): dict(m.source)
        for e in story.experiments
        for m in e.measurements
        if m.source
    }
    return Provenance(
        versions=record.versions,
        changed=_changed(record.versions),
        documents=[
            _document("Campaign file", record.campaign_source, record.campaign_toml),
            _document("Laboratory file", record.laboratory_source, record.laboratory_toml),
        ],
        sources=list(found.values())[:MOST_SOURCES],
        n_sources=len(found),
        commands=_commands(story),
        citation=_citation(story),
    )


def _document(title: str, path: str, text: str) -> Document:
    return Document(title, path, hashlib.sha256(text.encode()).hexdigest(), text)


def _changed(recorded: Mapping[str, str]) -> str:
    now = software_versions()
    other = [
        f"{name} {now[name]}" for name in recorded if name in now and now[name] != recorded[name]
    ]
    return f"This page was written with {', '.join(other)}." if other else ""


def _commands(story: Story) -> list[tuple[str, str]]:
    name = story.record.id
    commands = [
        (f"sdlab show {name}", "lists the experiments on a terminal"),
        (f"sdlab export {name}", "writes tables, curves and their description for archives"),
    ]
    if story.record.status != "finished":
        commands.insert(0, (f"sdlab resume {name}", "goes on where the campaign stopped"))
    return commands


def _citation(story: Story) -> str:
    record = story.record
    version = record.versions.get("sdlab", "")
    return (
        f"Campaign “{record.name}” ({record.id}, seed {record.seed}), recorded "
        f"{record.created:%Y-%m-%d} with sdlab {version}".rstrip()
        + "."
    )

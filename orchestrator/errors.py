"""Errors of the orchestrator.

CampaignError
├── BadFile            a campaign or laboratory file is wrong; lists every fault with its line
├── UnknownPlugin      no installed instrument, agent or planner has that name
├── BrokenPlugin       a plug-in is installed but cannot be loaded
├── CampaignHeld       another process runs the campaign
├── Superseded         another process took the campaign over, so this one must not act any more
├── LaboratoryRefused  the laboratory refused a command, so the campaign cannot go on
├── CampaignStops      a step failed, and the campaign or a person said to stop then
├── WaitsForPerson     only a person can say how it goes on, and nobody is there
├── QuestionError      an answer fits no open question
├── ServerError        the Prefect server did not start or answer
└── StoreError         the history cannot be read or written
    ├── StoreLocked · StoreCorrupt · StoreFull · StoreTooNew · StoreConflict
    ├── CustodyConflict  two holders, an occupied slot, or an offer that is closed
    └── UnknownCampaign
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class CampaignError(Exception):
    """A campaign cannot start or go on; the message says what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a file.

    Attributes
    ----------
    line : line in the file, counted from 1; 0 if it concerns the file as a whole.
    where : dotted key, empty for the file as a whole.
    """

    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "file"
        return f"{place:>9}  {self.where + ': ' if self.where else ''}{self.message}"


class BadFile(CampaignError, ValueError):
    """A campaign or laboratory file is wrong.

    Attributes
    ----------
    path : the file.
    faults : everything found, in the order of the lines.
    """

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        self.path = path
        self.faults = sorted(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listing = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{path} has {count}; nothing was started.\n{listing}")


class UnknownPlugin(CampaignError, LookupError):
    """No installed instrument, agent or planner has that name."""


class BrokenPlugin(CampaignError):
    """A plug-in is installed but cannot be loaded; names the guilty distribution."""


class CampaignHeld(CampaignError):
    """Another process runs the campaign."""


class Superseded(CampaignError):
    """Another process took the campaign over; nothing was written, and this one must end."""


class LaboratoryRefused(CampaignError):
    """The laboratory refused a command before anything moved, so the campaign cannot go on."""


class CampaignStops(CampaignError):
    """A step failed, and the campaign or a person said to stop then; it can be resumed."""


class WaitsForPerson(CampaignError):
    """Only a person can say how a campaign goes on; it was asked, and nobody is there to answer."""


class QuestionError(CampaignError):
    """An answer fits no open question: never asked, none of the options, or answered before."""


class ServerError(CampaignError):
    """The Prefect server did not start or does not answer."""


class StoreError(CampaignError):
    """The history cannot be read or written."""


class StoreLocked(StoreError):
    """Another process holds the database."""


class StoreCorrupt(StoreError):
    """The database or an array file is damaged."""


class StoreFull(StoreError):
    """There is no room left to write."""


class StoreTooNew(StoreError):
    """The database was written by a newer sdlab."""


class StoreConflict(StoreError):
    """A record exists already with other contents; history is never overwritten."""


class CustodyConflict(StoreError):
    """A hand-over does not fit what is recorded of where things are."""


class UnknownCampaign(StoreError, LookupError):
    """No campaign has that identifier."""

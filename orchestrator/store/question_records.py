"""What a person is asked, and what became of the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

QuestionKind = Literal["approve", "unsettled", "manual", "reset", "overdue", "failed", "look"]
"""What a question is about: a proposal; a command whose end nobody knows; a step done by hand; an
instrument that was stopped; a command that takes too long; a step that failed; a sample of which
agents say something odd."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a person can say.

    Attributes
    ----------
    key : names the question within its campaign; asked again under the same key, the question
        that is there is found, and its answer.
    text : one or two sentences for a person.
    options : the answers that are taken; the one that lets the campaign go on comes first.
    number : the experiment it is about, None for the campaign as a whole.
    details : JSON values that belong to it, such as the proposed settings.
    """

    key: str
    kind: QuestionKind
    text: str
    options: tuple[str, ...]
    number: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.key or not self.text:
            raise ValueError("a question needs a key and a text")
        if len(set(self.options)) < 2 or len(set(self.options)) != len(self.options):
            raise ValueError(
                f"the question {self.key!r} offers {list(self.options)}; at least two different "
                "answers are needed"
            )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person said.

    Attributes
    ----------
    answer : one of the question's options.
    reason : in the person's words; may be empty.
    by : who it was, such as ``anna@beamline-7`` or ``Prefect UI``.
    """

    answer: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it stands in the history.

    Attributes
    ----------
    at : when it was asked first.
    reply : None while it is open.
    """

    campaign_id: str
    question: Question
    at: datetime
    reply: Reply | None = None
    answered: datetime | None = None

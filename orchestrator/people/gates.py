"""Gates as data: which proposals a person approves, and which steps a person does by hand.

They come from files that anybody may have written, so they hold numbers and names, no expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from planners.parameters import Value

PLACEHOLDERS = frozenset({"number", "sample", "n"})
"""What a prompt may name in braces: the experiment, its sample, how often it was asked."""

_BRACES = re.compile(r"\{([^{}]*)\}")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RiskRule(_Record):
    """A proposal is risky if one of its values is above, below or exactly what is said here.

    Attributes
    ----------
    above, below : in the parameter's unit; the value itself is not risky yet.
    exactly : a category or number; written ``is`` in the file.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    parameter: str = Field(min_length=1)
    above: float | None = None
    below: float | None = None
    exactly: Value | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _one_condition(self) -> RiskRule:
        given = [v for v in (self.above, self.below, self.exactly) if v is not None]
        if len(given) != 1:
            raise ValueError(
                f"the rule for {self.parameter!r} has {len(given)} conditions; give one of "
                "`above`, `below` and `is`"
            )
        return self

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Return whether a proposal is risky by this rule."""
        value = values.get(self.parameter)
        if value is None:
            return False
        if self.exactly is not None:
            return value == self.exactly
        if isinstance(value, str):
            return False
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below

    def __str__(self) -> str:
        if self.exactly is not None:
            return f"{self.parameter} is {self.exactly}"
        if self.above is not None:
            return f"{self.parameter} is above {self.above:g}"
        return f"{self.parameter} is below {self.below:g}"


class Approval(_Record):
    """Which proposals wait for a person before anything moves.

    Attributes
    ----------
    ask : ``never``, ``each``, those that are ``risky`` by a rule, or the ``first`` ones and those
        that are risky.
    first : how many experiments are asked about with ``ask = "first"``.
    """

    ask: Literal["never", "each", "risky", "first"] = "never"
    first: int = Field(default=3, ge=1)
    risky: tuple[RiskRule, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Approval:
        if self.ask == "risky" and not self.risky:
            raise ValueError('`ask = "risky"` needs a rule; add [[approval.risky]]')
        if self.ask in ("never", "each") and self.risky:
            raise ValueError(
                f'rules for risky proposals change nothing with `ask = "{self.ask}"`; use '
                '"risky", or "first" for both'
            )
        return self

    def why(self, number: int, values: Mapping[str, Value]) -> str | None:
        """Return why a person is asked about a proposal, None if it may go on without."""
        if self.ask == "each":
            return "every proposal is asked about"
        if self.ask == "first" and number < self.first:
            return f"it is number {number + 1} of the first {self.first}"
        found = [str(rule) for rule in self.risky if rule.applies(values)]
        return ", ".join(found) or None


class Prompt(_Record):
    """A step that a person does by hand before the laboratory goes on.

    Attributes
    ----------
    before : the step of an experiment that waits for it.
    instrument : only if the step may use this instrument; empty for any.
    every : once for so many experiments, counted by their numbers.
    text : what to do; ``{number}`` is the experiment, ``{sample}`` its sample, ``{n}`` counts how
        often this was asked, from 1.
    """

    before: Literal["synthesize", "measure"]
    instrument: str = ""
    every: int = Field(default=1, ge=1)
    text: str = Field(min_length=1, max_length=500)

    @field_validator("text")
    @classmethod
    def _known_placeholders(cls, text: str) -> str:
        strangers = sorted(set(_BRACES.findall(text)) - PLACEHOLDERS)
        if strangers:
            raise ValueError(
                f"{{{strangers[0]}}} is not known here; a prompt may name "
                + ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
            )
        return text

    def turn(self, number: int) -> int:
        """Return which time of asking an experiment belongs to, from 1."""
        return number // self.every + 1

    def words(self, number: int, sample: str) -> str:
        """Return what the person is told."""
        told = {"number": str(number), "sample": sample, "n": str(self.turn(number))}
        return _BRACES.sub(lambda found: told[found[1]], self.text)

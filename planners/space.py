"""The search space: parameters, constraints, a list of candidates, and what is only reported."""

from __future__ import annotations

from functools import cached_property

from pydantic import model_validator

from planners.candidates import CandidateList, column_fault, divided_mixture, read_columns
from planners.categories import CategoricalParameter
from planners.conditions import check_conditions, condition_faults, conditional
from planners.constraints import (
    TOTAL_TOLERANCE,
    Constraint,
    ExpressionConstraint,
    FunctionConstraint,
    LinearConstraint,
)
from planners.context import ContextVariable
from planners.feasibility import LinearProgramme
from planners.parameters import MixtureParameter, Parameter
from planners.registered import Point
from planners.settable import Record

__all__ = [
    "TOTAL_TOLERANCE",
    "CandidateList",
    "Constraint",
    "ContextVariable",
    "ExpressionConstraint",
    "FunctionConstraint",
    "LinearConstraint",
    "Point",
    "SearchSpace",
]


class SearchSpace(Record):
    """Everything that may be proposed.

    Either `parameters` with optional `constraints`, or a list of `candidates`, or both: then the
    settings whose names are columns of the list come from one of its rows, and the parameters of
    other names stay free. A column without a parameter of its own gets one: numbers become
    discrete, text becomes categorical.

    Attributes
    ----------
    parameters : what may be set.
    constraints : what every point obeys.
    candidates : the rows from which some or all settings come.
    context : what the laboratory reports with each experiment but cannot set; no part of a point.

    Raises
    ------
    ValueError
        Names clash, a constraint speaks of an unknown or non-numeric name, a candidate breaks
        a parameter, a condition cannot be decided, or no feasible point was found.
    """

    parameters: tuple[Parameter, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    candidates: CandidateList | None = None
    context: tuple[ContextVariable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _parameters_from_candidates(cls, data: object) -> object:
        if not isinstance(data, dict) or not data.get("candidates"):
            return data
        given = data.get("parameters") or ()
        known = _names_given(given)
        listed = CandidateList.model_validate(data["candidates"])
        return {
            **data,
            "candidates": listed,
            "parameters": [*given, *read_columns(listed, known=known)],
        }

    @model_validator(mode="after")
    def _consistent(self) -> SearchSpace:
        if not self.parameters:
            raise ValueError("the space has neither parameters nor candidates; give one of them")
        names = self.names
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"several parameters set {', '.join(twice)}; each name is set once")
        self._check_context()
        check_conditions(self)
        for constraint in self.constraints:
            self._check_constraint(constraint)
        if self.candidates is not None:
            self._check_candidates(self.candidates)
        self._check_feasible()
        return self

    def _check_context(self) -> None:
        reported = [v.name for v in self.context]
        clash = sorted({n for n in reported if reported.count(n) > 1 or n in self.names})
        if clash:
            raise ValueError(
                f"the context variable {clash[0]!r} is named twice or is also a setting; what is "
                "set cannot be reported as well. Rename or remove one of them"
            )

    def _check_constraint(self, constraint: Constraint) -> None:
        for name in constraint.names:
            if name not in self.names:
                raise ValueError(
                    f"the constraint {constraint} names {name!r}, which no parameter sets; "
                    f"there are {', '.join(self.names)}"
                )
            if isinstance(self.parameter(name), CategoricalParameter):
                raise ValueError(
                    f"the constraint {constraint} uses the categorical {name!r}; a constraint of "
                    "numbers needs numeric names"
                )

    def _check_candidates(self, candidates: CandidateList) -> None:
        divided = divided_mixture(self.parameters, self.listed)
        if divided is not None:
            raise ValueError(divided)
        for name in candidates.columns:
            fault = column_fault(self.parameter(name), name, candidates.column(name))
            if fault is not None:
                raise ValueError(fault)
        for p in conditional(self):
            free = [n for n in p.only_if if n not in self.listed]
            if p.name in self.listed and free:
                raise ValueError(
                    f"the listed {p.name!r} depends on {free[0]!r}, which is not on the list; put "
                    "that on the list as well, or remove `only_if`"
                )
        listed = [p for p in self.parameters if p.names[0] in self.listed]
        checked = bool(conditional(self)) or any(isinstance(p, MixtureParameter) for p in listed)
        for i, point in enumerate(candidates.points() if checked else ()):
            wrong = self._total_faults(point, listed) or list(condition_faults(self, point))
            if wrong:
                raise ValueError(f"candidate {i}: {wrong[0]}")

    def _check_feasible(self) -> None:
        if not self.constraints:
            return
        plain = self.candidates is None and not conditional(self)
        if plain and self.linear:
            programme = LinearProgramme(self.parameters, self.linear)
            if programme.solve() is None:
                raise ValueError(
                    "the space has no feasible point: its constraints exclude every combination "
                    "of the parameters; loosen " + "; ".join(c.in_words() for c in self.linear)
                )
        if plain and len(self.linear) == len(self.constraints):
            return
        # Here, since sampling stands upon spaces.
        from planners.sampling import why_nothing_is_feasible

        why = why_nothing_is_feasible(self)
        if why is not None:
            raise ValueError(why)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name a point must give a value to, in order."""
        return tuple(name for p in self.parameters for name in p.names)

    @cached_property
    def listed(self) -> frozenset[str]:
        """The names whose values come from the candidate list."""
        return frozenset(() if self.candidates is None else self.candidates.columns)

    @property
    def is_hybrid(self) -> bool:
        """Whether some names come from a list while others are free."""
        return 0 < len(self.listed) < len(self.names)

    @cached_property
    def linear(self) -> tuple[LinearConstraint, ...]:
        """The linear ones among the constraints."""
        return tuple(c for c in self.constraints if isinstance(c, LinearConstraint))

    def parameter(self, name: str) -> Parameter:
        """Return the parameter that sets `name`. Raises KeyError if none does."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {name: p for p in reversed(self.parameters) for name in p.names}

    def faults(self, point: Point) -> list[str]:
        """Say everything that keeps `point` out of the space; empty if it belongs."""
        missing = [n for n in self.names if n not in point]
        unknown = [n for n in point if n not in self._by_name]
        if missing or unknown:
            return [f"{n} has no value" for n in missing] + [
                f"{n} is no name of this space" for n in unknown
            ]
        wrong = self._value_faults(point) or list(condition_faults(self, point))
        if not wrong:
            wrong = [f for c in self.constraints if (f := c.fault(point)) is not None]
        if not wrong and self.candidates is not None and self.candidates.index(point) is None:
            what = "the combination of " + ", ".join(self.candidates.columns)
            wrong = [f"{what if self.is_hybrid else 'the point'} is not on the candidate list"]
        return wrong

    def contains(self, point: Point) -> bool:
        """Return whether `point` may be proposed."""
        return not self.faults(point)

    def obeys(self, point: Point) -> bool:
        """Return whether a point of settable values meets every constraint."""
        return all(c.fault(point) is None for c in self.constraints)

    def _value_faults(self, point: Point) -> list[str]:
        found = [
            fault
            for p in self.parameters
            for name in p.names
            if (fault := p.fault(name, point[name])) is not None
        ]
        return found or self._total_faults(point, self.parameters)

    @staticmethod
    def _total_faults(
        point: Point, parameters: tuple[Parameter, ...] | list[Parameter]
    ) -> list[str]:
        found: list[str] = []
        for p in parameters:
            if isinstance(p, MixtureParameter):
                total = sum(float(point[c]) for c in p.components)
                if abs(total - p.total) > TOTAL_TOLERANCE * p.total:
                    found.append(
                        f"{p.name} sums to {total:g}, not to {p.total:g} {p.unit}".rstrip()
                    )
        return found


def _names_given(parameters: object) -> frozenset[str]:
    """Return the names that parameters set which may not have been validated yet."""
    found: set[object] = set()
    for p in parameters if isinstance(parameters, list | tuple) else ():
        if isinstance(p, dict):
            components = p.get("components")
            found |= set(components if isinstance(components, list | tuple) else [p.get("name")])
        else:
            found |= set(p.names)
    return frozenset(n for n in found if isinstance(n, str))

"""A choice among names, alone or with numbers that describe each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from planners.settable import SingleName, Value

SAME_COLUMN = 0.999
"""Absolute correlation from which one descriptor repeats another and is left out."""

MANY = 1000
"""Categories that a model can mark one by one; more of them need descriptors."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Where the categories of a parameter stand.

    Attributes
    ----------
    names : of the descriptors.
    coordinates : shape (n_categories, n_names), each column from 0 at its lowest value to 1.
    """

    names: tuple[str, ...]
    coordinates: npt.NDArray[np.float64]


class CategoricalParameter(SingleName):
    """One name out of several, such as a solvent or a precursor.

    Attributes
    ----------
    categories : the names.
    descriptors : category → numbers that describe it, such as a dielectric constant and a boiling
        point. With them a model sees how alike two categories are; without, all are equally
        different.
    descriptor_names : what the numbers are, in order; ``descriptor_1`` … if left out.
    """

    type: Literal["categorical"] = "categorical"
    categories: tuple[str, ...] = Field(min_length=1)
    descriptors: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    descriptor_names: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _names_of_descriptors(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("descriptor_names"):
            return data
        described = data.get("descriptors")
        if not isinstance(described, dict) or not described:
            return data
        first = next(iter(described.values()))
        count = len(first) if isinstance(first, list | tuple) else 0
        return {**data, "descriptor_names": tuple(f"descriptor_{i + 1}" for i in range(count))}

    @model_validator(mode="after")
    def _consistent(self) -> CategoricalParameter:
        if len(self._known) != len(self.categories):
            raise ValueError(
                f"parameter {self.name!r} lists a category twice: {list(self.categories)}"
            )
        if not self.descriptors and len(self.categories) > MANY:
            raise ValueError(
                f"parameter {self.name!r} has {len(self.categories)} categories and no "
                f"descriptors; more than {MANY} cannot be told apart one by one. Describe them by "
                "numbers in `descriptors`, or leave this column out"
            )
        self.check_otherwise(None if self.otherwise is None else self.fault("", self.otherwise))
        self._check_descriptors()
        return self

    def _check_descriptors(self) -> None:
        if not self.descriptors:
            if self.descriptor_names:
                raise ValueError(f"parameter {self.name!r} has descriptor_names but no descriptors")
            return
        bare = [c for c in self.categories if c not in self.descriptors]
        strangers = [c for c in self.descriptors if c not in self._known]
        if bare or strangers:
            lacking = f"no descriptors for {', '.join(bare[:5])}" if bare else ""
            extra = (
                f"descriptors for {', '.join(strangers[:5])}, no categories" if strangers else ""
            )
            found = "; ".join(part for part in (lacking, extra) if part)
            raise ValueError(
                f"parameter {self.name!r} has {found}; each category needs one row of numbers"
            )
        width = len(self.descriptor_names)
        ragged = [c for c, row in self.descriptors.items() if len(row) != width]
        if ragged or not width or len(set(self.descriptor_names)) != width:
            raise ValueError(
                f"parameter {self.name!r} has the descriptors {', '.join(self.descriptor_names)} "
                f"and {len(self.descriptors[(ragged or list(self.descriptors))[0]])} numbers for "
                f"{(ragged or list(self.descriptors))[0]}; give every category one number for "
                "each descriptor, and each descriptor a name of its own"
            )
        if len(self.categories) > 1:
            self._check_told_apart()

    def _check_told_apart(self) -> None:
        seen: dict[tuple[float, ...], str] = {}
        rows = self.described.coordinates.round(12).tolist()
        for category, row in zip(self.categories, rows, strict=True):
            twin = seen.setdefault(tuple(row), category)
            if twin != category:
                raise ValueError(
                    f"parameter {self.name!r}: {twin} and {category} have the same descriptors, so "
                    "no model could tell them apart; add a descriptor that differs, or drop one"
                )

    @cached_property
    def described(self) -> Described:
        """The descriptors that inform, and every category's coordinates.

        A descriptor that is the same for all categories is left out, and so is one that repeats an
        earlier one (absolute correlation at least `SAME_COLUMN`).
        """
        table = np.array([self.descriptors[c] for c in self.categories], dtype=np.float64)
        kept = informative(table)
        low, high = table[:, kept].min(axis=0), table[:, kept].max(axis=0)
        names = tuple(self.descriptor_names[j] for j in kept)
        return Described(names, (table[:, kept] - low) / (high - low))

    @property
    def is_described(self) -> bool:
        """Whether a model sees descriptors; a single category has nothing to compare."""
        return bool(self.descriptors) and len(self.categories) > 1

    @property
    def resting(self) -> str:
        """The value where `only_if` does not hold."""
        return self.categories[0] if self.otherwise is None else str(self.otherwise)

    def fault(self, name: str, value: Value) -> str | None:
        """Say why `value` cannot be set, or None if it can."""
        if value not in self._known:
            listed = ", ".join(self.categories[:20])
            more = f" and {len(self.categories) - 20} more" if len(self.categories) > 20 else ""
            return f"{name or self.name} = {value!r} is none of {listed}{more}"
        return None

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.categories)


def informative(table: npt.NDArray[np.float64], *, limit: float = SAME_COLUMN) -> list[int]:
    """Return the columns of a table that vary and do not repeat an earlier one.

    Parameters
    ----------
    table : shape (n_rows, n_columns).
    limit : absolute correlation from which a column repeats another.
    """
    kept: list[int] = []
    shapes: list[npt.NDArray[np.float64]] = []
    for j, column in enumerate(table.T):
        centred = column - column.mean()
        size = float(np.linalg.norm(centred))
        if size <= 1e-12 * max(float(np.abs(column).max()), 1e-300) * np.sqrt(len(column)):
            continue
        shape = centred / size
        if all(abs(float(shape @ other)) < limit for other in shapes):
            kept.append(j)
            shapes.append(shape)
    return kept

"""What is wanted as a known function of structure; learnt is how structure follows settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

from planners.columns import Array
from planners.protocols import Planner


@runtime_checkable
class KnownFunction(Protocol):
    """A quantity that is known as soon as the structure is.

    Attributes
    ----------
    quantity : key of the quantity, such as ``pdf.distance_to_target.g_r``.
    question : the question of structure that it depends on, such as ``pdf.type``.
    answers : every answer that it knows.
    numbers : keys of the numbers that it depends on, in order.
    ranges : lowest and highest value of each number; all are positive.
    softness : difference of the quantity that makes two structures unlike each other.
    """

    quantity: str
    question: str
    answers: tuple[str, ...]
    numbers: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    softness: float

    def __call__(self, answer: str, values: Array) -> Array:
        """Return the quantity of structures of one answer.

        Parameters
        ----------
        values : shape (..., n_numbers), each in the unit in which agents estimate it.

        Returns
        -------
        Shape (...).
        """
        ...


@runtime_checkable
class StructureAware(Planner, Protocol):
    """A planner that plans better where it knows what follows from structure."""

    def knowing(self, functions: Sequence[KnownFunction]) -> Self:
        """Return the same planner with what the campaign's agents know."""
        ...

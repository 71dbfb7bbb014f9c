"""What a sample of a known structure would show: its distance from the target, from tables.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadSettings
from analysis.pdf.aims.distances import Distance
from analysis.pdf.aims.settings import CurveName
from analysis.pdf.aims.structures import DebyeTable, debye_waller
from analysis.pdf.aims.windows import Window
from analysis.pdf.clusters import LATTICES
from analysis.pdf.library import Entry

FloatArray = NDArray[np.float64]

BOND_STEP = 3e-4
"""Step in ln(bond): a fiftieth of a ripple of 40 Å at 10 1/Å."""

SAME_SIZE = 0.02
"""Structures of a type whose ln(atoms) differ by less are one."""

_FINER = 2
"""Nodes of sums per node of bonds: linear between them, a pair at 40 Å errs by 1e-3 at 15 1/Å."""

_CHUNK = 128
"""Bonds at a time: what fits a processor's cache."""

_BEYOND = 1.001


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """Of one type: limits in ln(atoms) between its sizes, and distances (n_sizes, n_bonds).

    The distances are those of each curve, and their mean.
    """

    limits: FloatArray
    distances: Mapping[tuple[CurveName, ...], FloatArray]


class Foreteller:
    """Distances of every structure of a library from the target, made a type at a time.

    Parameters
    ----------
    library : makes the library, when it is first needed; of each type one structure a step in size
        is kept, and always the target's.
    compared : curve → its grid and its distance.
    bond_range : [Å].
    b_iso : displacement parameter [Å²].
    target : name of the target's entry and its bond [Å], which then is a node of the tables: the
        distance has a cusp there.
    """

    def __init__(
        self,
        library: Callable[[], Sequence[Entry]],
        compared: Mapping[CurveName, tuple[Window, Distance]],
        *,
        bond_range: tuple[float, float],
        b_iso: float,
        target: tuple[str, float] | None = None,
    ) -> None:
        self._library, self._compared, self._b_iso = library, dict(compared), b_iso
        low, high = np.log(bond_range)
        self._target, start = "", low
        if target is not None:
            self._target = target[0]
            start = np.log(target[1]) if low <= np.log(target[1]) <= high else low
        below, above = (int(np.ceil(part / BOND_STEP)) for part in (start - low, high - start))
        self._log_bonds = start + BOND_STEP * np.arange(-below, above + 1)
        self._tables: dict[str, _Tables] = {}

    def at(
        self,
        curves: tuple[CurveName, ...],
        kind: str,
        *,
        log_atoms: FloatArray,
        log_bond: FloatArray,
    ) -> FloatArray:
        """Return the distance at ln(atoms) and ln(bond [Å]); beyond the ends as there.

        Parameters
        ----------
        curves : one, or all for the mean.
        """
        if kind not in self._tables:
            self._tables[kind] = self._made(kind)
        found = self._tables[kind]
        table = found.distances[curves]
        row = np.searchsorted(found.limits, log_atoms)
        place = np.clip((log_bond - self._log_bonds[0]) / BOND_STEP, 0, table.shape[1] - 1.001)
        below = place.astype(np.intp)
        part = place - below
        return np.asarray(table[row, below] * (1 - part) + table[row, below + 1] * part)

    def _made(self, kind: str) -> _Tables:
        kin = [e for e in self._library() if e.kind == kind]
        if not kin:
            raise BadSettings(f"the library holds no {kind} to foretell; raise most_atoms")
        kept = _by_size(kin, always=self._target)
        rows = [self._row(entry) for entry in kept]
        sizes = np.log([e.n_atoms for e in kept])
        distances: dict[tuple[CurveName, ...], FloatArray] = {
            (c,): np.stack([row[c] for row in rows]) for c in self._compared
        }
        distances[tuple(self._compared)] = np.mean(list(distances.values()), axis=0)
        return _Tables((sizes[1:] + sizes[:-1]) / 2, distances)

    def _row(self, entry: Entry) -> dict[CurveName, FloatArray]:
        """Return one structure's distance at every bond, (n_bonds,), for each curve."""
        q_max = max(float(window.q[-1]) for window, _ in self._compared.values())
        table = DebyeTable(entry, x_max=q_max * float(np.exp(self._log_bonds[-1])) * _BEYOND)
        row: dict[CurveName, FloatArray] = {}
        for curve, (window, distance) in self._compared.items():
            parts = self._s_minus_one(table, window.q)
            row[curve] = np.concatenate([distance(window.show(part)) for part in parts])
        return row

    def _s_minus_one(self, table: DebyeTable, q: FloatArray) -> Iterator[FloatArray]:
        """Yield S(Q) − 1 at all bonds, some at a time, (some, n_q).

        Over ln(Q · bond), a longer bond is a shift by nodes that all Q share.
        """
        step = BOND_STEP / _FINER
        n_bonds = len(self._log_bonds)
        place = np.log(q / q[0]) / step
        below = place.astype(np.intp)
        part = place - below
        n_nodes = _FINER * (n_bonds - 1) + int(below[-1]) + 2
        sums = table.sum(np.exp(np.log(q[0]) + self._log_bonds[0] + step * np.arange(n_nodes)))
        damping = debye_waller(q, self._b_iso)
        share_below, share_above = (1 - part) * damping, part * damping
        for first in range(0, n_bonds, _CHUNK):
            bonds = np.arange(first, min(first + _CHUNK, n_bonds))
            at = _FINER * bonds[:, None] + below
            yield sums[at] * share_below + sums[at + 1] * share_above


class KnownDistance:
    """A distance from the target as a function of type, bond and number of atoms.

    The curve is that of the library's structure of that type, nearest in size, at that bond;
    distance and ranges are those by which the agent compares. A `KnownFunction`.

    Attributes
    ----------
    quantity, question, answers, numbers, ranges, softness : see
        `analysis.protocols.KnownFunction`.
    """

    def __init__(
        self,
        quantity: str,
        foreteller: Foreteller,
        curves: Sequence[CurveName],
        *,
        ranges: tuple[tuple[float, float], ...],
        softness: float,
    ) -> None:
        self.quantity, self.question = quantity, "pdf.type"
        self.answers: tuple[str, ...] = tuple(LATTICES)
        self.numbers: tuple[str, ...] = ("pdf.bond", "pdf.n_atoms")
        self.ranges, self.softness = ranges, softness
        self._foreteller, self._curves = foreteller, tuple(curves)

    def __call__(self, answer: str, values: FloatArray) -> FloatArray:
        """Return the distance, (...), the mean over curves where it is that of several.

        Parameters
        ----------
        answer : type of the cluster.
        values : (..., 2) bond [Å] and number of atoms, both above zero.

        Raises
        ------
        BadSettings
            The type is not of the library, or the values have another last axis.
        """
        if answer not in self.answers:
            raise BadSettings(
                f"{self.quantity} is not known for {answer!r}; one of {', '.join(self.answers)} "
                "was expected"
            )
        if values.shape[-1:] != (2,) or not np.all(values > 0):
            raise BadSettings(
                f"{self.quantity} was asked for at values of shape {values.shape}, the least "
                f"{values.min() if values.size else 'none'}; (..., 2) bonds and numbers of atoms "
                "above zero were expected"
            )
        bond, atoms = np.log(values[..., 0]), np.log(values[..., 1])
        return self._foreteller.at(self._curves, answer, log_atoms=atoms, log_bond=bond)


def _by_size(entries: Sequence[Entry], *, always: str) -> list[Entry]:
    """Return the entries by size, one a step, the named one among them."""
    kept: list[Entry] = []
    for entry in sorted(entries, key=lambda e: (e.n_atoms, e.name != always)):
        if not kept or np.log(entry.n_atoms / kept[-1].n_atoms) > SAME_SIZE:
            kept.append(entry)
        elif entry.name == always:
            kept[-1] = entry
    return kept

"""Molecules as numbers, for categories that are substances. Needs RDKit, imported when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.categories import informative
from planners.errors import PlanningError

RADIUS = 2
"""Bonds from each atom that a fingerprint looks at (Morgan radius 2 is ECFP4)."""

BITS = 2048
SHARE = 0.95
"""Share of the fingerprints' variance after which further components are left out."""

ALIKE = 0.9
"""Absolute correlation from which a number is left out beside an earlier one."""

Array = npt.NDArray[np.float64]


class MissingChemistry(PlanningError, ImportError):
    """RDKit is wanted and not installed."""


def described_molecules(
    smiles: Sequence[str], *, n_fingerprint: int = 3
) -> tuple[tuple[str, ...], Array]:
    """Return names and values of numbers that describe molecules.

    Mass of the commonest isotopes, octanol-water partition coefficient (Wildman & Crippen 1999,
    doi:10.1021/ci990307l), polar surface area (Ertl et al. 2000, doi:10.1021/jm000942e), hydrogen
    bond donors and acceptors, rotatable bonds and rings; then the leading principal components of
    the square roots of Morgan counts (Rogers & Hahn 2010, doi:10.1021/ci100050t), which are
    uncorrelated. What repeats an earlier number is left out (absolute correlation above `ALIKE`).
    The components depend on the set of molecules. What a molecule does in a
    particular reaction is not modelled.

    Parameters
    ----------
    smiles : one a molecule.
    n_fingerprint : principal components at most; fewer where `SHARE` of the variance is reached.

    Returns
    -------
    Names, and shape (n_molecules, n_names).

    Raises
    ------
    MissingChemistry
        RDKit is not installed.
    ValueError
        A SMILES cannot be read.
    """
    _require_rdkit()
    molecules = [_molecule(text) for text in smiles]
    properties = _properties()
    numbers = np.array([[float(f(m)) for f in properties.values()] for m in molecules])
    scores = _components(_counts(molecules), n_fingerprint)
    names = [*properties, *(f"structure_{i + 1}" for i in range(scores.shape[1]))]
    table = np.concatenate([numbers, scores], axis=1)
    kept = informative(table, limit=ALIKE)
    return tuple(names[j] for j in kept), table[:, kept]


def _require_rdkit() -> None:
    try:
        import rdkit.Chem.rdFingerprintGenerator  # noqa: F401
    except ImportError as error:
        raise MissingChemistry(
            "descriptors from SMILES need RDKit, which cannot be imported "
            f"({error}); install it with `pip install 'sdlab[chem]'`, or give a table of numbers"
        ) from error


def _molecule(text: str) -> Any:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(text) if text else None
    if molecule is None:
        raise ValueError(f"{text!r} is no SMILES that RDKit can read; correct it")
    return molecule


def _properties() -> dict[str, Callable[[Any], float]]:
    from rdkit.Chem import rdMolDescriptors

    return {
        "mass": rdMolDescriptors.CalcExactMolWt,
        "log_p": lambda molecule: float(rdMolDescriptors.CalcCrippenDescriptors(molecule)[0]),
        "polar_area": rdMolDescriptors.CalcTPSA,
        "donors": rdMolDescriptors.CalcNumHBD,
        "acceptors": rdMolDescriptors.CalcNumHBA,
        "rotatable_bonds": rdMolDescriptors.CalcNumRotatableBonds,
        "rings": rdMolDescriptors.CalcNumRings,
    }


def _counts(molecules: Sequence[Any]) -> Array:
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    counts = np.array([generator.GetCountFingerprintAsNumPy(m) for m in molecules])
    return np.asarray(np.sqrt(counts.astype(np.float64)))


def _components(table: Array, n: int) -> Array:
    """Return the leading principal components, shape (n_rows, at most n); signs are fixed."""
    centred = table - table.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    power = sizes**2
    if power.sum() <= 1e-12:
        return np.zeros((len(table), 0))
    enough = int(np.searchsorted(np.cumsum(power) / power.sum(), SHARE)) + 1
    kept = min(n, enough, len(table) - 1)
    signs = np.sign(right[np.arange(kept), np.abs(right[:kept]).argmax(axis=1)])
    return np.asarray(left[:, :kept] * sizes[:kept] * signs)

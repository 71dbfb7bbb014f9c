"""How strongly an element scatters: X-ray form factors and neutron lengths, from gemmi's tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPhase

FloatArray = NDArray[np.float64]
Probe = Literal["x-ray", "neutron"]


def scattering_factor(element: str, q: FloatArray, *, probe: Probe = "x-ray") -> FloatArray:
    """Return f(Q) [electrons] of a neutral atom, or its scattering length [fm] at every Q.

    f₀ = Σ aₖ exp(−bₖ (Q/4π)²) + c with the coefficients of International Tables C, table 6.1.1.4
    (doi:10.1107/97809553602060000600); bound coherent lengths of the natural elements after Sears
    (1992, doi:10.1080/10448639208218770). Anomalous scattering is not part of it.

    Parameters
    ----------
    element : symbol, such as ``Ni``.
    q : (n_q,) momentum transfer [1/Å]; the fit of f₀ holds to about 25 Å⁻¹.

    Raises
    ------
    BadPhase
        The symbol names no element.
    """
    known = _known(element)
    if probe == "neutron":
        return np.full_like(q, known.neutron92.calculate_sf(0.0))
    stol2 = (q / (4 * np.pi)) ** 2
    terms = zip(known.it92.a, known.it92.b, strict=True)
    return np.asarray(sum(a * np.exp(-b * stol2) for a, b in terms) + known.it92.c)


@lru_cache(maxsize=256)
def forward_scattering(element: str, *, probe: Probe = "x-ray") -> float:
    """Return the number of electrons Z, or the neutron scattering length [fm].

    What pair sums in real space weigh their atoms by: as if all form factors had one shape.

    Raises
    ------
    BadPhase
        The symbol names no element.
    """
    known = _known(element)
    if probe == "neutron":
        return float(known.neutron92.calculate_sf(0.0))
    return float(known.atomic_number)


def _known(element: str) -> gemmi.Element:
    known = gemmi.Element(element)
    if known.atomic_number == 0:
        raise BadPhase(f"{element!r} is no element; give a symbol such as 'Ni'")
    return known

"""Sobol' indices: the share of a function's variance that comes from each input."""

from __future__ import annotations

import numpy as np

from planners.columns import Array


def first_order(f_a: Array, f_b: Array, f_exchanged: Array) -> Array:
    """Return the share of the variance that each input explains alone.

    ``S_i = Var(E[f | x_i]) / Var(f)``, estimated as the mean of ``f_B (f_A^(i) - f_A)`` over the
    variance (Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018, their table 2 b); f is centred
    first, which lowers the error. An estimate may fall a little outside 0 … 1.

    Parameters
    ----------
    f_a, f_b : the function at two independent samples A and B, shape (n, n_functions).
    f_exchanged : the function at A with input i taken from B, shape (n_inputs, n, n_functions).

    Returns
    -------
    Shape (n_inputs, n_functions); 0 for a constant function.
    """
    centre = 0.5 * (f_a.mean(axis=0) + f_b.mean(axis=0))
    own = ((f_b - centre) * (f_exchanged - f_a)).mean(axis=1)
    return _share(own, f_a, f_b)


def total_effect(f_a: Array, f_b: Array, f_exchanged: Array) -> Array:
    """Return the share of the variance that would go if all inputs but one were known.

    ``T_i = E[Var(f | x_~i)] / Var(f)``, estimated as half the mean of ``(f_A - f_A^(i))²`` over
    the variance (Jansen 1999, doi:10.1016/S0010-4655(98)00154-4). Interactions count for every
    input that takes part, so the sum over inputs is 1 or more. See `first_order` for the
    parameters and the shape of what comes back.
    """
    own = 0.5 * ((f_a - f_exchanged) ** 2).mean(axis=1)
    return _share(own, f_a, f_b)


def _share(own: Array, f_a: Array, f_b: Array) -> Array:
    variance = np.concatenate([f_a, f_b]).var(axis=0)
    share = np.divide(own, variance, out=np.zeros_like(own), where=variance > 0)
    return np.asarray(share)

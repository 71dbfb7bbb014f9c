"""When one Gaussian process is not enough: which models predict a quantity together."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.forest import grow
from planners.bayesian.saas import fit_saas
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Standardised, Surrogate, Surrogates, standardised
from planners.bayesian.transfer import EarlierProcess, learnt_from
from planners.bayesian.weighing import Mixture, foretells_well, weighed
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation

logger = logging.getLogger(__name__)

MANY_NAMES = 12
"""Names above which few are believed to matter, unless the settings say otherwise."""

LEAST_FOR_SAAS, MOST_FOR_SAAS = 8, 100
"""Experiments between which that belief is worth its seconds: fewer tell nothing apart."""

N_SPARSE = 8
"""Draws of a sparse process that predict together; the search costs in proportion."""

ENOUGH = 0.3
"""Weight of earlier campaigns from which on they choose instead of an even filling."""

LEAST_FOR_FOREST = 8
"""Experiments before which trees have nothing to cut."""


def blended(
    surrogates: Surrogates,
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    earlier: Mapping[str, tuple[EarlierProcess, ...]],
    settings: BayesianSettings,
) -> Surrogates:
    """Return surrogates in which several models predict where that pays.

    Earlier campaigns that foretell what is known join with their weights. Where none does, trees
    join in a finite space scored in closed form, in ``auto`` where the process predicts badly; and
    in a space that is not finite a sparse process takes over, in ``auto`` with many names.

    Parameters
    ----------
    surrogates : one process a quantity, fitted to the observations.
    earlier : quantity → processes of earlier campaigns.
    """
    if objective.maps or (settings.surrogate == "gp" and not any(earlier.values())):
        return surrogates
    closed = encoding.table is not None and marginal.is_normal(objective)
    found: dict[str, Surrogate] = {}
    for quantity, surrogate in surrogates.items():
        rows = [o for o in observations if not o.failed and quantity in o.outcomes]
        rng = np.random.default_rng([settings.seed, len(rows)])
        taught = _taught(surrogate, earlier.get(quantity, ()), encoding, quantity, rows, rng)
        if taught is not None:
            found[quantity] = taught
        elif closed and _wants_trees(surrogate, settings, len(rows)):
            table = standardised(encoding, quantity, rows)
            found[quantity] = replace(surrogate, blend=_with_trees(surrogate, table, rng))
        elif encoding.table is None and _wants_sparse(encoding, settings, len(rows)):
            table = standardised(encoding, quantity, rows)
            found[quantity] = _sparse(surrogate, encoding, table, rng)
        else:
            found[quantity] = surrogate
    return found


def vouched_for(surrogates: Surrogates, earlier: Mapping[str, tuple[EarlierProcess, ...]]) -> bool:
    """Return whether earlier campaigns have enough weight to choose by, in every quantity."""
    return all(
        _weight_of({e.name for e in earlier.get(quantity, ())}, surrogate.blend) >= ENOUGH
        for quantity, surrogate in surrogates.items()
    )


def _weight_of(names: set[str], blend: Mixture | None) -> float:
    if blend is None:
        return 0.0
    return float(sum(w for n, w in zip(blend.names, blend.weights, strict=True) if n in names))


def _taught(
    surrogate: Surrogate,
    earlier: Sequence[EarlierProcess],
    encoding: Encoding,
    quantity: str,
    rows: Sequence[Observation],
    rng: np.random.Generator,
) -> Surrogate | None:
    """Return a surrogate with the earlier processes that have weight, None without any."""
    if not earlier:
        return None
    table = standardised(encoding, quantity, rows)
    mixture = learnt_from(surrogate.process, earlier, known=table.known, extra=table.extra, rng=rng)
    return replace(surrogate, blend=mixture) if len(mixture.members) > 1 else None


def _wants_trees(surrogate: Surrogate, settings: BayesianSettings, n: int) -> bool:
    if n < LEAST_FOR_FOREST or settings.surrogate not in ("auto", "ensemble"):
        return False
    return settings.surrogate == "ensemble" or not foretells_well(surrogate.process)


def _wants_sparse(encoding: Encoding, settings: BayesianSettings, n: int) -> bool:
    if settings.surrogate == "saas":
        return n >= LEAST_FOR_SAAS
    many = len(encoding.group_names) > MANY_NAMES
    return settings.surrogate == "auto" and many and LEAST_FOR_SAAS <= n <= MOST_FOR_SAAS


def _with_trees(surrogate: Surrogate, table: Standardised, rng: np.random.Generator) -> Mixture:
    stated = np.where(np.isnan(table.known), 0.0, table.known)
    forest = grow(table.x, table.y, 1.0 / (1.0 + stated + table.extra), rng=rng)
    return weighed([surrogate.process, forest], ("", "forest"))


def _sparse(
    surrogate: Surrogate, encoding: Encoding, table: Standardised, rng: np.random.Generator
) -> Surrogate:
    """Return a surrogate told by draws of a sparse process; that nearest their median leads."""
    draws = fit_saas(
        table.x,
        table.y,
        table.known,
        table.extra,
        groups=encoding.groups,
        n_kept=N_SPARSE,
        rng=rng,
    )
    lengths = np.log([p.parameters.lengths for p in draws])
    middle = int(np.argmin(np.abs(lengths - np.median(lengths, axis=0)).sum(axis=1)))
    weights = np.full(len(draws), 1.0 / len(draws))
    return replace(
        surrogate,
        process=draws[middle],
        blend=Mixture(draws, weights, ("",) * len(draws)),
    )

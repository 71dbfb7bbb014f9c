"""Structure as evidence, where nobody knows what the wanted quantity has to do with it.

A second process joins that of the settings: it holds samples for alike that are alike in what
agents read of them. What each foretells of known outcomes, told without them, decides whom to
believe, so that structure that tells nothing costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planners.bayesian.blending import blended
from planners.bayesian.feasibility import success_model
from planners.bayesian.gaussian_process import SurrogateFailed
from planners.bayesian.goals.serving import first_experiments, is_served_here
from planners.bayesian.marginal import is_normal
from planners.bayesian.sampling import sampled
from planners.bayesian.seeking import aimed_at, is_sought
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.suggest import suggest
from planners.bayesian.surrogate import Surrogate, Surrogates, fit_surrogates, standardised
from planners.bayesian.weighing import Mixture, weighed
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point
from planners.structural.additive import AdditiveProcess
from planners.structural.additive_fit import fit_additive
from planners.structural.families import families_of
from planners.structural.grounds import grounded
from planners.structural.whereabouts import Whereabouts

logger = logging.getLogger(__name__)

MEMBER = "structure"
"""How the process with structure is called in the record of a proposal."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What structure tells of the outcomes so far.

    Attributes
    ----------
    surrogates : quantity → its surrogate, of which the process with structure is a member.
    processes : quantity → that process.
    families : where samples lie in each family of readings.
    sought : whether a level is asked for that nothing is expected to have reached yet.
    """

    surrogates: dict[str, Surrogate]
    processes: dict[str, AdditiveProcess]
    families: tuple[Whereabouts, ...]
    sought: bool = False


def can_be_evidence(objective: Objective, settings: BayesianSettings) -> bool:
    """Return whether something is maximised or minimised at equal prices.

    Earlier campaigns tell no structure, so that a planner that learns from them does without it.
    """
    served = is_normal(objective) and not is_served_here(objective, settings)
    return served and not settings.learn_from


def gathered(
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    *,
    settings: BayesianSettings,
    at_face_value: bool,
    among: Sequence[str] = (),
) -> Evidence | None:
    """Return the surrogates with structure among them, None while there is too little to tell.

    Parameters
    ----------
    among : names of the families of readings that may be evidence; all if empty.
    """
    made = [o for o in observations if not o.failed]
    if len(made) + len(pending) < first_experiments(encoding, objective, settings):
        return None
    try:
        families = _whereabouts(encoding, made, at_face_value=at_face_value, among=among)
        if not families:
            return None
        surrogates = dict(fit_surrogates(encoding, objective, observations))
        processes = {
            q: _additive(encoding, q, observations, families) for q in objective.quantities
        }
    except SurrogateFailed as error:
        logger.warning("structure was not weighed: %s", error)
        return None
    told: Surrogates = surrogates
    sought = is_sought(objective, surrogates, encoding.encode_observations(made))
    # Trees join what is scored row by row; they know nothing of what nobody has made yet.
    if encoding.table is not None and not sought:
        told = blended(surrogates, encoding, objective, observations, earlier={}, settings=settings)
    joined = {q: _with_structure(s, processes[q]) for q, s in told.items()}
    return Evidence(joined, processes, families, sought)


def choose_by(
    evidence: Evidence,
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    n: int,
    *,
    settings: BayesianSettings,
    rng: np.random.Generator,
) -> list[Proposal]:
    """Return `n` proposals: from a finite space as `bayesian` chooses, unless a level is sought."""
    choose = sampled if evidence.sought or encoding.table is None else suggest
    proposals = choose(
        encoding,
        objective,
        evidence.surrogates,
        success=success_model(encoding, observations),
        observations=observations,
        pending=pending,
        n=n,
        settings=settings,
        rng=rng,
    )
    waiting = list(pending)
    found = []
    for proposal in proposals:
        told = _told(proposal, evidence)
        found.append(
            grounded(
                told,
                encoding,
                objective,
                evidence.surrogates,
                evidence.families,
                observations=observations,
                pending=waiting,
                kind="log_nei" if choose is sampled else settings.acquisition,
                least=aimed_at(objective) if evidence.sought else -np.inf,
            )
        )
        waiting.append(proposal.values)
    return found


def _whereabouts(
    encoding: Encoding, made: Sequence[Observation], *, at_face_value: bool, among: Sequence[str]
) -> tuple[Whereabouts, ...]:
    if not made:
        return ()
    x = encoding.encode_observations(made)
    return tuple(
        Whereabouts(f, x, groups=encoding.groups, at_face_value=at_face_value)
        for f in families_of(made, among=among)
    )


def _additive(
    encoding: Encoding,
    quantity: str,
    observations: Sequence[Observation],
    families: Sequence[Whereabouts],
) -> AdditiveProcess:
    rows = [o for o in observations if not o.failed and quantity in o.outcomes]
    table = standardised(encoding, quantity, rows)
    return fit_additive(
        table.x, table.y, table.known, table.extra, groups=encoding.groups, families=families
    )


def _with_structure(surrogate: Surrogate, process: AdditiveProcess) -> Surrogate:
    """Return a surrogate in which structure has a say as far as it foretells."""
    others = surrogate.blend
    if others is None:
        others = Mixture((surrogate.process,), np.ones(1), ("",))
    mixture = weighed([*others.members, process], (*others.names, MEMBER))
    return replace(surrogate, blend=mixture)


def _told(proposal: Proposal, evidence: Evidence) -> Proposal:
    """Return the proposal with what structure had to do with it."""
    parts, model = [], dict(proposal.reason.model)
    for quantity, surrogate in evidence.surrogates.items():
        assert surrogate.blend is not None
        weight = float(surrogate.blend.weights[-1])
        shares = evidence.processes[quantity].parameters.shares
        named = {f.family.name: float(s) for f, s in zip(evidence.families, shares, strict=True)}
        model |= {f"{quantity} follows {name}": weight * s for name, s in named.items()}
        most = max(named, key=lambda name: named[name])
        parts.append(
            f"Structure has weight {weight:.2f} in what foretells {quantity}; there "
            f"{most} tells {named[most]:.0%} of its variance"
        )
    text = f"{proposal.reason.text} {'; '.join(parts)}. {_doubts(evidence.families)}"
    reason = proposal.reason.model_copy(
        update={"text": text, "model": model, "planner": "structure"}
    )
    return proposal.model_copy(update={"reason": reason})


def _doubts(families: Sequence[Whereabouts]) -> str:
    found = []
    for f in families:
        doubted = int((f.right < 0.5).sum())
        if doubted:
            found.append(f"{doubted} of {len(f.right)} readings of {f.family.name}")
    return f"Doubted: {', '.join(found)}." if found else "No reading is doubted."

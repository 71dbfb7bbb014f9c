"""Grounds of a choice by structure: doubted readings, and what settings alone would do."""

from __future__ import annotations

import numpy as np

from planners import Observation
from planners.bayesian.settings import BayesianSettings
from planners.encoding import Encoding
from planners.structural.evidence import choose_by, gathered
from planners.structural.planner import make
from tests.planners.structural.test_evidence import OBJECTIVE, candidates, made, space, structure


def observations() -> list[Observation]:
    """Return twenty samples, the reading of the last one being that of the other phase."""
    rng = np.random.default_rng(4)
    rows = np.random.default_rng(5).choice(len(candidates()), 20, replace=False)
    found = made(rows, rng=rng)
    share = float(found[-1].structure.answers["phase"].probabilities["hard"] < 0.5)
    wrong = structure(share, rng, p_wrong=0.1)
    return [*found[:-1], found[-1].model_copy(update={"structure": wrong})]


def test_a_wrong_reading_is_named_with_its_sample_and_what_its_agent_had_said() -> None:
    known = observations()
    [proposal] = make({}).propose(
        space(), OBJECTIVE, observations=known, rng=np.random.default_rng(0)
    )
    iron = f"iron = {known[-1].values['iron']:.4g}"
    named = [s for s in proposal.reason.grounds.evidence if "held for wrong" in s]
    assert any(iron in s and "its agent said 0.10" in s for s in named)


def test_what_settings_alone_would_choose_is_what_bayesian_surrogates_choose() -> None:
    known = observations()
    encoding = Encoding(space())
    settings = BayesianSettings()
    told = gathered(encoding, OBJECTIVE, known, (), settings=settings, at_face_value=False)
    assert told is not None
    [proposal] = choose_by(
        told, encoding, OBJECTIVE, known, (), 1, settings=settings, rng=np.random.default_rng(0)
    )
    [alone] = make({}).propose(
        space(),
        OBJECTIVE,
        observations=[o.model_copy(update={"structure": type(o.structure)()}) for o in known],
        rng=np.random.default_rng(0),
    )
    first = proposal.reason.grounds.would_change[0]
    if alone.values == proposal.values:
        assert "the same point" in first
    else:
        assert f"iron = {alone.values['iron']:.4g}" in first

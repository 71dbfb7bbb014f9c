"""Scores of phase maps: names do not matter, wrong borders do."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from planning import phase_worlds
from planning.mapped_libraries import agreement, foretold_phases, regions_of


def test_maps_that_differ_in_names_alone_agree() -> None:
    true = np.array([0, 0, 1, 1, 2, 2])
    assert agreement(np.array([2, 2, 0, 0, 1, 1]), true) == pytest.approx((1.0, 1.0))


def test_one_region_for_everything_is_right_about_the_largest_alone() -> None:
    true = np.array([0, 0, 0, 1, 1, 2])
    index, accuracy = agreement(np.zeros(6, dtype=np.int64), true)
    assert accuracy == pytest.approx(0.5)
    # Of 15 pairs 4 lie in one true region, and all in one found region: √(4/15 · 4/4).
    assert index == pytest.approx(np.sqrt(4 / 15))


def test_regions_too_many_count_as_wrong() -> None:
    true = np.zeros(6, dtype=np.int64)
    assert agreement(np.array([0, 0, 0, 0, 1, 2]), true)[1] == pytest.approx(4 / 6)


def test_true_regions_are_those_whose_phase_sets_the_property() -> None:
    library = phase_worlds.library("step", 3)
    regions = regions_of("step", 3)
    within = sum(library.value[regions == k].var() * (regions == k).mean() for k in range(6))
    assert within < 0.5 * library.value.var()


def test_a_map_of_true_answers_is_as_sure_as_it_is_right() -> None:
    told = [foretold_phases(seed, n_read=30, share_wrong=0.0) for seed in (10, 11, 12, 13)]
    sure, right = (np.concatenate(part) for part in zip(*told, strict=True))
    # 680 samples about four maps: their frequency is known to about 0.05.
    assert sure.mean() == pytest.approx(right.mean(), abs=0.1)

"""Phase maps and the patterns of demixed phases as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.report.figures import phase_map_figure, phase_patterns_figure

SHARES = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])


def test_a_phase_map_names_corners_and_phases() -> None:
    picture = phase_map_figure(
        100 * SHARES, SHARES[:, :2], corners=("Bi", "Cu", "V"), format="svg"
    ).decode()
    for word in ("Bi", "Cu", "V", "phase 1", "phase 2", "share of the highest peaks"):
        assert f">{word}<" in picture


def test_a_map_of_two_components_is_refused() -> None:
    with pytest.raises(ValueError, match="three shares"):
        phase_map_figure(SHARES[:, :2], SHARES, corners=("Bi", "Cu"))


def test_patterns_carry_the_names_of_their_phases_and_the_axis() -> None:
    x = np.linspace(1, 2, 20)
    picture = phase_patterns_figure(
        x, np.array([x, x[::-1]]), x_name="q", x_unit="1/Å", names=("rust", "salt"), format="svg"
    ).decode()
    for word in ("rust", "salt", "intensity, each to its highest peak"):
        assert f">{word}<" in picture

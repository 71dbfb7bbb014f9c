"""Maps of many files: every quantity in its place, also where a file is missing."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AnalysisError
from analysis.insight import Estimate, Insight
from analysis.xrd.maps import map_of
from orchestrator.cli.analysed_output import write_map
from orchestrator.report.figures import quantity_map_figure
from orchestrator.report.figures.quantity_map import _filled

KEYS = ["xrd.weight_fraction.rutile", "xrd.lattice.rutile.a"]


def told(k: int) -> Insight:
    """Return what was read of file k: both quantities, or the fraction alone of an odd one."""
    values = {KEYS[0]: Estimate(k / 10, 0.01, "")}
    if k % 2 == 0:
        values[KEYS[1]] = Estimate(4.59 + k / 1000, None, "Å")
    return Insight(f"scan_{k}/xrd.parameters", "xrd.parameters", (f"scan_{k}",), values)


def size(picture: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(picture)).size


def test_a_panel_a_quantity_that_was_told() -> None:
    insights = [told(k) for k in range(6)]
    both = quantity_map_figure(insights, KEYS, places=range(6), columns=3)
    one = quantity_map_figure(insights, [KEYS[0], "xrd.displacement"], places=range(6), columns=3)
    assert size(both)[0] > size(one)[0]


def test_a_missing_file_leaves_its_place_empty() -> None:
    places = np.array([0, 1, 3, 5])  # files 2 and 4 could not be read
    found = map_of([told(int(k)) for k in places], KEYS[0], x=places % 3 + 1, y=places // 3 + 1)
    expected = [[0.0, 0.1, np.nan], [0.3, np.nan, 0.5]]
    np.testing.assert_allclose(_filled(found), expected)


def test_without_rows_it_is_a_curve_over_the_files() -> None:
    insights = [told(k) for k in range(4)]
    curve = quantity_map_figure(insights, KEYS, places=range(4))
    assert curve != quantity_map_figure(insights, KEYS, places=range(4), columns=2)


def test_nothing_to_draw_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="nothing to draw"):
        write_map(
            [told(0)], tmp_path / "m.png", quantities=["xrd.displacement"], places=[0], columns=None
        )
    assert not (tmp_path / "m.png").exists()

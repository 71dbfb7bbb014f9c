import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.insight import Curve, Insight
from orchestrator.cli.analysed_output import Output
from orchestrator.report.figures import attribution_figure

ANSWERS = {"cubic": 0.7, "tetragonal": 0.2, "triclinic": 0.1}


def curve(n_parts: int) -> Curve:
    added = np.random.default_rng(0).normal(0.0, 0.05, (n_parts, 3))
    columns = {f"part {i}": values for i, values in enumerate(added)}
    average = np.array(list(ANSWERS.values())) - added.sum(axis=0)
    return Curve(np.arange(3.0), "crystal_system", "", {"average": average} | columns)


def test_the_figure_grows_with_the_parts_and_joins_the_smallest() -> None:
    few, many, more = (
        Image.open(io.BytesIO(attribution_figure(curve(n), ANSWERS))).height for n in (3, 12, 30)
    )
    assert few < many == more


def test_answers_must_be_as_many_as_points() -> None:
    with pytest.raises(ValueError, match="2 answers for 3 points"):
        attribution_figure(curve(3), {"cubic": 0.5, "other": 0.5})


def test_what_an_answer_rests_on_is_written_beside_the_pattern(tmp_path: Path) -> None:
    x = np.linspace(10.0, 80.0, 50)
    insight = Insight(
        id="mineral/xrd/0/xrd.symmetry",
        agent="xrd.symmetry",
        measurement_ids=("mineral/xrd/0",),
        class_probabilities={"xrd.crystal_system": ANSWERS},
        evidence={
            "pattern": Curve(x, "two_theta", "deg", {"observed": x}, "counts"),
            "attribution": curve(5),
        },
    )
    with Output(json_file=None, csv_file=None, figures=tmp_path, quantities=()) as output:
        output.add(tmp_path / "mineral.xy", insight)
    assert {path.name for path in tmp_path.iterdir()} == {"mineral.png", "mineral_attribution.png"}

"""pdf.target: how far a sample is from the structure that is wanted, and what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.conformance import check_agent
from analysis.errors import BadPhase, BadSettings
from analysis.insight import Insight
from analysis.pdf.agents.target import DISTANCE, TargetAgent, make
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.clusters import ideal_clusters
from analysis.pdf.transform import QRange
from analysis.protocols import KnownFunction
from instruments.measurement import Measurement

START = datetime(2026, 1, 1, tzinfo=UTC)
R = np.arange(1.0, 32.0, 0.02)
Q_RANGE = (1.0, 15.0)
B_ISO = 0.5
BOND = 2.88
SHAPES = {c.parent: c for c in ideal_clusters(most_atoms=150, fewest_atoms=50)}
CLUSTER = {"type": "icosahedron", "n_atoms": 55, "bond": BOND}
SETTINGS: dict[str, object] = {
    "cluster": CLUSTER,
    "curves": ["s_q", "g_r"],
    "element": "Au",
    "q_range": Q_RANGE,
    "most_atoms": 150,
    "bond_range": (2.7, 3.1),
}
RNG = np.random.default_rng


def measured(y_name: str, x: np.ndarray, y: np.ndarray, **more: object) -> Measurement:
    axis, unit = ("r", "Å") if y_name == "g_r" else ("q", "1/Å")
    made = Measurement(
        id=f"gold/pdf/{y_name}",
        sample_id="gold",
        technique="pdf",
        x=x,
        y=y,
        sigma=None,
        x_name=axis,
        x_unit=unit,
        y_name=y_name,
        y_unit="",
        instrument="test",
        simulated=True,
        started=START,
        finished=START,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def curves(parent: str, bond: float, q_range: tuple[float, float] = Q_RANGE) -> list[Measurement]:
    """Return S(Q) and G(r) by Debye's equation pair by pair: another engine than the agent's."""
    pdf = ClusterPDF(SHAPES[parent].positions * bond, "Au", R, QRange(*q_range))
    said = ClusterParameters(b_iso=B_ISO, q_damp=0.04)
    s_q = measured("s_q", pdf.q, pdf.s_q(said).numpy())
    return [s_q, measured("g_r", R, pdf.g_r(said).numpy())]


def distance(insight: Insight, curve: str | None = None) -> float:
    return insight.estimates[f"{DISTANCE}.{curve}" if curve else DISTANCE].value


@pytest.fixture(scope="module")
def agent() -> TargetAgent:
    return make(SETTINGS, Path())


def test_it_conforms(agent: TargetAgent) -> None:
    insight = check_agent(agent, curves("icosahedron 3", 2.9), rng=RNG(0))
    assert set(insight.estimates) == set(agent.quantities)


def test_the_target_itself_is_no_distance_away(agent: TargetAgent) -> None:
    insight = agent.analyze(curves("icosahedron 3", BOND), rng=RNG(0))
    # averages over 0.01 1/Å and grids of another step than the agent's
    assert distance(insight, "s_q") < 0.01
    assert distance(insight, "g_r") < 0.02
    assert insight.p_wrong == 0.0


@pytest.mark.parametrize("name", ["rwp", "rwp_scaled_to_peak", "stretched", "transport"])
def test_what_is_known_of_a_structure_is_what_its_measurement_says(name: str) -> None:
    agent = make(SETTINGS | {"distance": name}, Path())
    for parent, bond in (("icosahedron 3", 2.93), ("icosahedron 4", 2.81), ("octahedron 5-0", 2.9)):
        insight = agent.analyze(curves(parent, bond), rng=RNG(0))
        at = np.array([bond, len(SHAPES[parent])])
        for known in agent.known_functions:
            assert isinstance(known, KnownFunction)
            foretold = known(SHAPES[parent].kind, at)
            # another engine and other grids, as for the target itself
            said = insight.estimates[known.quantity].value
            assert foretold == pytest.approx(said, rel=0.01, abs=0.002)


def test_unknown_types_and_misshapen_numbers_are_refused(agent: TargetAgent) -> None:
    known = agent.known_functions[-1]
    with pytest.raises(BadSettings, match="wurtzite"):
        known("wurtzite", np.array([2.8, 55.0]))
    with pytest.raises(BadSettings, match=r"\(3,\)"):
        known("fcc", np.array([2.8, 55.0, 1.0]))


def test_known_functions_keep_the_shape_of_the_values(agent: TargetAgent) -> None:
    values = np.full((3, 4, 2), 55.0)
    values[..., 0] = 2.8
    found = agent.known_functions[0]("icosahedron", values)
    assert found.shape == (3, 4)
    assert np.ptp(found) == 0.0


def test_a_target_beyond_the_library_is_refused_with_its_neighbours() -> None:
    with pytest.raises(BadSettings, match="icosahedron of 90 atoms; it has icosahedron"):
        make(SETTINGS | {"cluster": CLUSTER | {"n_atoms": 90}}, Path())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"xyz": "a.xyz"}, "exactly one"),
        ({"cluster": None}, "nothing is said"),
        ({"cluster": {"type": "fcc", "bond": 2.8}}, "neither of n_atoms and size"),
        ({"curves": ["g_r", "g_r"]}, "name each once"),
        ({"curves": ["i_q"], "element": None}, "say element"),
        ({"r_range": (5.0, 2.0)}, "r_range runs from 5 to 2"),
    ],
)
def test_wrong_settings_say_what_to_do(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make(SETTINGS | wrong, Path())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match=r"none\.xyz"):
        make(SETTINGS | {"cluster": None, "xyz": "none.xyz"}, tmp_path)
    with pytest.raises(BadSettings, match=r"none\.gr"):
        make(SETTINGS | {"cluster": None, "files": ["none.gr"]}, tmp_path)

"""pdf.target: how far a sample is from the structure that is wanted, and what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from pydantic import ValidationError
from scipy.spatial.distance import pdist

from analysis.conformance import check_agent
from analysis.errors import BadPhase, BadSettings
from analysis.insight import Insight
from analysis.pdf.agents.target import DISTANCE, TargetAgent, make
from analysis.pdf.aims.windows import sine_kernel
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.clusters import ideal_clusters
from analysis.pdf.transform import QRange
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import scattering_factor
from analysis.physics.structures import structure
from analysis.protocols import KnownFunction
from instruments.formats import read_measurement
from instruments.measurement import Measurement
from tests.instruments.shared_data import data_set

START = datetime(2026, 1, 1, tzinfo=UTC)
R = np.arange(0.0, 32.0, 0.02)
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


def grain_positions(crystal: Crystal, diameter: float) -> np.ndarray:
    """Return a sphere of a face-centred metal around an atom."""
    a = crystal.structure.cell.a
    cells = np.stack(np.meshgrid(*3 * [np.arange(-9, 10)], indexing="ij"), -1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    positions = a * (cells + basis).reshape(-1, 3)
    return np.asarray(positions[np.linalg.norm(positions, axis=1) <= diameter / 2])


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


def test_g_r_is_made_from_s_q_where_only_that_was_measured(agent: TargetAgent) -> None:
    both = agent.analyze(curves("icosahedron 4", 2.85), rng=RNG(0))
    alone = agent.analyze(curves("icosahedron 4", 2.85)[:1], rng=RNG(0))
    # the instrument's Q_damp fades a measured G(r) and not one made here from a sharp S(Q)
    assert distance(alone, "g_r") == pytest.approx(distance(both, "g_r"), rel=0.15)
    assert distance(alone, "s_q") == distance(both, "s_q")


def test_f_q_and_i_q_of_an_element_say_what_s_q_says(agent: TargetAgent) -> None:
    s_q = curves("icosahedron 4", 2.85)[0]
    q, f = s_q.x, scattering_factor("Au", s_q.x)
    said = agent.analyze([s_q], rng=RNG(0))
    for name, y in (("f_q", q * (s_q.y - 1)), ("i_q", f**2 * s_q.y)):
        found = agent.analyze([measured(name, q, y)], rng=RNG(0))
        # what little noise smooth curves seem to have is not the same in all three
        assert distance(found, "s_q") == pytest.approx(distance(said, "s_q"), rel=1e-3)


def test_s_q_around_zero_is_taken_for_s_minus_one(agent: TargetAgent) -> None:
    s_q = curves("icosahedron 4", 2.85)[0]
    lowered = agent.analyze([replace(s_q, y=s_q.y - 1)], rng=RNG(0))
    assert distance(lowered, "s_q") == distance(agent.analyze([s_q], rng=RNG(0)), "s_q")
    assert any("S(Q) − 1" in remark for remark in lowered.remarks)


def test_the_std_is_the_spread_over_repeated_noise_and_the_mean_is_the_truth(
    agent: TargetAgent,
) -> None:
    s_q = curves("icosahedron 4", 2.85)[0]
    rng, sigma = RNG(0), np.full_like(s_q.y, 0.05)
    said = [
        agent.analyze([replace(s_q, y=s_q.y + noise, sigma=sigma)], rng=rng).estimates
        for noise in 0.05 * rng.normal(size=(60, s_q.y.size))
    ]
    true = agent.analyze([s_q], rng=rng).estimates
    for key in (f"{DISTANCE}.s_q", f"{DISTANCE}.g_r"):
        values = np.array([e[key].value for e in said])
        stated = np.mean([e[key].std or 0.0 for e in said])
        # a spread of 60 is known to 9 %, and so is each std, from 64 draws
        assert stated == pytest.approx(float(values.std()), rel=0.3), key
        # uncorrected, noise would add five of these
        assert float(values.mean()) == pytest.approx(true[key].value, abs=0.5 * values.std()), key


def test_noise_that_nobody_states_is_seen_over_q_and_unknown_over_r(agent: TargetAgent) -> None:
    s_q, g_r = curves("icosahedron 4", 2.85)
    noisy = s_q.y + 0.1 * RNG(0).normal(size=s_q.y.size)
    silent = agent.analyze([replace(s_q, y=noisy), g_r], rng=RNG(0))
    told = agent.analyze([replace(s_q, y=noisy, sigma=np.full_like(noisy, 0.1))], rng=RNG(0))
    key = f"{DISTANCE}.s_q"
    # the middle of third differences of a thousand points
    assert silent.estimates[key].std == pytest.approx(told.estimates[key].std, rel=0.15)
    assert silent.estimates[f"{DISTANCE}.g_r"].std is None
    assert silent.estimates[DISTANCE].std is None


def test_half_a_range_is_compared_with_doubt_and_less_is_not(agent: TargetAgent) -> None:
    short = agent.analyze(curves("icosahedron 3", BOND, (1.0, 10.0))[:1], rng=RNG(0))
    assert distance(short, "s_q") < 0.01
    assert short.p_wrong == pytest.approx(5 / 14, abs=0.01)
    tiny = agent.analyze(curves("icosahedron 3", BOND, (1.0, 6.0))[:1], rng=RNG(0))
    assert tiny.abstained
    assert "of the range" in tiny.remarks[0]


def test_without_one_curve_the_mean_is_not_told(agent: TargetAgent) -> None:
    insight = agent.analyze(curves("icosahedron 3", BOND)[1:], rng=RNG(0))
    assert set(insight.estimates) == {f"{DISTANCE}.g_r"}
    assert "no measurement holds s_q" in insight.remarks[0]


def test_a_height_that_is_off_is_remarked(agent: TargetAgent) -> None:
    s_q, g_r = curves("icosahedron 3", BOND)
    insight = agent.analyze([replace(g_r, y=0.3 * g_r.y), s_q], rng=RNG(0))
    assert any("0.3 times the target's height" in remark for remark in insight.remarks)


def test_evidence_shows_observed_beside_target(agent: TargetAgent) -> None:
    insight = agent.analyze(curves("icosahedron 4", BOND), rng=RNG(0))
    shown = insight.evidence["g_r"].columns
    assert np.array_equal(shown["difference"], shown["observed"] - shown["target"])


def test_an_xyz_file_is_the_cluster_it_holds(tmp_path: Path, agent: TargetAgent) -> None:
    write(tmp_path / "gold.xyz", Atoms("Au55", SHAPES["icosahedron 3"].positions * BOND))
    from_file = make(SETTINGS | {"cluster": None, "xyz": "gold.xyz"}, tmp_path)
    taken = curves("octahedron 5-0", 2.85)
    assert distance(from_file.analyze(taken, rng=RNG(0))) == pytest.approx(
        distance(agent.analyze(taken, rng=RNG(0))), rel=1e-3
    )


def test_a_grain_of_a_crystal_is_told_by_its_size() -> None:
    said = {"cluster": None, "cif": "nickel", "diameter": 16.0, "element": "Ni", "probe": "x-ray"}
    grains = make(SETTINGS | said, Path())
    nickel = structure("nickel")
    found = {}
    for diameter in (12.0, 16.0, 24.0):
        positions = grain_positions(nickel, diameter)
        pdf = ClusterPDF(positions, "Ni", R, QRange(*Q_RANGE))
        b_iso = ClusterParameters(b_iso=B_ISO, q_damp=0.04)
        taken = [measured("g_r", R, pdf.g_r(b_iso).numpy())]
        found[diameter] = distance(grains.analyze(taken, rng=RNG(0)), "g_r")
    assert min(found, key=lambda d: found[d]) == 16.0


def test_small_angles_tell_the_size() -> None:
    agent = make(SETTINGS | {"curves": ["i_q"], "small_q_range": (0.05, 1.0)}, Path())
    q = np.arange(0.02, 1.2, 0.01)
    f = scattering_factor("Au", q)
    values = []
    for parent in ("icosahedron 3", "icosahedron 4"):
        pdf = pdist(SHAPES[parent].positions * BOND)
        pairs = np.sinc(np.outer(q, pdf) / np.pi).sum(axis=1)
        damping = np.exp(-2 * B_ISO * (q / (4 * np.pi)) ** 2)
        i_q = f**2 * (1 + 2 * damping * pairs / len(SHAPES[parent]))
        values.append(distance(agent.analyze([measured("i_q", q, i_q)], rng=RNG(0)), "i_q"))
    assert values[0] < 0.01
    assert values[1] > 0.5


def test_measured_gold_is_compared_point_by_point_as_scattbo_counts() -> None:
    folder = data_set("pdf/scattbo")
    said = {
        "files": ["Experimental_Sq.sq", "Experimental_PDF.gr"],
        "curves": ["s_q", "g_r"],
        "distance": "rwp_scaled_to_peak",
        "q_range": (2.0, 10.0),
        "r_range": (0.0, 29.9),
        "most_atoms": 150,
    }
    agent = make(said, folder)
    taken = curves("icosahedron 4", 2.86, (2.0, 10.0))
    insight = agent.analyze(taken, rng=RNG(0))
    for name, sample in (("Experimental_Sq.sq", taken[0]), ("Experimental_PDF.gr", taken[1])):
        target = read_measurement(folder / name)
        simulated = sample.y - 1 if sample.y_name == "s_q" else sample.y
        simulated = np.interp(target.x, sample.x, simulated / simulated.max())
        inside = target.x <= 29.9
        t, y = target.y[inside] / target.y.max(), simulated[inside]
        rwp = float(np.sqrt(((t - y) ** 2).sum() / (t**2).sum()))
        # the grid holds an average of eight measured points
        assert distance(insight, sample.y_name) == pytest.approx(rwp, abs=0.01)


def test_measured_nickel_is_near_nickel_and_far_from_silver() -> None:
    taken = read_measurement(data_set("pdf/srfit_examples") / "ni-q27r60-xray.gr")
    found = {}
    for name in ("nickel", "silver"):
        said = {"cif": name, "distance": "stretched", "q_range": (0.7, 27.0), "q_damp": 0.05}
        found[name] = distance(make(said, Path()).analyze([taken], rng=RNG(0)))
    # one lattice, which is 16 % larger in silver; nothing is fitted, B least of all
    assert found["nickel"] < 0.35
    assert found["silver"] - found["nickel"] > 0.5


def test_s_q_and_g_r_of_a_crystal_belong_together() -> None:
    said = {"cif": "nickel", "curves": ["s_q", "g_r"], "q_range": (1.0, 20.0)}
    goals = make(said, Path()).comparer.goals
    made = goals["s_q"].y @ sine_kernel(goals["s_q"].x, goals["g_r"].x)
    off = np.linalg.norm(made - goals["g_r"].y) / np.linalg.norm(goals["g_r"].y)
    # one ends at 100 Å, the other fades within the termination's margin
    assert off < 0.02

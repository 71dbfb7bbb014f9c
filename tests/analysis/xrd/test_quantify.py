from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis import BadPattern, BadPhase, BadSettings
from analysis.conformance import check_agent
from analysis.physics.cell import scale_cell
from analysis.physics.structures import structure
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.forward import PhaseState, Radiation, Resolution, pattern
from tests.analysis.xrd.patterns import TWO_THETA, counted, measurement, real_data

RUTILE, ANATASE = structure("rutile"), structure("anatase")
MIXTURE = [PhaseState(RUTILE, 0.35, size=300.0), PhaseState(ANATASE, 0.65, size=200.0)]
HERE = Path()

Rng = Callable[[int], np.random.Generator]
rng = np.random.default_rng


def tio2(**settings: object) -> Quantify:
    return make({"phases": ["rutile", "anatase"], "background_order": 5, **settings}, HERE)


def test_quantify_conforms() -> None:
    insight = check_agent(tio2(), [counted(MIXTURE, rng=rng(0))], rng=rng(0))
    assert insight.id == "s/xrd/0/xrd.quantify"
    assert set(insight.estimates) == set(tio2().quantities)


def test_fractions_come_with_their_full_covariance() -> None:
    insight = tio2().analyze([counted(MIXTURE, rng=rng(1))], rng=rng(0))
    keys = ("xrd.weight_fraction.rutile", "xrd.weight_fraction.anatase")
    i, j = (insight.covariance_keys.index(key) for key in keys)
    covariance = insight.covariance
    assert covariance is not None
    # They sum to one, so what one gains the other loses.
    assert covariance[i, j] == pytest.approx(-covariance[i, i], rel=1e-6)
    assert sum(insight.estimates[key].value for key in keys) == pytest.approx(1)


def test_evidence_adds_up() -> None:
    curve = tio2().analyze([counted(MIXTURE, rng=rng(2))], rng=rng(0)).evidence["pattern"]
    c = curve.columns
    phases = c["phase.rutile"] + c["phase.anatase"]
    np.testing.assert_allclose(c["background"] + phases, c["calculated"], rtol=1e-8)
    np.testing.assert_allclose(c["observed"] - c["calculated"], c["difference"], atol=1e-8)
    assert (curve.x_name, curve.x_unit) == ("two_theta", "deg")


def test_of_two_scans_the_longer_counted_one_is_fitted() -> None:
    fast = replace(counted(MIXTURE, rng=rng(3), peak=300, background=5.0), id="s/xrd/0")
    slow = replace(counted(MIXTURE, rng=rng(4), peak=30000), id="s/xrd/1")
    for order in ([fast, slow], [slow, fast]):
        insight = tio2().analyze(order, rng=rng(0))
        assert insight.id == "s/xrd/1/xrd.quantify"
        assert set(insight.measurement_ids) == {"s/xrd/0", "s/xrd/1"}


def test_a_short_count_asks_for_a_longer_one_and_a_long_count_does_not() -> None:
    weak = counted(MIXTURE, rng=rng(5), peak=60, background=10.0)
    request = tio2().analyze([weak], rng=rng(0)).next_measurement
    assert request is not None
    assert request.settings == {"counting_time": 4.0}
    assert request.expected_gain is not None
    assert request.expected_gain > 0
    # With grains known to ± 100 % and absorbing differently, counting does not limit a long scan.
    absorbing = [PhaseState(structure(name), 0.5) for name in ("zincite", "corundum")]
    strong = counted(absorbing, rng=rng(6), peak=1e5)
    other = make({"phases": ["zincite", "corundum"]}, HERE)
    assert other.analyze([strong], rng=rng(0)).next_measurement is None


def test_a_missing_phase_is_doubted_and_a_complete_list_is_not() -> None:
    halite = PhaseState(structure("halite"), 0.2)
    foreign = [replace(phase, weight_fraction=0.8 * phase.weight_fraction) for phase in MIXTURE]
    missing = tio2().analyze([counted([*foreign, halite], rng=rng(7))], rng=rng(0))
    complete = tio2().analyze([counted(MIXTURE, rng=rng(7))], rng=rng(0))
    assert missing.p_wrong is not None
    assert complete.p_wrong is not None
    assert missing.p_wrong > 0.5 > 0.1 > complete.p_wrong
    assert any("missing" in remark for remark in missing.remarks)
    assert missing.novelty is not None
    assert complete.novelty is not None
    assert missing.novelty > 0.4 > complete.novelty


def test_a_sample_without_the_phases_is_abstained_from() -> None:
    foreign = counted([PhaseState(structure("lab6"))], rng=rng(8), background=20.0)
    insight = make({"phases": ["periclase"]}, HERE).analyze([foreign], rng=rng(0))
    assert insight.abstained
    assert not insight.estimates
    assert "check the list of phases" in insight.remarks[0]


def test_intervals_hold_under_artefacts_that_the_fit_does_not_know() -> None:
    """40 mixtures with texture, other B, a zero shift, an amorphous hump and 1 % of quartz."""
    source = rng(20260101)
    inside, errors = [], []
    for _ in range(40):
        weight = source.uniform(0.1, 0.9)
        phases = [
            PhaseState(
                crystal,
                share,
                cell=scale_cell(crystal, 1 + 0.001 * source.standard_normal()),
                size=float(np.exp(source.uniform(np.log(100), np.log(1000)))),
                texture_r=float(np.exp(0.06 * source.standard_normal())),
                texture_axis=(0, 0, 1),
                b_extra=float(0.15 * source.standard_normal()),
            )
            for crystal, share in ((RUTILE, weight), (ANATASE, 1 - weight))
        ]
        phases.append(PhaseState(structure("quartz"), 0.01))
        hump = 150 * np.exp(-(((TWO_THETA - source.uniform(22, 35)) / 7) ** 2))
        taken = counted(
            phases,
            rng=source,
            peak=float(np.exp(source.uniform(np.log(2e3), np.log(2e4)))),
            background=60 + hump,
            displacement=0.06 * source.standard_normal(),
            zero_shift=0.02 * source.standard_normal(),
        )
        # No microabsorption is simulated, so none is corrected for.
        insight = tio2(particle_diameter=0).analyze([taken], rng=source)
        said = insight.estimates["xrd.weight_fraction.rutile"]
        assert said.std is not None
        errors.append(said.value - weight)
        inside.append(abs(errors[-1]) < 1.645 * said.std)
    # Binomial spread of 40 draws at 0.9 is 0.047.
    assert 0.8 <= np.mean(inside) <= 1.0
    assert np.sqrt(np.mean(np.square(errors))) < 0.02


def test_a_texture_that_nobody_named_can_be_looked_for() -> None:
    plates = [replace(MIXTURE[0], texture_r=0.5), MIXTURE[1]]
    scan = counted(plates, rng=rng(3))
    truth, key = 0.35, "xrd.weight_fraction.rutile"
    random = tio2().analyze([scan], rng=rng(0)).estimates[key].value
    found = tio2(find_textures=True).analyze([scan], rng=rng(0))
    assert found.estimates[key].value == pytest.approx(truth, abs=0.02)
    assert abs(found.estimates[key].value - truth) < abs(random - truth) / 2
    assert any("rutile is textured along (0, 0, 1)" in remark for remark in found.remarks)


def test_phases_come_from_library_names_files_and_folders(tmp_path: Path) -> None:
    cif = STRUCTURE_CIF
    (tmp_path / "cifs").mkdir()
    (tmp_path / "cifs" / "salt.cif").write_text(cif)
    by_name = make({"phases": ["rutile", "cifs/salt.cif"]}, tmp_path)
    by_key = make({"phases": {"rock": "cifs/salt.cif"}}, tmp_path)
    by_folder = make({"phases": "cifs"}, tmp_path)
    assert "xrd.weight_fraction.salt" in by_name.quantities
    assert "xrd.lattice.rock.a" in by_key.quantities
    assert by_folder.quantities["xrd.crystallite_size.salt"] == "Å"


STRUCTURE_CIF = """data_salt
_cell_length_a 5.6402
_cell_length_b 5.6402
_cell_length_c 5.6402
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({}, ValidationError, "phases"),
        ({"phases": ["rutile"], "phasse": 1}, ValidationError, "phasse"),
        ({"phases": []}, BadPhase, "no phases were named"),
        ({"phases": ["unobtainium"]}, BadPhase, r"It knows .*anatase"),
        ({"phases": ["ghost.cif"]}, BadPhase, "no phase file"),
        ({"phases": "ghosts"}, BadPhase, "no folder or CIF"),
        ({"phases": ["rutile", "rutile"]}, BadPhase, "two phases are called rutile"),
        ({"phases": ["rutile"], "texture": {"gold": (1, 1, 1)}}, BadSettings, "gold"),
        ({"phases": ["rutile"], "texture": {"rutile": (0, 0, 0)}}, ValidationError, "direction"),
        ({"phases": ["rutile"], "two_theta": (80, 20)}, ValidationError, "must rise"),
        ({"phases": ["rutile"], "radiation": {"lines": ()}}, ValidationError, "lines"),
        ({"phases": ["rutile"], "radiation": {"lines": ((-1, 1),)}}, ValidationError, "positive"),
        ({"phases": ["rutile"], "particle_diameter": float("nan")}, ValidationError, "finite"),
    ],
)
def test_wrong_settings_are_refused_before_the_first_pattern(
    settings: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        make(settings, HERE)


def test_an_empty_folder_of_phases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match=r"no \.cif file"):
        make({"phases": "."}, tmp_path)


def test_a_range_without_reflections_is_refused() -> None:
    x = np.arange(20.0, 30.0, 0.02)
    flat = measurement(x, np.full(len(x), 100.0))
    with pytest.raises(BadPattern, match="no reflection of periclase"):
        make({"phases": ["periclase"]}, HERE).analyze([flat], rng=rng(0))


def test_another_wavelength_is_refused() -> None:
    wrong = counted(MIXTURE, rng=rng(0))
    wrong = replace(wrong, settings={"wavelength": 0.7093})
    with pytest.raises(BadPattern, match="the agent assumes"):
        tio2().analyze([wrong], rng=rng(0))


def test_molybdenum_radiation_can_be_set() -> None:
    agent = tio2(radiation={"lines": [(0.7093, 2.0), (0.71359, 1.0)]})
    with pytest.raises(BadPattern, match=r"assumes 0\.7093"):
        agent.analyze([counted(MIXTURE, rng=rng(0))], rng=rng(0))


def test_a_known_resolution_gives_the_size_that_was_put_in() -> None:
    taken = [counted(MIXTURE, rng=rng(9))]
    free = tio2().analyze(taken, rng=rng(0)).estimates["xrd.crystallite_size.anatase"]
    fixed = (
        tio2(resolution={"w": 0.006, "fixed": True})
        .analyze(taken, rng=rng(0))
        .estimates["xrd.crystallite_size.anatase"]
    )
    assert fixed.value == pytest.approx(200, rel=0.1)
    assert fixed.std is not None
    assert free.std is not None
    assert free.value == pytest.approx(fixed.value, abs=2 * free.std)


@pytest.mark.parametrize("sample", ["CPD-1B", "CPD-1G"])
def test_weighed_mixtures_of_the_round_robin_are_met(sample: str) -> None:
    from instruments.formats import read_measurement

    folder = real_data("xrd/cpd_roundrobin_xray")
    weighed = {"CPD-1B": (94.31, 4.33, 1.36), "CPD-1G": (31.37, 34.42, 34.21)}[sample]
    agent = make(
        {
            "phases": ["corundum", "fluorite", "zincite"],
            "radiation": {"monochromator_two_theta": 26.6},
            "two_theta": (22, 110),
        },
        HERE,
    )
    taken = read_measurement(folder / "patterns" / f"{sample}.xye", technique="xrd")
    insight = agent.analyze([taken], rng=rng(0))
    for name, percent in zip(("corundum", "fluorite", "zincite"), weighed, strict=True):
        said = insight.estimates[f"xrd.weight_fraction.{name}"]
        assert 100 * said.value == pytest.approx(percent, abs=0.8)
        assert said.std is not None
        assert abs(100 * said.value - percent) < 2 * 100 * said.std
    assert insight.p_wrong is not None
    assert insight.p_wrong < 0.1
    assert insight.quality["rwp"] < 0.15


def test_leaving_a_phase_out_of_a_real_mixture_is_noticed() -> None:
    from instruments.formats import read_measurement

    folder = real_data("xrd/cpd_roundrobin_xray")
    agent = make(
        {"phases": ["corundum", "fluorite"], "radiation": {"monochromator_two_theta": 26.6}}, HERE
    )
    taken = read_measurement(folder / "patterns" / "CPD-1G.xye", technique="xrd")
    insight = agent.analyze([taken], rng=rng(0))
    assert insight.abstained or (insight.p_wrong is not None and insight.p_wrong > 0.5)


def test_neutrons_weigh_a_mixture_too(tmp_path: Path) -> None:
    neutrons = Radiation(lines=((1.54, 1.0),), probe="neutron")
    grid = np.arange(15.0, 130.0, 0.05)
    states = [
        PhaseState(structure("corundum"), weight_fraction=0.6),
        PhaseState(structure("rutile"), weight_fraction=0.4),
    ]
    clean = pattern(grid, states, radiation=neutrons, resolution=Resolution(0.05, -0.06, 0.06))
    counts = np.random.default_rng(0).poisson(80 + 4000 * clean / clean.max()).astype(float)
    radiation = {"lines": [[1.54, 1.0]], "probe": "neutron"}
    agent = make({"phases": ["corundum", "rutile"], "radiation": radiation}, tmp_path)
    insight = agent.analyze(
        [measurement(grid, counts, wavelength=1.54)], rng=np.random.default_rng(0)
    )
    found = insight.estimates["xrd.weight_fraction.corundum"]
    assert found.value == pytest.approx(0.6, abs=0.02)
    assert found.std is not None
    assert abs(found.value - 0.6) < 3 * found.std


def test_neutrons_without_a_wavelength_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="neutrons need their wavelength"):
        make({"phases": ["rutile"], "radiation": {"probe": "neutron"}}, tmp_path)

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from tests.instruments.pattern_files import FORMATS, pattern, write

TWO_THETA, COUNTS = pattern()


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_gives_the_same_pattern(tmp_path: Path, extension: str) -> None:
    path = write(tmp_path / f"tio2{extension}", TWO_THETA, COUNTS)
    m = read_measurement(path)
    np.testing.assert_allclose(m.x, TWO_THETA, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(m.y, COUNTS)
    assert (m.x_name, m.x_unit) == ("two_theta", "deg")
    assert m.sample_id == "tio2"
    assert m.id == "tio2/xrd/0"
    assert not m.simulated
    assert m.source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@given(
    steps=st.lists(st.integers(1, 50), min_size=10, max_size=60),
    counts=st.lists(st.integers(0, 10**7), min_size=60, max_size=60),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@pytest.mark.parametrize("extension", [".xy", ".xye", ".dat", ".csv"])
def test_what_was_written_is_read_back(
    tmp_path: Path, extension: str, steps: list[int], counts: list[int]
) -> None:
    x = np.cumsum(steps) / 100.0
    y = np.array(counts[: x.size], dtype=float)
    m = read_measurement(write(tmp_path / f"a{extension}", x, y))
    np.testing.assert_array_equal(m.x, x)
    np.testing.assert_array_equal(m.y, y)


def test_counts_without_stated_uncertainty_get_the_root_of_counts(tmp_path: Path) -> None:
    counts = COUNTS.copy()
    counts[0] = 0.0
    m = read_measurement(write(tmp_path / "a.xy", TWO_THETA, counts))
    assert m.sigma is not None
    assert m.sigma[0] == 1.0
    np.testing.assert_allclose(m.sigma[1:] ** 2, counts[1:])
    assert m.settings["sigma"] == "sqrt(counts)"


def test_a_processed_signal_has_unknown_uncertainty_and_may_be_negative(tmp_path: Path) -> None:
    m = read_measurement(write(tmp_path / "a.xy", TWO_THETA, COUNTS - 0.5 - COUNTS.mean()))
    assert m.sigma is None
    assert m.settings["sigma"] == "unknown"


def test_the_stated_uncertainty_is_kept(tmp_path: Path) -> None:
    m = read_measurement(write(tmp_path / "a.xye", TWO_THETA, COUNTS, sigma=3 * np.sqrt(COUNTS)))
    np.testing.assert_allclose(m.sigma, 3 * np.sqrt(COUNTS), rtol=1e-9)
    assert m.settings["sigma"] == "file"


def test_the_wavelength_may_stand_in_the_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xye", TWO_THETA, COUNTS)
    path.write_text("1.540593\n" + path.read_text())
    assert read_measurement(path).settings["wavelength"] == 1.540593
    with pytest.raises(UnreadableFile, match=r"1\.540593 Å, and 0\.7093 Å was given"):
        read_measurement(path, wavelength=0.7093)


@pytest.mark.parametrize("wavelength", ["-1.54", "0", "1540.6"])
def test_an_impossible_wavelength_is_refused(tmp_path: Path, wavelength: str) -> None:
    path = write(tmp_path / "a.xye", TWO_THETA, COUNTS)
    path.write_text(f"{wavelength}\n" + path.read_text())
    with pytest.raises(UnreadableFile, match="wavelength of"):
        read_measurement(path)
    good = write(tmp_path / "b.xye", TWO_THETA, COUNTS)
    with pytest.raises(UnreadableFile, match="wavelength of"):
        read_measurement(good, wavelength=float(wavelength))


def test_xrdml_tells_wavelengths_counting_time_and_when(tmp_path: Path) -> None:
    m = read_measurement(write(tmp_path / "a.xrdml", TWO_THETA, COUNTS))
    assert m.settings["wavelength"] == 1.540598
    assert m.settings["wavelength_k_alpha2"] == 1.544426
    assert m.settings["k_alpha_ratio"] == 0.5
    assert m.settings["counting_time"] == 10.965
    assert m.settings["anode"] == "Cu"
    assert (m.finished - m.started).total_seconds() == 125.0


def test_old_xrdml_with_intensities_per_second_keeps_the_noise_of_its_counts(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.xrdml", TWO_THETA, COUNTS)
    old = path.read_text().replace('<counts unit="counts">', '<intensities unit="cps">')
    path.write_text(old.replace("</counts>", "</intensities>").replace("/2.3", "/1.3"))
    m = read_measurement(path)
    assert m.y_unit == "counts/s"
    assert m.sigma is not None
    np.testing.assert_allclose(m.sigma**2 * 10.965, COUNTS)


def test_an_interrupted_scan_is_flagged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xrdml", TWO_THETA, COUNTS)
    path.write_text(path.read_text().replace('<scan status="Completed"', '<scan status="Aborted"'))
    assert "scan_not_completed" in read_measurement(path).flags


def test_xrdml_is_known_by_its_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xrdml", TWO_THETA, COUNTS)
    renamed = path.rename(tmp_path / "a.xy")
    assert read_measurement(renamed).settings["anode"] == "Cu"


def test_xml_entities_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xrdml", TWO_THETA, COUNTS)
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    head, _, rest = path.read_text().partition("?>")
    path.write_text(head + "?>" + entity + rest.replace("Cu<", "&e;<"))
    with pytest.raises(UnreadableFile, match="entities"):
        read_measurement(path)


def test_fit2d_states_how_many_points_follow(tmp_path: Path) -> None:
    path = write(tmp_path / "a.chi", TWO_THETA, COUNTS)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3]))
    with pytest.raises(UnreadableFile, match=f"states {COUNTS.size} points"):
        read_measurement(path)


def test_chi_headers_tell_the_axis(tmp_path: Path) -> None:
    path = tmp_path / "a.chi"
    points = "".join(f"{q:.3f} {i:.1f}\n" for q, i in zip(TWO_THETA, COUNTS, strict=True))
    path.write_text("[Experiment]\nintegrationspace = qspace\nwavelength = 0.1836\n" + points)
    m = read_measurement(path, technique="pdf")
    assert (m.x_name, m.x_unit, m.settings["wavelength"]) == ("q", "1/Å", 0.1836)
    path.write_text("title\nQ (nm^-1)\nIntensity\n 91\n" + points)
    m = read_measurement(path, technique="pdf", points=91)
    assert (m.x_name, m.x_unit) == ("q", "1/nm")


def test_labels_tell_which_column_is_the_uncertainty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"{0.01 * i},{100.5 - i},{0.001},{0.5}\n" for i in range(1, 30))
    path.write_text("q (1/nm),I,dq,dI\n" + rows)
    m = read_measurement(path, technique="sas")
    assert m.sigma is not None
    assert set(m.sigma) == {0.5}
    assert (m.x_name, m.x_unit) == ("q", "1/nm")
    assert "columns_left_out" in m.flags


def test_a_missing_line_in_an_even_axis_is_flagged(tmp_path: Path) -> None:
    keep = np.arange(TWO_THETA.size) != 40
    m = read_measurement(write(tmp_path / "a.xy", TWO_THETA[keep], COUNTS[keep]))
    assert "gap" in m.flags


def test_labels_of_one_letter_are_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("q,I\n" + "".join(f"{0.01 * i},{100.5 - i}\n" for i in range(1, 30)))
    m = read_measurement(path, technique="sas")
    assert (m.n_points, m.x_name) == (29, "q")


@pytest.mark.parametrize("extension", [".dat", ".csv"])
def test_a_first_point_that_ran_into_the_labels_is_not_lost(tmp_path: Path, extension: str) -> None:
    path = write(tmp_path / f"a{extension}", TWO_THETA, COUNTS)
    path.write_text(path.read_text().replace("sigma\n", "sigmax"))
    with pytest.raises(UnreadableFile, match=r"sigmax10\.0"):
        read_measurement(path)


BAD_LINES = {
    "nan": ("10.2 nan", "line 11 holds 'nan'"),
    "inf": ("10.2 inf", "line 11 holds 'inf'"),
    "negative counts": ("10.2 -7", "line 11 has -7 counts"),
    "falling axis": ("9.0 100", "line 11 has 9 after 10.18"),
    "repeated axis": ("10.18 100", "line 11 has 10.18 after 10.18"),
    "letters": ("10.2 1O0", "line 11 holds '1O0'"),
    "missing number": ("10.2", "line 11 has 1 numbers"),
    "additional number": ("10.2 100 3 4", "line 11 has 4 numbers"),
    "decimal comma": ("10,2 100", "line 11 holds '2 100'"),
    "underscore": ("10.2 1_0", "line 11 holds '1_0'"),
    "other digits": ("10.2 ١٢", "line 11 holds"),
    "empty line": ("", "line 11"),
}


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, bad: str) -> None:
    line, said = BAD_LINES[bad]
    lines = [f"{x:.2f} {y:.0f}" for x, y in zip(TWO_THETA, COUNTS, strict=True)]
    lines[10] = line
    path = tmp_path / "pattern.xy"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(UnreadableFile) as error:
        read_measurement(path)
    assert "pattern.xy" in str(error.value)
    assert said in str(error.value)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    for make, said in (
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "is a folder"),
        (lambda p: p.write_bytes(b""), "is empty"),
        (lambda p: p.write_bytes(b" \n\n"), "is empty"),
        (lambda p: p.write_bytes(b"RAW1.01\x00\x01" * 99), "binary data"),
        (lambda p: p.write_text("1 2\n3 4\n"), "at least 10"),
        (lambda p: p.write_text("no numbers\nhere\n"), "point"),
    ):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.xy"
        make(path)
        with pytest.raises(UnreadableFile, match=said):
            read_measurement(path)


def test_an_unknown_extension_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.brml"
    path.write_text("1 2\n")
    with pytest.raises(UnreadableFile, match=r"\.xrdml"):
        read_measurement(path)


def test_the_expected_number_of_points_guards_against_a_cut_between_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xy", TWO_THETA[:-5], COUNTS[:-5])
    with pytest.raises(UnreadableFile, match=f"{COUNTS.size} were expected"):
        read_measurement(path, points=COUNTS.size)

"""Published files of several laboratories and programs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from tests.instruments.shared_data import data_set


@pytest.mark.parametrize("sample", ["A", "B", "C", "G"])
def test_the_round_robin_patterns_hold_counts_and_a_wavelength(sample: str) -> None:
    folder = data_set("xrd/cpd_roundrobin_xray") / "patterns"
    m = read_measurement(folder / f"CPD-1{sample}.xye")
    assert m.n_points == 7250
    assert (m.x[0], m.x[-1]) == (5.02, 150.0)
    assert m.settings["wavelength"] == 1.540593
    assert m.sigma is not None
    # the file states the root of the counts with four decimals
    np.testing.assert_allclose(m.sigma, np.sqrt(np.maximum(m.y, 1.0)), atol=1e-3)


def test_the_round_robin_pattern_without_uncertainty_gets_that_of_its_counts() -> None:
    m = read_measurement(data_set("xrd/cpd_roundrobin_xray") / "patterns" / "CPD-1E.xye")
    assert m.n_points == 7251
    assert "wavelength" not in m.settings
    assert "no_sigma_in_file" in m.flags
    assert m.sigma is not None
    np.testing.assert_allclose(m.sigma**2, np.maximum(m.y, 1.0))


def test_fluorite_reflects_where_its_cell_says() -> None:
    folder = data_set("xrd/cpd_roundrobin_xray") / "patterns"
    m = read_measurement(folder / "CPD-1B.xye")
    # CaF2 (220), a = 5.4626 Å, is the strongest line of CPD-1B (94 wt% fluorite) at 47.0°
    expected = 2 * np.degrees(np.arcsin(1.540593 / (2 * 5.4626 / np.sqrt(8))))
    near = np.abs(m.x - expected) < 1.0
    assert abs(m.x[near][np.argmax(m.y[near])] - expected) < 0.1


def test_the_aeris_files_are_read_with_their_counting_times() -> None:
    folder = data_set("xrd/dara_mixtures") / "patterns"
    short = read_measurement(folder / "mixture_11_2min.xrdml")
    long = read_measurement(folder / "mixture_11_8min.xrdml")
    assert (short.x[0], short.x[-1]) == (10.02173288, 99.99585608)
    ratio = float(long.settings["counting_time"]) / float(short.settings["counting_time"])
    # one sample, one instrument: total counts go with the counting time per point
    per_point = (long.y.mean() / short.y.mean()) / ratio
    assert per_point == pytest.approx(1.0, abs=0.05)


def test_every_pattern_of_the_aeris_set_is_read() -> None:
    paths = sorted((data_set("xrd/dara_mixtures") / "patterns").glob("*.xrdml"))
    assert len(paths) == 24
    for path in paths:
        counts = path.read_text().split('<counts unit="counts">')[1].split("<")[0].split()
        np.testing.assert_array_equal(read_measurement(path).y, np.array(counts, dtype=float))


def test_synchrotron_chi_files_with_and_without_header() -> None:
    plain = sorted(data_set("pdf/constrained_nmf_insitu").glob("*_q.chi"))
    m = read_measurement(plain[0], technique="pdf")
    assert (m.x_name, m.x_unit, m.sigma) == ("q", "1/Å", None)
    headed = data_set("pdf/pdfttp") / "Ni_reduction" / "Ni.chi"
    n = read_measurement(headed, technique="pdf")
    assert n.settings["wavelength"] == 0.1835957
    assert n.sigma is not None


def test_gsas_files_are_in_degrees() -> None:
    paths = sorted(data_set("xrd/gsas2_tutorials").rglob("*.fxye"))
    m = read_measurement(paths[0])
    assert (m.x[0], m.n_points) == (0.5, 12799)
    assert m.settings["wavelength"] == 0.413263


def test_magnetic_sans_curves_have_their_uncertainty() -> None:
    for path in data_set("sas/sasview_mumag").rglob("*.csv"):
        m = read_measurement(path, technique="sas")
        assert m.settings["sigma"] == "file"
        assert (m.x_name, m.x_unit) == ("q", "1/Å")


def test_films_whose_columns_run_into_each_other_are_refused_by_line() -> None:
    folder = data_set("xrd/pvlab_autoxrd_perovskites") / "patterns"
    with pytest.raises(UnreadableFile, match=r"film_06\.xy line 85 has 1 numbers"):
        read_measurement(folder / "film_06.xy")
    good = [p for p in sorted(folder.glob("*.xy")) if p.stem != "film_06"]
    assert sum(_reads(path) for path in good) >= 80


def _reads(path: Path) -> bool:
    try:
        read_measurement(path)
    except UnreadableFile:
        return False
    return True


def test_a_table_of_results_is_no_pattern() -> None:
    truth = data_set("xrd/cpd_roundrobin_xray") / "truth.csv"
    with truth.open() as file:
        assert len(list(csv.reader(file))) > 1
    with pytest.raises(UnreadableFile, match=r"truth\.csv"):
        read_measurement(truth)

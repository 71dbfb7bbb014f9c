"""Total scattering: .gr, .sq, .fq and .iq of several programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from instruments.measurement import FloatArray
from tests.instruments.shared_data import data_set

R = np.round(np.arange(0.0, 30.0, 0.01), 2)
G_R = 3.0 * np.sin(4.0 * R) * np.exp(-0.1 * R) - 0.2 * R

PDFGETX3 = """[DEFAULT]

version = diffpy.pdfgetx-2.0.0

# input and output specifications
dataformat = QA
inputfile = Ni.chi
backgroundfile =
outputtype = gr

# PDF calculation setup
mode = xray
wavelength = 0.1836
composition = Ni O2
bgscale = 1
rpoly = 0.9
qmaxinst = 31.26
qmin = 0.5
qmax = 24
rmin = 0
rmax = 29.99
rstep = 0.01

# End of config --------------------------------------------------------------

#### start data

#S 1
#L r(Å)  G(Å$^{-2}$)
"""
PDFGETN = """History written: Fri Apr 30 14:12:28 2004
##### Sample Material     numElements=2     NormLaue=0.95485
Element relAtomNum atomMass atomCoherCS atomIncoherCS atomAbsorpCS
  Mn        0.2500   54.931     -1.7500        0.4000     13.30000
   O        0.7500   15.999      4.2320        0.0008      0.00019
##### Banks=2  deltaQ=0.01
bank   angle   blendQmin   blendQmax       (0.0 means no info)
  1     90.0        1.62    29.42
## Damp     Qmin=0.85     Qmax=35.0     startDampQ=35.0    QAveMin=0.6
##### start data
#S 1 - PDF from PDFgetN
#L r G(r) dr dG(r)
"""
PDFGETX2 = """####### Get_XPDF #######
lambda=0.142773    energy=86.8406    polartype=0
#L symbol valence fractions z user_f1 user_f2 user_macoef
  Ni    0.00   1.000000    28   0.000000   0.000000   0.001000
geometry=2    mut=0.50000000
## S(q)  qmin=0.010000    qmax=27.000000    qgrid=0.000000
optqmin=20.0000    optqmax=40.0000
##### start data
#L r(A)    G(r)    d_r    d_Gr
"""


def rows(*columns: FloatArray) -> str:
    return "".join(" ".join(map(repr, row)) + "\n" for row in np.stack(columns, 1).tolist())


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_pdfgetx3_tells_range_wavelength_and_composition(tmp_path: Path) -> None:
    m = read_measurement(written(tmp_path / "ni.gr", PDFGETX3 + rows(R, G_R)))
    np.testing.assert_array_equal(m.x, R)
    np.testing.assert_array_equal(m.y, G_R)
    assert (m.technique, m.x_name, m.x_unit) == ("pdf", "r", "Å")
    assert (m.y_name, m.y_unit) == ("g_r", "1/Å²")
    assert dict(m.settings) == {
        "wavelength": 0.1836,
        "q_min": 0.5,
        "q_max": 24.0,
        "r_poly": 0.9,
        "probe": "x-ray",
        "composition": "Ni O2",
        "sigma": "unknown",
    }
    assert m.flags == ("no_sigma_in_file",)


def test_pdfgetn_is_neutrons_with_an_uncertainty_and_tables_in_its_header(tmp_path: Path) -> None:
    text = PDFGETN + rows(R, G_R, 0 * R, 0.1 + 0 * R)
    m = read_measurement(written(tmp_path / "mno.gr", text))
    assert m.sigma is not None
    assert set(m.sigma) == {0.1}
    assert (m.n_points, m.y[7]) == (R.size, G_R[7])
    assert (m.settings["q_min"], m.settings["q_max"]) == (0.85, 35.0)
    assert m.settings["probe"] == "neutron"
    assert m.settings["composition"] == "Mn0.25 O0.75"


def test_pdfgetx2_labels_which_column_is_the_uncertainty(tmp_path: Path) -> None:
    text = PDFGETX2 + rows(R, G_R, -R, 0.2 + 0 * R)
    m = read_measurement(written(tmp_path / "ni.gr", text))
    assert m.sigma is not None
    assert set(m.sigma) == {0.2}
    assert m.settings["wavelength"] == 0.142773
    assert (m.settings["q_min"], m.settings["q_max"]) == (0.01, 27.0)
    assert m.settings["composition"] == "Ni1"


def test_a_simulation_may_state_the_resolution_in_comments(tmp_path: Path) -> None:
    head = "# qdamp: 0.03\n# qbroad: 0.01\n# qmin: 0.1\n# qmax: 30\n# r G\n"
    m = read_measurement(written(tmp_path / "a.gr", head + rows(R, G_R)))
    assert (m.settings["q_damp"], m.settings["q_broad"]) == (0.03, 0.01)
    assert (m.settings["q_min"], m.settings["q_max"]) == (0.1, 30.0)


@pytest.mark.parametrize(
    ("extension", "name", "unit"),
    [(".sq", "s_q", ""), (".fq", "f_q", "1/Å"), (".iq", "i_q", "")],
)
def test_functions_of_q(tmp_path: Path, extension: str, name: str, unit: str) -> None:
    q = np.arange(0.5, 20.0, 0.05)
    text = PDFGETX3.replace("r(Å)  G(Å$^{-2}$)", r"Q($\AA^{-1}$)  S") + rows(q, np.sin(q))
    m = read_measurement(written(tmp_path / f"ni{extension}", text))
    np.testing.assert_array_equal(m.x, q)
    np.testing.assert_array_equal(m.y, np.sin(q))
    assert (m.x_name, m.x_unit, m.y_name, m.y_unit) == ("q", "1/Å", name, unit)
    assert m.flags == ("no_sigma_in_file",)


def test_q_in_inverse_nanometres_keeps_its_unit(tmp_path: Path) -> None:
    q = np.arange(5.0, 200.0, 0.5)
    m = read_measurement(written(tmp_path / "a.iq", "#L Q(nm^-1) I\n" + rows(q, q)))
    assert (m.x_name, m.x_unit) == ("q", "1/nm")


@given(
    steps=st.lists(st.integers(1, 50), min_size=10, max_size=60),
    values=st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=60, max_size=60),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@pytest.mark.parametrize("head", ["", "# r, Gr\n", PDFGETX3, PDFGETN])
def test_what_was_written_is_read_back(
    tmp_path: Path, head: str, steps: list[int], values: list[float]
) -> None:
    x = np.cumsum(steps) / 100.0
    y = np.array(values[: x.size])
    columns = (x, y, 0 * x, 1 + 0 * x) if head == PDFGETN else (x, y)
    m = read_measurement(written(tmp_path / "a.gr", head + rows(*columns)))
    np.testing.assert_array_equal(m.x, x)
    np.testing.assert_array_equal(m.y, y)


def test_idle_columns_in_some_lines_only_are_left_out(tmp_path: Path) -> None:
    lines = rows(R, G_R).splitlines()
    lines[70:] = [line + " 0.0000000 0.0000000" for line in lines[70:]]
    m = read_measurement(written(tmp_path / "si.gr", "\n".join(lines) + "\n"))
    np.testing.assert_array_equal(m.y, G_R)
    lines[80] = lines[80].replace("0.0000000 0.0000000", "0.0000000 0.3")
    with pytest.raises(UnreadableFile, match="line 71 has 4 numbers; 2 were expected"):
        read_measurement(written(tmp_path / "si.gr", "\n".join(lines) + "\n"))


def test_a_curve_that_ends_before_its_stated_end_is_flagged(tmp_path: Path) -> None:
    m = read_measurement(written(tmp_path / "a.gr", PDFGETX3 + rows(R[:2000], G_R[:2000])))
    assert "shorter_than_stated" in m.flags


DAMAGE = {
    "a word for a number": ("0.01 ", "0.O1 ", "line 31 holds '0.O1'"),
    "a missing number": (f"0.02 {float(G_R[2])!r}\n", "0.02\n", "line 32 has 1 numbers"),
    "a falling axis": ("0.03 ", "0.01 ", r"line 33 has 0\.01 after 0\.02"),
    "no number for qmax": ("qmax = 24", "qmax = high", "qmax of 'high'; a number >= 0"),
    "a range turned over": ("qmin = 0.5", "qmin = 50", r"range of Q from 50\.0 to 24\.0"),
    "another axis": ("#L r(Å)", "#L Q(1/A)", "calls its axis"),
    "a wavelength in nm": ("wavelength = 0.1836", "wavelength = 1836", "wavelength of 1836"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(tmp_path: Path, damage: str) -> None:
    good, bad, said = DAMAGE[damage]
    text = PDFGETX3 + rows(R, G_R)
    assert good in text
    with pytest.raises(UnreadableFile, match=said):
        read_measurement(written(tmp_path / "ni.gr", text.replace(good, bad, 1)))


def test_five_columns_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="has 5 columns"):
        read_measurement(written(tmp_path / "a.gr", rows(R, G_R, R, R, R)))


def test_every_published_pdf_is_read() -> None:
    paths = sorted(data_set("pdf").rglob("*.gr")) + sorted(data_set("pdf").rglob("*.sq"))
    assert len(paths) >= 66
    for path in paths:
        m = read_measurement(path)
        assert m.technique == "pdf"
        assert "shorter_than_stated" not in m.flags
        n_rows = sum(1 for line in path.read_text().splitlines() if line.strip()[:1].isdigit())
        assert m.n_points <= n_rows
        assert m.n_points >= 300


def test_published_headers_give_what_a_fit_needs() -> None:
    nickel = read_measurement(data_set("pdf/pdfttp") / "Ni" / "Ni.gr")
    assert (nickel.settings["q_min"], nickel.settings["q_max"]) == (0.5, 25.0)
    manganite = read_measurement(data_set("pdf/pdfgui_tests") / "300K.gr")
    assert manganite.settings["composition"] == "O0.6 Mn0.2 La0.2"
    assert (manganite.n_points, manganite.settings["q_max"]) == (2000, 32.0)
    silicon = read_measurement(data_set("pdf/pdfttp") / "Ni_Si" / "si.gr")
    near = (silicon.x > 2.0) & (silicon.x < 3.0)
    # the first distance of silicon is √3/4 · 5.431 Å = 2.352 Å
    assert silicon.x[near][np.argmax(silicon.y[near])] == pytest.approx(2.352, abs=0.02)

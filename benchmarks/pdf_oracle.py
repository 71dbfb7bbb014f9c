"""PDFfit2 behind two functions: a G(r) it calculates, and a fit it makes to the same points.

It prints banners and takes its structure from diffpy.structure; both stay in here. The data carry
no uncertainties, as in our own fits; PDFfit2 then states standard deviations for a sigma of one at
every point, which are scaled here by the root of the reduced sum of squares, points taken as they
are. They leave out that neighbouring residuals are correlated.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import loadStructure

from analysis.pdf.preprocess import FitRange

FloatArray = np.ndarray
LENGTHS = {"a": 1, "b": 2, "c": 3}


def calculated(
    cif: Path, data: FitRange, values: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """Return r and G(r) that PDFfit2 makes of our values, on its own even grid."""
    engine, atoms = _engine(cif)
    n_points = round((data.r[-1] - data.r[0]) / 0.01) + 1
    engine.alloc("X", data.q_max, values["q_damp"], data.r[0], data.r[-1], n_points)
    _set(engine, atoms, values)
    engine.calc()
    return np.array(engine.getR()), np.array(engine.getpdf_fit())


def refined(cif: Path, data: FitRange, start: Mapping[str, float]) -> dict:
    """Return PDFfit2's values, errors, R_w and CPU seconds.

    It starts from values that are given and a Q_damp of 0.03 Å⁻¹: it has no bounds, and from a δ₂
    far off that of CdSe it runs to where variances are negative.
    """
    engine, atoms = _engine(cif)
    begun = time.process_time()
    engine.read_data_lists("X", data.q_max, 0.03, data.r.tolist(), data.g_r.tolist())
    engine.pdfrange(1, data.r[0], data.r[-1])
    _set(engine, atoms, start)
    order = _constrain(engine, atoms, start)
    engine.refine()
    spent = time.process_time() - begun
    text = engine.save_res_string()
    y, f = np.array(engine.getpdf_obs()), np.array(engine.getpdf_fit())
    reduced = float(((y - f) ** 2).sum()) / (len(y) - len(order))
    values = {name: float(engine.getpar(i)) for name, i in order.items()}
    return {
        "values": values,
        "std": {name: np.sqrt(reduced) * _std(text, i) for name, i in order.items()},
        "rw": float(np.linalg.norm(y - f) / np.linalg.norm(y)),
        "cpu_s": spent,
    }


def _engine(cif: Path) -> tuple[PdfFit, list[str]]:
    redirect_stdout(io.StringIO())
    structure = loadStructure(str(cif))
    for atom in structure:
        atom.element = re.sub(r"[^A-Za-z]", "", atom.element)
    engine = PdfFit()
    engine.add_structure(structure)
    return engine, [atom.element for atom in structure]


def _lengths(values: Mapping[str, float]) -> dict[int, str]:
    """Return lattice parameter number → our name of it; lengths that are not free follow a."""
    return {i: axis if axis in values else "a" for axis, i in LENGTHS.items()}


def _set(engine: PdfFit, atoms: list[str], values: Mapping[str, float]) -> None:
    for number, name in _lengths(values).items():
        engine.setvar(f"lat({number})", values[name])
    for i, element in enumerate(atoms, start=1):
        for axis in "123":
            engine.setvar(f"u{axis}{axis}({i})", values[f"u_iso.{element}"])
        if _is_hexagonal(engine):  # on these axes an isotropic tensor has U12 = U/2
            engine.setvar(f"u12({i})", values[f"u_iso.{element}"] / 2)
    engine.setvar("delta2", values["delta2"])
    engine.setvar("pscale", values["scale"])


def _constrain(engine: PdfFit, atoms: list[str], values: Mapping[str, float]) -> dict[str, int]:
    """Free what our fit frees; return our name → number of PDFfit2's parameter."""
    order = {name: i for i, name in enumerate(values, start=1)}
    for name, i in order.items():
        engine.setpar(i, 0.03 if name == "q_damp" else values[name])
    for number, name in _lengths(values).items():
        engine.constrain(f"lat({number})", f"@{order[name]}")
    for i, element in enumerate(atoms, start=1):
        for axis in "123":
            engine.constrain(f"u{axis}{axis}({i})", f"@{order[f'u_iso.{element}']}")
        if _is_hexagonal(engine):
            engine.constrain(f"u12({i})", f"0.5*@{order[f'u_iso.{element}']}")
    engine.constrain("delta2", f"@{order['delta2']}")
    engine.constrain("pscale", f"@{order['scale']}")
    engine.constrain("qdamp", f"@{order['q_damp']}")
    return order


def _is_hexagonal(engine: PdfFit) -> bool:
    return abs(float(engine.getvar("lat(6)")) - 120.0) < 1e-6


def _std(text: str, number: int) -> float:
    """Return the error of a parameter from a line such as ``  2: 3.52437 (0.0001)``."""
    found = re.search(rf"^\s*{number}:\s*\S+\s*\(([^)]+)\)", text, re.MULTILINE)
    if found is None:
        found = re.search(rf"\b{number}:\s*\S+\s*\(([^)]+)\)", text)
    return float(found[1]) if found else float("nan")

"""Crystals beside PDFfit2, an independent engine; skipped without the extra `pdf-oracle`."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.pdf.forward import CrystalPDF, parameters_of
from analysis.pdf.periodic import cell_matrix
from analysis.pdf.transform import QRange
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe
from analysis.physics.structures import structure

pytest.importorskip("diffpy.pdffit2", reason="the extra `pdf-oracle` is not installed")

U = 0.006
SETTINGS = {"scale": 0.8, "delta2": 2.0, "q_damp": 0.03, "q_broad": 0.01}


def theirs(crystal: Crystal, *, q_max: float, probe: Probe, diameter: float) -> tuple:
    from diffpy.pdffit2 import PdfFit, redirect_stdout
    from diffpy.structure import Atom, Lattice, Structure

    redirect_stdout(io.StringIO())
    atoms = Structure(lattice=Lattice(*crystal.cell))
    for site in crystal.structure.get_all_unit_cell_sites():
        position = [site.fract.x, site.fract.y, site.fract.z]
        atoms.append(Atom(site.element.name, position, lattice=atoms.lattice, Uisoequiv=U))
    engine = PdfFit()
    engine.add_structure(atoms)
    engine.alloc("X" if probe == "x-ray" else "N", q_max, SETTINGS["q_damp"], 1.5, 25.0, 2351)
    engine.setvar("qbroad", SETTINGS["q_broad"])
    engine.setvar("delta2", SETTINGS["delta2"])
    engine.setvar("pscale", SETTINGS["scale"])
    if diameter:
        engine.setvar("spdiameter", diameter)
    engine.calc()
    return np.array(engine.getR()), np.array(engine.getpdf_fit())


@pytest.mark.parametrize(
    ("name", "probe", "q_max", "diameter"),
    [
        ("nickel", "x-ray", 25.0, 0.0),
        ("nickel", "x-ray", 18.0, 30.0),
        ("silicon", "neutron", 30.0, 0.0),
        ("rutile", "x-ray", 25.0, 0.0),
        ("zincite", "neutron", 25.0, 0.0),
        ("wurtzite", "x-ray", 22.0, 0.0),
        ("brookite", "x-ray", 25.0, 40.0),
    ],
)
def test_curves_are_those_of_pdffit2(
    name: str, probe: Probe, q_max: float, diameter: float
) -> None:
    crystal = structure(name)
    r, expected = theirs(crystal, q_max=q_max, probe=probe, diameter=diameter)
    own = parameters_of(crystal)
    parameters = replace(
        own,
        u_iso=torch.full_like(own.u_iso, U),
        diameter=diameter or None,
        **SETTINGS,
    )
    found = CrystalPDF(crystal, r, QRange(0.0, q_max), probe=probe).g_r(parameters).numpy()
    # below the first peak PDFfit2's termination knows nothing of smaller r
    inside = r > 2.5
    apart = np.linalg.norm((found - expected)[inside]) / np.linalg.norm(expected[inside])
    # the ends of the range, and tables of lengths that differ by a few parts in a thousand
    assert apart < 0.015, f"{name}: {apart:.4f}"


def test_both_use_one_setting_of_the_axes() -> None:
    from diffpy.structure import Lattice

    cell = structure("baddeleyite").cell
    lengths = np.linalg.norm(Lattice(*cell).stdbase, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(cell_matrix(cell), axis=0), rtol=1e-9)

"""Structures as ``.xyz`` files."""

from __future__ import annotations

from pathlib import Path

from analysis.pdf.structure.disposing import Found


def write_xyz(path: Path, found: Found, *, element: str, probability: float) -> None:
    """Write the atoms [Å] of a structure; its folder is made if there is none.

    The second line says in words what it is.
    """
    lines = [f"{element} {x:.5f} {y:.5f} {z:.5f}" for x, y, z in found.positions]
    told = (
        f"lattice={found.lattice} rw={found.fit.rw:.5f} bond={found.fit.bond:.5f} "
        f"b_iso={found.fit.thermal.b_iso:.4f} probability={probability:.4f}"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([str(len(lines)), told, *lines]) + "\n")

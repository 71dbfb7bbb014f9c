"""Does `pdf.novelty` tell what is known from what is not? Always the same curve, twice.

- `clusters`: simulated clusters with artefacts that the agent's own simulations lack (the harsh
  world of `pdf_cluster_worlds.py`), with the whole library and with their lattice taken out.
- `files`: measured curves of crystals, with the CIFs of `reference_structures` and with theirs
  taken out.
- `curves`: measured curves, with earlier ones of the same sample among the known and without.

Printed: AUROC of what the nearest known thing leaves, with and without smooth imperfections
forgiven; shares flagged. Needs SDLAB_DATA for the last two.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from pdf_cluster_worlds import LATTICES, measured, strangers  # noqa: E402

from analysis.learning.outlying import area_under_curve  # noqa: E402
from analysis.pdf.agents.novelty import Novelty, make  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from instruments.recorded_data import data_folder  # noqa: E402

FLAGGED = 0.5

CRYSTALS = {
    "pdfttp/Ni/Ni.gr": ("Ni",),
    "pdfttp/Ni_reduction/Ni-hires.gr": ("Ni",),
    "pdfttp/Ni_reduction/Ni-lownoise.gr": ("Ni",),
    "pdfttp/Ni_Si/ni.gr": ("Ni",),
    "pdfttp/Ni_Si/si.gr": ("Si",),
    "pdfttp/CdSe/CdSe-bulk.gr": ("CdSe_wurtzite",),
    "pdfttp/CdSe/CdSe-3.gr": ("CdSe_wurtzite",),
    "pdfttp/SrFe2As2/SrFe2As2_150K.gr": ("SrFe2As2_orthorhombic", "SrFe2As2_tetragonal"),
    "pdfttp/SrFe2As2/SrFe2As2_246K.gr": ("SrFe2As2_orthorhombic", "SrFe2As2_tetragonal"),
    "pdfttp/TiO2_films/tio2-ito-glass-450.chi.gr": ("TiO2_anatase",),
}
"""Measured curve → files that hold its structure."""

FAMILIES = {
    "nickel": ("pdfttp/Ni/Ni.gr", "pdfttp/Ni_reduction/*.gr"),
    "SrFe2As2": ("pdfttp/SrFe2As2/*.gr",),
    "CdSe": ("pdfttp/CdSe/*.gr",),
    "LaMnO3": ("pdfgui_tests/*.gr",),
    "others": ("pdfttp/BaZn2As2/*.gr", "pdfttp/CuIr2S4/*.gr", "pdfttp/MnO/*.gr"),
}
"""Curves of one kind of sample."""


@dataclass(frozen=True)
class Verdict:
    """What was said of a curve, and whether its like was known."""

    name: str
    known: bool
    nearest: str
    rw: float
    unexplained: float
    novelty: float


def verdict(agent: Novelty, m: Measurement, name: str, *, known: bool) -> Verdict:
    """Return what an agent says."""
    insight = agent.analyze([m], rng=np.random.default_rng(0))
    _, signs = agent.read(m)
    told = float(insight.novelty or 0.0)
    found = Verdict(name, known, signs.nearest, signs.rw, signs.unexplained, told)
    print(
        f"{name[-44:]:46}{'known' if known else 'not':7}{signs.nearest:28}{signs.rw:7.3f}"
        f"{signs.unexplained:7.3f}{told:6.2f}",
        flush=True,
    )
    return found


def clusters(count: int, seed: int) -> list[Verdict]:
    """Return verdicts on simulated clusters."""
    whole = make({}, Path())
    rng = np.random.default_rng([seed, 3])
    samples = [(c, measured(c, rng, harsh=True).measurement) for c in strangers(count, rng)]
    found = [verdict(whole, m, f"{c.kind} {c.size}", known=True) for c, m in samples]
    for lattice in LATTICES:
        agent = make({"excluded": [lattice]}, Path())
        found += [
            verdict(agent, m, f"{c.kind} {c.size}", known=False)
            for c, m in samples
            if c.lattice == lattice
        ]
    return found


def recorded(path: Path) -> Measurement:
    """Return a measured curve; files of one folder state no Q_max, which their names hold."""
    m = read_measurement(path)
    return m if "q_max" in m.settings else replace(m, settings={**m.settings, "q_max": 27.0})


def files() -> Iterator[Verdict]:
    """Yield verdicts on measured crystals beside a folder of CIFs."""
    data = data_folder() / "pdf"
    said = {"clusters": False, "folder": data / "reference_structures"}
    agents = {}
    for file, own in CRYSTALS.items():
        for excluded in ((), own):
            if excluded not in agents:
                agents[excluded] = make(said | {"excluded": list(excluded)}, Path())
            m = recorded(data / file)
            yield verdict(agents[excluded], m, file, known=not excluded)


def curves() -> Iterator[Verdict]:
    """Yield verdicts on measured curves beside folders of others."""
    data = data_folder() / "pdf"
    families = {
        family: [p for pattern in patterns for p in sorted(data.glob(pattern))]
        for family, patterns in FAMILIES.items()
    }
    for family, own in families.items():
        rest = [p for other, paths in families.items() if other != family for p in paths]
        for path in own:
            m = recorded(path)
            yield verdict(_among(rest), m, str(path), known=False)
            if len(own) > 1 and family != "others":
                kin = [p for p in own if p != path]
                yield verdict(_among(rest + kin), m, str(path), known=True)


def _among(paths: Sequence[Path]) -> Novelty:
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            shutil.copy(path, Path(folder) / f"{number}-{path.name}")
        return make({"clusters": False, "curves": folder, "q_max": None}, Path())


def summary(found: Sequence[Verdict]) -> dict[str, float]:
    """Return AUROC and shares flagged, printed."""
    calm, wild = [v for v in found if v.known], [v for v in found if not v.known]
    told = {
        "known": float(len(calm)),
        "unknown": float(len(wild)),
        "auroc": area_under_curve([v.unexplained for v in calm], [v.unexplained for v in wild]),
        "auroc_of_rw": area_under_curve([v.rw for v in calm], [v.rw for v in wild]),
        "false_alarms": float(np.mean([v.novelty > FLAGGED for v in calm])),
        "flagged": float(np.mean([v.novelty > FLAGGED for v in wild])),
    }
    print({k: round(v, 3) for k, v in told.items()}, flush=True)
    return told


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("clusters", "files", "curves"))
    parser.add_argument("--count", type=int, default=60, help="simulated clusters")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    runs = {
        "clusters": lambda: clusters(said.count, said.seed),
        "files": lambda: list(files()),
        "curves": lambda: list(curves()),
    }
    record = {}
    for name, run in runs.items():
        if said.only in (None, name):
            found = run()
            record[name] = {"summary": summary(found), "rows": [asdict(v) for v in found]}
    if said.json is not None:
        said.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()

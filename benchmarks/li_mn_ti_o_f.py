"""Which phases are in eight patterns of the Li-Mn-Ti-O-F space, among all its 56 references.

The example of XRD-AutoAnalyzer (Szymanski et al. 2021, doi:10.1021/acs.chemmater.1c01071): single
phases and mixtures, measured, with every reference of the chemical space as a candidate, up to nine
polymorphs of one formula. The set tells formulas, not polymorphs, so an answer is right if its
formulas are. Beside `xrd.phases`: its networks alone, its screen alone, and the plainest peer, the
single reference whose pattern correlates best (which can only name one phase). The answers of
XRD-AutoAnalyzer itself are not printed with its example, and its trained model is not part of the
set, so they are not here.

The set's files list every atom and call their symmetry P 1; their space groups are found on reading
(`analysis.physics.symmetrising`), for 54 of the 56.

Run: ``python benchmarks/li_mn_ti_o_f.py [--json OUT]``. Networks are trained first if they are not
in the cache. The data are found through SDLAB_DATA, or in ``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from phase_identification import SCREEN_NAMES, trained_agent  # noqa: E402

from analysis.xrd.agents.phases import Phases  # noqa: E402
from analysis.xrd.network_input import network_input  # noqa: E402
from analysis.xrd.radiation import CU_K_ALPHA  # noqa: E402
from analysis.xrd.training.phases import STEP, TWO_THETA  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402

SET = "xrd/szymanski_LiMnTiOF"
METHODS = ("agent", "networks", "screen", "correlation")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one pattern.

    Attributes
    ----------
    truth : formulas.
    agent, networks, screen, correlation : names of references.
    """

    pattern: str
    truth: list[str]
    agent: list[str]
    networks: list[str]
    screen: list[str]
    correlation: list[str]
    p_wrong: float | None
    novelty: float
    cpu_seconds: float


def formulas(names: list[str]) -> set[str]:
    """Return the formulas of references, which are called formula_number of the space group."""
    return {name.rsplit("_", 1)[0] for name in names}


def answer(agent: Phases, measurement: Measurement, name: str, truth: list[str]) -> Answer:
    """Return what each method says of a pattern."""
    begin = time.process_time()
    insight = agent.analyze([measurement], rng=np.random.default_rng(0))
    spent = time.process_time() - begin
    names = [c.name for c in agent.crystals]
    present = [insight.class_probabilities[f"xrd.phase.{n}"]["present"] for n in names]
    opinion = agent.opinion(measurement, seed=0)
    assert insight.novelty is not None
    return Answer(
        name,
        sorted(truth),
        [n for n, p in zip(names, present, strict=True) if p > 0.5],
        [n for n, p in zip(names, opinion.probability, strict=True) if p > 0.5],
        [n for n, s in zip(names, opinion.shares, strict=True) if s > SCREEN_NAMES],
        [names[_most_alike(agent, measurement)]],
        insight.p_wrong,
        insight.novelty,
        spent,
    )


def _most_alike(agent: Phases, measurement: Measurement) -> int:
    seen = network_input(np.interp(TWO_THETA, measurement.x, measurement.y)[None], step=STEP)[0]
    alike = [np.corrcoef(seen, np.sqrt(column))[0, 1] for column in agent.patterns]
    return int(np.argmax(alike))


def show(answers: list[Answer]) -> dict[str, dict[str, float]]:
    """Print every answer; print and return the figures of each method."""
    for a in answers:
        said = ", ".join(a.agent) or "nothing"
        wrong = "-" if a.p_wrong is None else f"{a.p_wrong:.2f}"
        print(f"{a.pattern:20} {said:44} p_wrong {wrong}, novelty {a.novelty:.2f}")
    found: dict[str, dict[str, float]] = {}
    print(f"{'method':12}{'precision':>11}{'recall':>9}{'exact set':>11}{'phases named':>14}")
    for method in METHODS:
        named: list[list[str]] = [getattr(a, method) for a in answers]
        told = [formulas(n) for n in named]
        truth = [set(a.truth) for a in answers]
        right = sum(len(x & y) for x, y in zip(told, truth, strict=True))
        figures = {
            "precision": right / max(sum(map(len, told)), 1),
            "recall": right / sum(map(len, truth)),
            "exact": float(np.mean([x == y for x, y in zip(told, truth, strict=True)])),
            "named": float(sum(map(len, named))),
        }
        found[method] = figures
        print(
            f"{method:12}{figures['precision']:11.3f}{figures['recall']:9.3f}"
            f"{figures['exact']:11.3f}{figures['named']:14.0f}"
        )
    return found


def main() -> None:
    """Answer for every pattern and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SDLAB_DATA", beside)) / SET
    if not folder.is_dir():
        raise SystemExit(f"{SET} is not in {folder.parent}; set SDLAB_DATA to the folder of sets")
    agent = trained_agent({"phases": "references"}, folder, asked.recipe, asked.seed)
    print(f"{len(agent.crystals)} candidates, trained in {agent.card.cpu_seconds:.0f} CPU s")
    truth: dict[str, list[str]] = {}
    with (folder / "truth.csv").open() as file:
        for row in csv.DictReader(file):
            truth.setdefault(row["file"], []).append(row["phase"])
    answers = []
    for name, phases in truth.items():
        # The files tell no wavelength, the set's page does: Cu Kα.
        measured = read_measurement(
            folder / name, technique="xrd", wavelength=CU_K_ALPHA.wavelength
        )
        answers.append(answer(agent, measured, Path(name).stem, phases))
    figures = show(answers)
    if asked.json is not None:
        told = {"figures": figures, "answers": [asdict(a) for a in answers]}
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

"""Does `xrd.novelty` know what it does not know? On simulated strangers and on weighed mixtures.

Simulated: samples of the 51 candidates, in the world of the training and with a phase of our
library that is no candidate, drawn with another seed than the calibration's.

Recorded: twelve weighed mixtures, 2- and 8-min scans (Fei et al. 2026). Each is read with its list
complete (an alarm is false) and with each of its phases taken out of the candidates in turn. The
networks have still seen what is taken out, which only an unkind judge would call unknown. So
``--untrained`` repeats it with candidates that lack MnCO3, V2O5 and ZnO altogether, networks
trained without them: seven mixtures hold one, five are complete.

Beside the agent: the unexplained area of the same quick screen, and the same area of the plain
screen of unrefined patterns without variants. Every threshold was fixed on simulations.

Run: ``python benchmarks/novelty.py [--untrained] [--samples N] [--json OUT]``. What is not in the
cache is trained first. The data are found through SDLAB_DATA, or in ``../shared/data``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import torch  # noqa: E402
from phase_identification import trained_agent  # noqa: E402
from simulated_patterns import as_measurement  # noqa: E402
from weighed_mixtures import CANDIDATES, data_directory, truths  # noqa: E402

from analysis.errors import WeightsNotTrained  # noqa: E402
from analysis.learning.outlying import area_under_curve  # noqa: E402
from analysis.xrd.agents.novelty import Novelty, make  # noqa: E402
from analysis.xrd.training.novelty import samples  # noqa: E402
from analysis.xrd.training.novelty_trainer import train  # noqa: E402
from analysis.xrd.training.phases import RECIPES, TWO_THETA  # noqa: E402
from analysis.xrd.training.phases_trainer import strangers  # noqa: E402
from instruments.formats import read_measurement  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402

UNTRAINED = ("MnCO3_167", "V2O5_59", "ZnO_186")
"""Structures that ``--untrained`` leaves out: present in seven of the twelve mixtures."""

SCANS = ("2min", "8min")


@dataclass(frozen=True, slots=True)
class Row:
    """What was said of one pattern.

    Attributes
    ----------
    strange : whether it holds something that is no candidate.
    score : of the agent; the higher, the stranger.
    """

    pattern: str
    strange: bool
    score: float
    p_value: float
    area: float
    lacking: str = ""


def candidates(folder: Path, left_out: Sequence[str]) -> list[str]:
    """Return the candidates of the set without some of its own structures."""
    own, others = CANDIDATES[0], CANDIDATES[1:]
    if not left_out:
        return list(CANDIDATES)
    found = sorted(p.stem for p in (folder / own).glob("*.cif"))
    return [f"{own}/{name}.cif" for name in found if name not in left_out] + list(others)


def agent_of(folder: Path, phases: Sequence[str], recipe: str, **more: object) -> Novelty:
    """Return the agent, with all that it needs trained."""
    settings = {"phases": list(phases), "recipe": recipe, **more}
    try:
        return make(settings, folder)
    except WeightsNotTrained:
        trained_agent({"phases": list(phases)}, folder, recipe, 0)
        quiet = lambda what, done, of: None  # noqa: E731, ARG005
        train({"phases": list(phases)}, folder, recipe=recipe, seed=0, told=quiet)
        return make(settings, folder)


def row_of(agent: Novelty, measurement: Measurement, *, strange: bool, lacking: str = "") -> Row:
    """Return what the agent says of one pattern."""
    signs = agent.signs(measurement)
    p = agent.p_value(signs)
    sample = measurement.sample_id
    return Row(sample, strange, agent.score(signs), p, signs.rest.area, lacking)


def simulated(agent: Novelty, recipe: str, n: int) -> Iterator[Row]:
    """Yield samples of the training world, then as many with a stranger."""
    crystals = agent.crystals
    radiation = agent.settings.radiation.radiation()
    for k, who in enumerate(((), strangers(crystals))):
        drawn = samples(crystals, who, radiation, ranges=RECIPES[recipe].ranges, n=n, seed=(77, k))
        for i, counts in enumerate(drawn):
            name = f"simulated {k} {i}"
            measured = as_measurement(TWO_THETA, counts, name, wavelength=radiation.wavelength)
            yield row_of(agent, measured, strange=bool(who))


def recorded(folder: Path, phases: Sequence[str], recipe: str, untrained: bool) -> Iterator[Row]:
    """Yield every scan with its list complete and, unless `untrained`, with each phase out."""
    whole = agent_of(folder, phases, recipe)
    short: dict[str, Novelty] = {}
    for mixture, truth in truths(folder).items():
        for scan in SCANS:
            path = folder / "patterns" / f"{mixture}_{scan}.xrdml"
            measured = read_measurement(path, technique="xrd")
            missing = sorted(set(truth) & set(UNTRAINED)) if untrained else []
            yield row_of(whole, measured, strange=bool(missing), lacking=", ".join(missing))
            for name in () if untrained else truth:
                if name not in short:
                    short[name] = agent_of(folder, phases, recipe, excluded=[name])
                yield row_of(short[name], measured, strange=True, lacking=name)


def shown(what: str, rows: Sequence[Row]) -> dict[str, float]:
    """Print and return areas under the curves and alarms."""
    calm, wild = ([r for r in rows if r.strange == s] for s in (False, True))
    found = {
        "complete": len(calm),
        "strange": len(wild),
        "auroc": area_under_curve([r.score for r in calm], [r.score for r in wild]),
        "auroc_area": area_under_curve([r.area for r in calm], [r.area for r in wild]),
        "false_alarms": float(np.mean([r.p_value <= 0.05 for r in calm])),
        "found": float(np.mean([r.p_value <= 0.05 for r in wild])),
    }
    print(f"{what:12}" + "".join(f"{name} {value:.3f}  " for name, value in found.items()))
    for r in rows:
        if "simulated" not in r.pattern and (r.p_value <= 0.05) != r.strange:
            print(f"  {r.pattern}: lacking {r.lacking or '-'}, p {r.p_value:.3f}, {r.area:.3f}")
    return found


def main() -> None:
    """Read everything and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="standard")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    folder = data_directory()
    phases = candidates(folder, UNTRAINED if asked.untrained else ())
    agent = agent_of(folder, phases, asked.recipe)
    begin = time.process_time()
    made = list(simulated(agent, asked.recipe, asked.samples))
    spent = (time.process_time() - begin) / max(len(made), 1)
    print(f"{spent:.3f} CPU s a simulated pattern, its simulation included")
    real = list(recorded(folder, phases, asked.recipe, asked.untrained))
    figures = {"simulated": shown("simulated", made), "recorded": shown("recorded", real)}
    if asked.json is not None:
        rows = [asdict(r) for r in (*made, *real)]
        asked.json.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

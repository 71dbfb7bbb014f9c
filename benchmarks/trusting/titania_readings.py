"""Titania of the twin, measured well and badly, read by `xrd.quantify`, with what is really true.

One record a reading, as JSON lines; a file that is there is continued. The twin's own artefacts
(texture, Kβ, ageing, traces of hematite and corundum) are in every pattern. What is out of
distribution, one kind a reading:

``unlisted``    5 to 30 % of the mass is a phase that the agent is not told of
``swapped``     the pattern of another sample of the campaign
``wavelength``  a cobalt tube, while the record says copper
``spoilt``      the shutter falls in mid-scan, the detector saturates, or the tube flickers
``zero``        the zero of 2θ has moved by 0.15° to 0.3°

Two more stay as they are from one reading of a laboratory to the next: ``zero_stays``, and
``phase_stays``, the same unlisted phase in changing amounts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from planning.paired import add_record, read_records

from analysis.insight import Insight
from analysis.physics.structures import structure
from analysis.xrd.agents.quantify import make
from instruments import Bench, Sample
from instruments.clock import VirtualClock
from instruments.commands import Measure, Synthesize
from instruments.execution import Executor
from instruments.measurement import Measurement
from instruments.simulated.diffractometer import DiffractometerDevice
from instruments.simulated.kinetics import TITANIA_PHASES, Powder
from instruments.simulated.specimen import FloatArray, Optics, Specimen
from orchestrator.deciding.interpreting import interpret
from orchestrator.twin import (
    SimulatedDiffractometerSettings,
    _bragg,
    _strained,
    furnace,
    hidden_powder,
)

Kind = str
KINDS: tuple[Kind, ...] = ("unlisted", "swapped", "wavelength", "spoilt", "zero")
STAYING: tuple[Kind, ...] = ("zero_stays", "phase_stays")
STRANGERS = ("corundum", "zincite", "quartz", "fluorite", "halite", "periclase")
COBALT = 1.78897 / 1.54059
AGENT = {"phases": ["anatase", "rutile", "brookite"]}

LOW = {"temperature": 550.0, "dwell": 0.5, "ramp": 1.0, "dopant": 0.0}
HIGH = {"temperature": 750.0, "dwell": 10.0, "ramp": 20.0, "dopant": 4.0}
"""The space of the packaged campaign; dwell and ramp are drawn on a logarithmic scale."""


@dataclass
class Spoiling:
    """What one measurement suffers, and the optics of the last scan, for the truth of its height.

    Attributes
    ----------
    zero : additional zero shift [deg].
    stretch : factor of every wavelength.
    """

    powder: Powder
    zero: float = 0.0
    stretch: float = 1.0
    seen: Optics | None = None

    def __call__(self, _: Sample) -> Specimen:
        """Return what scatters."""
        return Specimen(self._pattern, self.powder.amorphous, self.powder.fluorescence)

    def _pattern(self, two_theta: FloatArray, optics: Optics) -> FloatArray:
        self.seen = optics
        lines = tuple((wavelength * self.stretch, weight) for wavelength, weight in optics.lines)
        shifted = replace(optics, zero_shift=optics.zero_shift + self.zero, lines=lines)
        return _bragg(two_theta, self.powder, shifted)


def readings(
    path: Path, *, seeds: range, usual: int, strange: int, staying: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield every reading of some laboratories, those of the file first, then those still missing.

    Parameters
    ----------
    usual, strange, staying : readings of a laboratory in distribution, of each kind out of it, and
        of each kind that stays.
    """
    done = {(row["seed"], row["turn"]): row for row in read_records(path)}
    kinds = ["usual"] * usual + [kind for kind in KINDS for _ in range(strange)]
    kinds += [kind for kind in STAYING for _ in range(staying)]
    for seed in seeds:
        for turn, kind in enumerate(kinds):
            row = done.get((seed, turn))
            if row is None:
                row = asyncio.run(reading(seed, turn, kind))
                add_record(path, row)
            yield row


async def reading(seed: int, turn: int, kind: Kind) -> dict[str, Any]:
    """Return one reading with the truth of every estimate, as a record."""
    rng = np.random.default_rng([seed, turn, 5])
    bench = Bench(VirtualClock(), Path(), seed)
    recipe = _recipe(rng)
    made = await _made(bench, recipe, turn)
    other = await _made(bench, _recipe(rng), turn + 1000)
    shown = hidden_powder(other if kind == "swapped" else made, seed=seed)
    stays = np.random.default_rng([seed, 6])
    if kind == "unlisted":
        shown = _with_stranger(shown, str(rng.choice(STRANGERS)), rng)
    if kind == "phase_stays":
        shown = _with_stranger(shown, str(stays.choice(STRANGERS)), rng)
    spoiling = Spoiling(shown)
    if kind in ("zero", "zero_stays"):
        drawn = stays if kind == "zero_stays" else rng
        spoiling.zero = float(drawn.choice([-1, 1]) * drawn.uniform(0.15, 0.3))
    if kind == "wavelength":
        spoiling.stretch = COBALT
    measurement = await _measured(bench, made, spoiling)
    if kind == "spoilt":
        measurement = _spoilt(measurement, rng)
    insight = _read(measurement, rng)
    assert spoiling.seen is not None
    return {
        "seed": seed,
        "turn": turn,
        "kind": kind,
        "values": recipe,
        "truth": truth_of(hidden_powder(made, seed=seed), spoiling.seen),
        "estimates": {k: (e.value, e.std, e.unit) for k, e in insight.estimates.items()},
        "p_wrong": insight.p_wrong,
        "novelty": insight.novelty,
        "quality": dict(insight.quality),
        "abstained": insight.abstained,
    }


def truth_of(powder: Powder, optics: Optics) -> dict[str, float]:
    """Return quantity → true value of everything that the agent estimates."""
    found = {"xrd.displacement": float(np.degrees(2.0 * optics.displacement))}
    for phase in TITANIA_PHASES:
        found[f"xrd.weight_fraction.{phase}"] = powder.crystalline_fraction(phase)
        if powder.weight_fractions[phase] > 0:
            found[f"xrd.crystallite_size.{phase}"] = powder.sizes[phase]
            found[f"xrd.microstrain.{phase}"] = powder.microstrain[phase]
            cell = _strained(structure(phase).cell, powder.cell_strain)
            found |= {f"xrd.lattice.{phase}.{k}": v for k, v in zip("abc", cell, strict=False)}
    return found


def _recipe(rng: np.random.Generator) -> dict[str, float]:
    share = dict(zip(LOW, rng.random(4), strict=True))
    found = {name: LOW[name] + (HIGH[name] - LOW[name]) * share[name] for name in LOW}
    for name in ("dwell", "ramp"):
        found[name] = LOW[name] * (HIGH[name] / LOW[name]) ** share[name]
    return found


async def _made(bench: Bench, recipe: Mapping[str, float], number: int) -> Sample:
    maker = furnace("furnace", {}, bench)
    await maker.connect()
    order = Synthesize(
        sample_id=f"c/{number}", number=number, recipe={"dopant_element": "Fe", **recipe}
    )
    made = await maker.execute(f"c/{number}/synthesize/1", order)
    assert isinstance(made.value, Sample), made
    return made.value


async def _measured(bench: Bench, sample: Sample, truth: Spoiling) -> Measurement:
    settings = SimulatedDiffractometerSettings()
    device = DiffractometerDevice("xrd", settings, truth=truth, clock=bench.clock, seed=bench.seed)
    scanner = Executor("xrd", settings.capabilities(), bench.clock, device)
    await scanner.connect()
    order = Measure(measurement_id=f"{sample.id}/xrd/1", sample=sample, settings={})
    measured = await scanner.execute(f"{sample.id}/measure/1", order)
    assert isinstance(measured.value, Measurement), measured
    return measured.value


def _read(measurement: Measurement, rng: np.random.Generator) -> Insight:
    found = interpret([make(AGENT, Path())], [measurement], rng=rng)
    assert found is not None
    return found.insight


def _with_stranger(powder: Powder, name: str, rng: np.random.Generator) -> Powder:
    share = float(rng.uniform(0.05, 0.3))
    size = float(np.exp(rng.uniform(np.log(200), np.log(2000))))
    crystalline = sum(powder.weight_fractions.values())
    kept = {p: w * (1 - share) for p, w in powder.weight_fractions.items()}
    return replace(
        powder,
        weight_fractions={**kept, name: share * crystalline},
        sizes={**powder.sizes, name: size},
        microstrain={**powder.microstrain, name: 5e-4},
    )


def _spoilt(measurement: Measurement, rng: np.random.Generator) -> Measurement:
    counts = measurement.y.copy()
    n, how = len(counts), int(rng.integers(3))
    if how == 0:
        counts[int(n * rng.uniform(0.2, 0.6)) :] = rng.poisson(0.3, n)[:n][0]
    elif how == 1:
        counts = np.minimum(counts, rng.uniform(0.1, 0.3) * counts.max())
    else:
        lost = np.repeat(rng.random(n // 40 + 1) < 0.3, 40)[:n]
        counts[lost] *= rng.uniform(0.1, 0.5)
    return replace(measurement, y=counts, sigma=np.sqrt(np.maximum(counts, 1.0)))

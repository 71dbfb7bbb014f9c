"""Gold grown and measured in a laboratory that has just been set up."""

from __future__ import annotations

from pathlib import Path

from instruments import Bench, Measure, Measurement, Sample, Synthesize, VirtualClock
from orchestrator.gold_twin import robot_reactor, solution_reactor, total_scattering

ROBOT = {
    "temperature": 30.0,
    "uv": 6,
    "uv_a": 3,
    "led": 2,
    **{
        f"volume_{p}": share
        for p, share in zip("abcdef", (0.3, 0.2, 0.1, 0.1, 0.1, 0.2), strict=True)
    },
    "speed_d": 3600.0,
    "mixing_speed": 3600.0,
}
SOLUTION = {"pH": 8.0, "pressure": 20.0, "solvent": "Ethanol"}
UNEVEN = {"minority": 0.1, "sizes": 0.08, "strain": 0.003, "disorder": 0.3}


async def experiment(
    recipe: dict[str, float | str],
    *,
    seed: int = 3,
    campaign: str = "c",
    number: int = 0,
    scan: dict[str, float | str] | None = None,
    settings: dict[str, object] | None = None,
    spread: float = 0.0,
) -> tuple[Sample, Measurement]:
    """Grow and measure one sample in a laboratory that has just been set up."""
    bench = Bench(VirtualClock(), Path(), seed)
    factory = solution_reactor if "solvent" in recipe else robot_reactor
    maker = factory("reactor", {"spread": spread}, bench)
    scanner = total_scattering("beamline", settings or {}, bench)
    await maker.connect()
    await scanner.connect()
    made = await maker.execute(
        f"{campaign}/{number}/synthesize/1",
        Synthesize(sample_id=f"{campaign}/{number}", number=number, recipe=recipe),
    )
    assert isinstance(made.value, Sample), made
    measured = await scanner.execute(
        f"{campaign}/{number}/measure/1",
        Measure(measurement_id=f"{made.value.id}/pdf/1", sample=made.value, settings=scan or {}),
    )
    assert isinstance(measured.value, Measurement), measured
    return made.value, measured.value

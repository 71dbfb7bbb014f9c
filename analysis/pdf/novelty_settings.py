"""Settings of `pdf.novelty`: what a campaign file may say about what is known."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.physics.scattering_factors import Probe


class NoveltySettings(BaseModel):
    """What a campaign file says under the agent ``pdf.novelty``.

    Attributes
    ----------
    clusters : the seven types of clusters of one element are known.
    most_atoms : largest cluster.
    folder : of ``.xyz`` and ``.cif`` files that are known as well.
    excluded : kinds or lattices of the library that shall not count as known.
    curves : folder of earlier curves that are known; three at least.
    element : of the sample, for I(Q) alone.
    bond_range : shortest distances that clusters are tried with [Å].
    r_range : first and last distance of a G(r) that count [Å].
    q_min, q_max : range of Q [1/Å] instead of the one that a G(r) states or the others hold.
    q_damp : of the instrument, for G(r) [1/Å].
    probe : what was scattered.
    false_alarms : share of known samples that may be called novel.
    simulations : curves of known things that strangeness is compared with.
    seed : of the simulations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    clusters: bool = True
    most_atoms: int = Field(default=400, ge=13, le=5000)
    folder: Path | None = None
    excluded: tuple[str, ...] = ()
    curves: Path | None = None
    element: str | None = None
    bond_range: tuple[float, float] = (1.9, 3.6)
    r_range: tuple[float, float] = (1.5, 20.0)
    q_min: float | None = Field(default=None, ge=0)
    q_max: float | None = Field(default=None, gt=0, le=100)
    q_damp: float = Field(default=0.04, ge=0, le=0.5)
    probe: Probe = "x-ray"
    false_alarms: float = Field(default=0.05, gt=0, lt=0.5)
    simulations: int = Field(default=60, ge=19, le=5000)
    seed: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> NoveltySettings:
        for name, (low, high) in (("bond_range", self.bond_range), ("r_range", self.r_range)):
            if not 0 < low < high:
                raise ValueError(f"{name} runs from {low:g} to {high:g} Å; it must rise from 0")
        if not self.clusters and self.folder is None and self.curves is None:
            raise ValueError(
                "clusters = false leaves nothing that is known; name a folder of structures or of "
                "earlier curves, or take the clusters"
            )
        return self

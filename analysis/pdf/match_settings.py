"""Settings of `pdf.match`: what a campaign file may say about the library and the curve."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.physics.scattering_factors import Probe


class MatchSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.match``.

    Attributes
    ----------
    clusters : match with the seven types of clusters of one element.
    most_atoms : largest cluster; 2,100 take a quarter of a minute to make.
    folder : of ``.xyz`` and ``.cif`` files that are matched as well.
    element : of the sample, for I(Q) alone; None leaves it open.
    bond_range : shortest distances that clusters are tried with [Å].
    r_range : first and last distance of a G(r) that count [Å].
    q_min, q_max : range of Q [1/Å] instead of the one that a G(r) states (of which small angles
        below 0.7 1/Å are left out) or the others hold.
    q_damp : of the instrument, for G(r) [1/Å]; a larger one looks like a smaller particle.
    probe : what was scattered.
    fitted : how many of the scan's best are fitted, besides the best of each kind. In 30 simulated
        curves of clusters outside the library the best of all fits was among the scan's first 20.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    clusters: bool = True
    most_atoms: int = Field(default=400, ge=13, le=5000)
    folder: Path | None = None
    element: str | None = None
    bond_range: tuple[float, float] = (1.9, 3.6)
    r_range: tuple[float, float] = (1.5, 30.0)
    q_min: float | None = Field(default=None, ge=0)
    q_max: float | None = Field(default=None, gt=0, le=100)
    q_damp: float = Field(default=0.04, ge=0, le=0.5)
    probe: Probe = "x-ray"
    fitted: int = Field(default=40, ge=1, le=500)

    @model_validator(mode="after")
    def _consistent(self) -> MatchSettings:
        for name, (low, high), most in (
            ("bond_range", self.bond_range, 20.0),
            ("r_range", self.r_range, 200.0),
        ):
            if not 0 < low < high <= most:
                raise ValueError(
                    f"{name} runs from {low:g} to {high:g} Å; it must rise between 0 and {most:g}"
                )
        if not self.clusters and self.folder is None:
            raise ValueError(
                "clusters = false leaves nothing to match with; name a folder of .xyz and .cif "
                "files, or take the clusters"
            )
        return self

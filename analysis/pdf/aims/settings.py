"""Settings of `pdf.target`: what a campaign file may say about the target and the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.pdf.clusters import Kind
from analysis.physics.scattering_factors import Probe

CurveName = Literal["s_q", "g_r", "i_q"]
DistanceName = Literal[
    "rwp", "rwp_scaled_to_peak", "shape", "smoothed", "cumulative", "stretched", "transport"
]


class ClusterTarget(BaseModel):
    """A cluster of one element as the target.

    Attributes
    ----------
    type : one of the seven of `analysis.pdf.clusters`.
    n_atoms : number of atoms; the library's nearest is taken, if it is within 5 %.
    size : instead of `n_atoms`, how the library names it: ``7`` shells of an icosahedron,
        ``3-2-1`` of a decahedron.
    bond : shortest distance [Å].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: Kind
    n_atoms: int | None = Field(default=None, ge=2)
    size: str | None = None
    bond: float = Field(gt=0, le=20)

    @model_validator(mode="after")
    def _one_size(self) -> ClusterTarget:
        if (self.n_atoms is None) == (self.size is None):
            said = "both" if self.size is not None else "neither of"
            raise ValueError(
                f"{said} n_atoms and size are said of the target cluster; say one of them"
            )
        return self


class TargetSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.target``.

    Exactly one of `cluster`, `xyz`, `cif` and `files` is the target.

    Attributes
    ----------
    cluster : type, size and bond.
    xyz : file of a finite structure.
    cif : file of a crystal, or its name in the structure library.
    diameter : of spherical grains of the crystal [Å]; None for a crystal without end.
    files : measured curves (``.gr``, ``.sq``, ``.fq``, ``.iq``, ``.chi``), one or one a curve.
    curves : which curves are compared; the aim is the mean of their distances.
    distance : how two curves are compared; see `analysis.pdf.aims.distances`.
    target_as_it_is : leave a target at its own height where samples are scaled to a highest
        peak of one.
    element : of the sample, for I(Q) alone.
    probe : what is scattered.
    b_iso : displacement parameter B [Å²] of simulated curves.
    q_range : of S(Q), and what G(r) is made from [1/Å]; None takes what the target's files hold,
        or else 1 to 15.
    r_range : of G(r) [Å].
    small_q_range : of the small-angle I(Q) [1/Å].
    q_damp : of the instrument [1/Å].
    most_atoms : largest cluster of the library, of which samples are foretold.
    bond_range : bonds of clusters that can be foretold [Å].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cluster: ClusterTarget | None = None
    xyz: Path | None = None
    cif: str | None = None
    diameter: float | None = Field(default=None, gt=2, le=500)
    files: tuple[Path, ...] = ()
    curves: tuple[CurveName, ...] = Field(default=("g_r",), min_length=1)
    distance: DistanceName = "rwp"
    target_as_it_is: bool = False
    element: str | None = None
    probe: Probe = "x-ray"
    b_iso: float = Field(default=0.5, ge=0, le=10)
    q_range: tuple[float, float] | None = None
    r_range: tuple[float, float] = (1.5, 30.0)
    small_q_range: tuple[float, float] = (0.02, 1.0)
    q_damp: float = Field(default=0.04, ge=0, le=0.5)
    most_atoms: int = Field(default=400, ge=13, le=5000)
    bond_range: tuple[float, float] = (1.9, 3.6)

    @model_validator(mode="after")
    def _one_target(self) -> TargetSettings:
        said = [n for n in ("cluster", "xyz", "cif", "files") if getattr(self, n)]
        if len(said) != 1:
            raise ValueError(
                f"{' and '.join(said) or 'nothing'} is said to be the target; say exactly one of "
                "cluster, xyz, cif and files"
            )
        if self.diameter is not None and self.cif is None:
            raise ValueError(f"a diameter is that of a crystal's grains; {said[0]} has its own")
        return self

    @model_validator(mode="after")
    def _sensible_curves(self) -> TargetSettings:
        if len(set(self.curves)) < len(self.curves):
            raise ValueError(f"curves names one twice: {', '.join(self.curves)}; name each once")
        if "i_q" in self.curves and self.element is None and not self.files:
            raise ValueError("i_q of a structure needs its element's form factor; say element")
        if "i_q" in self.curves and self.cif is not None and self.diameter is None:
            raise ValueError(
                "a crystal without end has no small-angle scattering; say the diameter of its "
                "grains, or leave i_q out"
            )
        return self

    @model_validator(mode="after")
    def _rising(self) -> TargetSettings:
        for name, most in (
            ("q_range", 100.0),
            ("r_range", 200.0),
            ("small_q_range", 10.0),
            ("bond_range", 20.0),
        ):
            found = getattr(self, name)
            if found is not None and not 0 <= found[0] < found[1] <= most:
                raise ValueError(
                    f"{name} runs from {found[0]:g} to {found[1]:g}; it must rise between 0 and "
                    f"{most:g}"
                )
        if self.bond_range[0] == 0:
            raise ValueError("bond_range starts at zero, where atoms lie on each other; raise it")
        return self

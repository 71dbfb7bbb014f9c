"""Settings of `xrd.quantify`: what a campaign file may say about a fit of known phases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import BadPhase, BadSettings
from analysis.physics.crystal import Crystal
from analysis.physics.reflections import Probe
from analysis.physics.structures import ALIASES, STRUCTURES, structure
from analysis.physics.symmetrising import read_symmetrised
from analysis.xrd.layout import Axis
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import CU_K_ALPHA, Radiation


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RadiationSettings(_Settings):
    """Wavelengths of the tube and the monochromator.

    Attributes
    ----------
    lines : (wavelength [Å], relative weight) of each line; Cu Kα1 and Kα2 by default.
    monochromator_two_theta : angle [deg] of a crystal monochromator (26.6 for graphite and Cu
        Kα), None without one.
    probe : ``x-ray``, or ``neutron`` of one constant wavelength.
    """

    lines: tuple[tuple[float, float], ...] = Field(default=CU_K_ALPHA.lines, min_length=1)
    monochromator_two_theta: float | None = Field(default=None, gt=0, lt=90)
    probe: Probe = "x-ray"

    @model_validator(mode="after")
    def _positive(self) -> RadiationSettings:
        if any(not (wavelength > 0 and weight > 0) for wavelength, weight in self.lines):
            raise ValueError(f"wavelengths and weights must be positive, found {self.lines}")
        if self.probe == "neutron" and "lines" not in self.model_fields_set:
            raise ValueError(
                "neutrons need their wavelength, such as lines = [[1.54, 1.0]]; X-rays' is no guess"
            )
        return self

    def radiation(self) -> Radiation:
        """Return the radiation these settings describe."""
        return Radiation(self.lines, self.monochromator_two_theta, self.probe)


class ResolutionSettings(_Settings):
    """Gaussian width of the instrument: FWHM² = u tan²θ + v tanθ + w [deg²].

    Attributes
    ----------
    fixed : hold w at its value, as measured on a standard; otherwise w is refined, and with few
        counts trades against the crystallite size.
    """

    u: float = 0.0
    v: float = 0.0
    w: float = Field(default=0.004, gt=0)
    fixed: bool = False

    def resolution(self) -> Resolution:
        """Return the resolution these settings describe."""
        return Resolution(self.u, self.v, self.w)


class StandardSettings(_Settings):
    """A crystalline standard that was weighed into the sample.

    Attributes
    ----------
    phase : its name among the phases.
    weight_fraction : of the mixture, standard included.
    """

    phase: str
    weight_fraction: float = Field(gt=0, lt=1)


class QuantifySettings(_Settings):
    """What a campaign file says under the agent ``xrd.quantify``.

    Attributes
    ----------
    phases : names of the structure library, paths of CIFs, or of folders, all of whose ``.cif``
        files are taken; name → path to choose names; or one such path.
    radiation : what the diffractometer shines.
    two_theta : lowest and highest angle that is fitted [deg]; everything if None.
    background_order : order of the Chebyshev background; 1/2θ comes on top.
    resolution : of the instrument.
    texture : phase → (h, k, l) normal to its plates, for March–Dollase texture.
    find_textures : also refine the textures that the pattern asks for, along low-index axes; see
        `analysis.xrd.texturing`.
    refine_b_iso : refine an extra displacement parameter for each phase, with a prior 0 ± 0.3 Å².
    particle_diameter : of the grains [µm], for Brindley's correction; 0 for none. Known to ± 100 %.
    standard : internal standard; fractions become those of the whole sample without it, and
        ``xrd.amorphous_fraction`` is estimated.
    prior_wrong : how often the list of phases lacks one, before the pattern is looked at.
    """

    phases: tuple[str, ...] | dict[str, str] | str
    radiation: RadiationSettings = RadiationSettings()
    two_theta: tuple[float, float] | None = None
    background_order: int = Field(default=8, ge=0, le=30)
    resolution: ResolutionSettings = ResolutionSettings()
    texture: dict[str, Axis] = Field(default_factory=dict)
    find_textures: bool = False
    refine_b_iso: bool = False
    particle_diameter: float = Field(default=3.0, ge=0, le=100)
    standard: StandardSettings | None = None
    prior_wrong: float = Field(default=0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _consistent(self) -> QuantifySettings:
        if self.two_theta is not None and not 0 < self.two_theta[0] < self.two_theta[1] < 180:
            raise ValueError(
                f"two_theta runs from {self.two_theta[0]:g} to {self.two_theta[1]:g}°; it must "
                "rise between 0 and 180"
            )
        if any(axis == (0, 0, 0) for axis in self.texture.values()):
            raise ValueError("a texture axis of (0, 0, 0) has no direction; give h, k, l")
        return self

    @property
    def grains(self) -> float:
        """Diameter [µm] for Brindley's correction; 0 for neutrons, which hardly notice a grain."""
        return 0.0 if self.radiation.probe == "neutron" else self.particle_diameter

    def crystals(self, folder: Path) -> tuple[Crystal, ...]:
        """Return the phases, read from the library or from files relative to `folder`.

        Raises
        ------
        BadPhase
            A phase is neither in the library nor a usable CIF, or a name occurs twice.
        BadSettings
            The texture or the standard names a phase that is not there.
        """
        crystals = _read(self.phases, folder)
        names = [crystal.name for crystal in crystals]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadPhase(f"two phases are called {', '.join(twice)}; give each its own name")
        strangers = sorted(set(self.texture) - set(names))
        if strangers:
            raise BadSettings(
                f"texture names {', '.join(strangers)}, which is no phase; the phases are "
                f"{', '.join(names)}"
            )
        if self.standard is not None and self.standard.phase not in names:
            raise BadSettings(
                f"the standard {self.standard.phase} is no phase; the phases are "
                f"{', '.join(names)}. List it among them"
            )
        return crystals


def _read(phases: tuple[str, ...] | Mapping[str, str] | str, folder: Path) -> tuple[Crystal, ...]:
    if isinstance(phases, str):
        return _read_folder(folder / phases) if not _is_listed(phases) else (structure(phases),)
    if isinstance(phases, tuple):
        found = tuple(c for phase in phases for c in _read_some(phase, folder))
    else:
        found = tuple(read_symmetrised(folder / path, name=name) for name, path in phases.items())
    if not found:
        raise BadPhase("no phases were named; list at least one that the sample may hold")
    return found


def _read_some(phase: str, folder: Path) -> tuple[Crystal, ...]:
    if not _is_listed(phase) and (folder / phase).is_dir():
        return _read_folder(folder / phase)
    return (_read_one(phase, folder),)


def _read_one(phase: str, folder: Path) -> Crystal:
    if _is_listed(phase):
        return structure(phase)
    if not (folder / phase).exists() and not phase.lower().endswith(".cif"):
        return structure(phase)  # raises, and names what the library has
    return read_symmetrised(folder / phase)


def _read_folder(path: Path) -> tuple[Crystal, ...]:
    if path.is_file():
        return (read_symmetrised(path),)
    if not path.is_dir():
        raise BadPhase(
            f"there is no folder or CIF {path}; give a folder of CIFs, a CIF, or names of the "
            "structure library"
        )
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".cif")
    if not files:
        raise BadPhase(f"the folder {path} holds no .cif file; put the phases' structures there")
    return tuple(read_symmetrised(file) for file in files)


def _is_listed(name: str) -> bool:
    return name.lower() in STRUCTURES or name.lower() in ALIASES

"""The hidden truth of the simulated furnace: how a titania gel crystallises, transforms, coarsens.

Amorphous titania crystallises to anatase with some brookite; both transform to rutile; all
crystallites coarsen; a dopant changes every rate. The rate constants are Arrhenius laws and the
laws are integrated along the whole temperature programme, ramp and cooling included.

Each transformation follows Johnson, Mehl, Avrami and Kolmogorov, X = 1 − exp(−θᴺ), with
θ = ∫k(T(t)) dt, which is exact for an isokinetic reaction (Cahn 1956,
doi:10.1016/0001-6160(56)90041-4). Sources of the numbers, and what is approximate:

- amorphous → anatase: first order (N ≈ 1, Zhang & Banfield 2002, doi:10.1021/cm020072k); rate
  set so that a gel crystallises within hours near 400 °C.
- anatase → rutile: apparent activation energies in the literature run from below 200 kJ/mol for
  nanocrystals to above 400 kJ/mol for coarse powder (Gribb & Banfield 1997,
  doi:10.2138/am-1997-7-809; Zhang & Banfield 1999, doi:10.2138/am-1999-0406; Shannon & Pask 1965,
  doi:10.1111/j.1151-2916.1965.tb14774.x). We take 300 kJ/mol, N = 1.2 (a first-order law fits
  nanocrystals fairly well: Madras, McCoy & Navrotsky 2007,
  doi:10.1111/j.1551-2916.2006.01369.x) and put half transformation after 2 h of undoped gel near
  700 °C, as for many sols (Hanaor & Sorrell 2011, doi:10.1007/s10853-010-5113-0). That one law
  serves all crystallite sizes is our simplification.
- brookite → rutile: first order, 60 kcal/mol (Rao, Yoganarasimhan & Faeth 1961,
  doi:10.1039/TF9615700504); the prefactor is raised to that of nanocrystals, because
  micrometre grains need 800 to 900 °C (Huberty & Xu 2008, doi:10.1016/j.jssc.2007.12.015).
- coarsening of anatase: fifth-order law, 202 kJ/mol, as reported for titania nanoparticles above
  550 °C (J. Inorg. Mater. 2002, "Kinetic study on the growth of titania nanocrystallites");
  rutile: second order, 109 kJ/mol, same source. Used below 550 °C as well.
- dopants: iron promotes, aluminium retards the formation of rutile (Hanaor & Sorrell 2011);
  both restrain coarsening. The size of the effects is ours, of the order of the reported shifts
  of tens of kelvin per mol %. Iron dissolves up to about 2 mol % (Zhu et al. 2005,
  doi:10.1016/j.physb.2005.04.013); the rest is hematite.

Not modelled: brookite → anatase, nucleation depending on particle number, heating-rate dependent
nucleation, atmosphere and vapour, sintering necks, distributions of size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.programme import Programme

FloatArray = NDArray[np.float64]

GAS_CONSTANT = 8.314462618
"""[J/(mol K)]"""


@dataclass(frozen=True, slots=True)
class Arrhenius:
    """A rate constant given at a temperature where it is known.

    Attributes
    ----------
    rate : at `reference`, in the unit of the law it serves.
    reference : temperature [°C].
    activation_energy : [kJ/mol].
    """

    rate: float
    reference: float
    activation_energy: float

    def integral(self, times: FloatArray, kelvin: FloatArray) -> float:
        """Return ∫ k(T(t)) dt along a programme, by the trapezoidal rule."""
        inverse = 1.0 / kelvin - 1.0 / (self.reference + 273.15)
        rates = self.rate * np.exp(-self.activation_energy * 1e3 / GAS_CONSTANT * inverse)
        return float(np.trapezoid(rates, times))


@dataclass(frozen=True, slots=True)
class Dopant:
    """How a dopant changes the titania.

    Attributes
    ----------
    element : symbol.
    transformation : change of ln k of both transformations to rutile per dissolved mol %.
    coarsening : change of ln k of coarsening per dissolved mol %.
    solubility : amount beyond which additions hardly dissolve [mol %].
    oxide : name of the phase that holds what did not dissolve.
    oxide_per_mol : weight of that oxide per dopant atom relative to one TiO2.
    strain : relative change of the lattice parameters (a, c) per dissolved mol %.
    fluorescence : background under copper radiation per mol %, in units of the air scatter.
    """

    element: str
    transformation: float
    coarsening: float
    solubility: float
    oxide: str
    oxide_per_mol: float
    strain: tuple[float, float]
    fluorescence: float

    def dissolved(self, amount: float) -> float:
        """Return the dissolved amount [mol %], which approaches `solubility` smoothly."""
        return self.solubility * -math.expm1(-amount / self.solubility)


IRON = Dopant("Fe", 0.85, -1.3, 2.5, "hematite", 1.00, (1.5e-4, 2.5e-4), 0.35)
ALUMINIUM = Dopant("Al", -0.80, -0.6, 4.0, "corundum", 0.64, (-2.0e-4, -1.2e-4), 0.0)
DOPANTS: Mapping[str, Dopant] = {"Fe": IRON, "Al": ALUMINIUM}


@dataclass(frozen=True, slots=True)
class Titania:
    """Rate laws and starting state of one titania gel.

    Attributes
    ----------
    crystallisation, anatase_to_rutile, brookite_to_rutile : rates [1/s].
    avrami_exponent : N of anatase → rutile; the other two are first order.
    anatase_growth, brookite_growth, rutile_growth : rates [Åⁿ/s] of Lⁿ = L₀ⁿ + ∫k dt.
    growth_order, rutile_growth_order : n.
    nucleus : crystallite size at crystallisation [Å].
    brookite_share : share of the gel that crystallises as brookite.
    shell : thickness of the disordered surface of a crystallite [Å]; it scatters as amorphous.
    dopant : what it is doped with.
    """

    crystallisation: Arrhenius = Arrhenius(3.0e-4, 400.0, 180.0)
    anatase_to_rutile: Arrhenius = Arrhenius(9.0e-5, 700.0, 300.0)
    brookite_to_rutile: Arrhenius = Arrhenius(1.5e-4, 700.0, 251.0)
    avrami_exponent: float = 1.2
    anatase_growth: Arrhenius = Arrhenius(2.0e7, 600.0, 202.0)
    brookite_growth: Arrhenius = Arrhenius(4.0e6, 600.0, 202.0)
    rutile_growth: Arrhenius = Arrhenius(3.0, 600.0, 109.0)
    growth_order: float = 5.0
    rutile_growth_order: float = 2.0
    nucleus: float = 45.0
    brookite_share: float = 0.12
    shell: float = 1.5
    dopant: Dopant = IRON


@dataclass(frozen=True, slots=True)
class Batch:
    """How one firing differs from its record; nobody in the laboratory can see it.

    Attributes
    ----------
    temperature_offset : powder less recorded temperature [K].
    dopant_error : relative error of the weighed dopant.
    brookite_factor, growth_factor, texture : batch-to-batch factors of the brookite share, of
        the sizes, and the March coefficient of the packed powder (1 is none).
    contamination : corundum worn from the crucible [weight fraction].
    """

    temperature_offset: float = 0.0
    dopant_error: float = 0.0
    brookite_factor: float = 1.0
    growth_factor: float = 1.0
    texture: float = 1.0
    contamination: float = 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, *, offset: float, spread: float) -> Batch:
        """Draw the accidents of one batch.

        Parameters
        ----------
        offset : constant error of the thermocouple [K].
        spread : scales every accident of the batch; 1 is a careful laboratory (1 K, 1 % dopant,
            10 % brookite, 1.5 % size, 2 % texture, half a weight percent of corundum).
        """
        kelvin, dopant, brookite, growth, texture, wear = rng.standard_normal(6).tolist()
        return cls(
            temperature_offset=offset + spread * kelvin,
            dopant_error=0.01 * spread * dopant,
            brookite_factor=math.exp(0.10 * spread * brookite),
            growth_factor=math.exp(0.015 * spread * growth),
            texture=math.exp(-abs(0.02 * spread * texture)),
            contamination=0.005 * spread * abs(wear),
        )


@dataclass(frozen=True, slots=True)
class Powder:
    """What really is in the crucible after a firing.

    Attributes
    ----------
    weight_fractions : phase → weight fraction; with `amorphous` they sum to one.
    amorphous : weight fraction of gel and of disordered surfaces.
    sizes : phase → crystallite size [Å].
    microstrain : phase → root-mean-square strain.
    cell_strain : relative change of (a, c) of the titania phases.
    dissolved : dopant in the titania lattices [mol %].
    texture : March coefficient.
    fluorescence : under copper radiation, in units of the air scatter at 2θ = 20°.
    """

    weight_fractions: Mapping[str, float]
    amorphous: float
    sizes: Mapping[str, float]
    microstrain: Mapping[str, float]
    cell_strain: tuple[float, float]
    dissolved: float
    texture: float = 1.0
    fluorescence: float = 0.0

    def crystalline_fraction(self, phase: str) -> float:
        """Return the weight fraction of `phase` within the crystalline titania phases."""
        total = sum(self.weight_fractions[name] for name in TITANIA_PHASES)
        return self.weight_fractions[phase] / total if total > 0 else 0.0


TITANIA_PHASES = ("anatase", "brookite", "rutile")


def calcine(programme: Programme, *, dopant: float, system: Titania, batch: Batch) -> Powder:
    """Return the powder that a temperature programme makes of the doped gel.

    Parameters
    ----------
    programme : as recorded; the powder sees it shifted by the batch's temperature offset.
    dopant : as recorded [mol %].
    system : the gel.
    batch : the accidents of this firing.
    """
    times, kelvin = programme.history()
    kelvin = kelvin + batch.temperature_offset
    added = max(dopant * (1.0 + batch.dopant_error), 0.0)
    dissolved = system.dopant.dissolved(added)
    shares = _phase_shares(times, kelvin, dissolved, system=system, batch=batch)
    sizes = _sizes(times, kelvin, dissolved, system=system, factor=batch.growth_factor)
    oxide = max(added - dissolved, 0.0) / 100.0 * system.dopant.oxide_per_mol
    fractions, amorphous = _weigh(shares, sizes, shell=system.shell)
    foreign = {system.dopant.oxide: oxide}
    foreign["corundum"] = foreign.get("corundum", 0.0) + batch.contamination
    rest = 1.0 - sum(foreign.values())
    strain_a, strain_c = system.dopant.strain
    return Powder(
        weight_fractions={name: rest * value for name, value in fractions.items()} | foreign,
        amorphous=rest * amorphous,
        sizes=sizes | dict.fromkeys(foreign, 800.0),
        microstrain={name: _microstrain(size, dissolved) for name, size in sizes.items()}
        | dict.fromkeys(foreign, 5e-4),
        cell_strain=(strain_a * dissolved, strain_c * dissolved),
        dissolved=dissolved,
        texture=batch.texture,
        fluorescence=system.dopant.fluorescence * added,
    )


def _phase_shares(
    times: FloatArray, kelvin: FloatArray, dissolved: float, *, system: Titania, batch: Batch
) -> dict[str, float]:
    """Return the share of each titania phase and of the gel, before surfaces are counted."""
    change = math.exp(system.dopant.transformation * dissolved)
    crystallised = -math.expm1(-system.crystallisation.integral(times, kelvin))
    theta = change * system.anatase_to_rutile.integral(times, kelvin)
    anatase_left = math.exp(-(theta**system.avrami_exponent))
    brookite_left = math.exp(-change * system.brookite_to_rutile.integral(times, kelvin))
    share = min(system.brookite_share * batch.brookite_factor, 1.0)
    anatase = crystallised * (1.0 - share) * anatase_left
    brookite = crystallised * share * brookite_left
    return {
        "anatase": anatase,
        "brookite": brookite,
        "rutile": max(crystallised - anatase - brookite, 0.0),
        "gel": 1.0 - crystallised,
    }


def _sizes(
    times: FloatArray, kelvin: FloatArray, dissolved: float, *, system: Titania, factor: float
) -> dict[str, float]:
    """Return phase → crystallite size [Å]; rutile starts a third larger than its anatase."""
    restraint = math.exp(system.dopant.coarsening * dissolved)

    def grown(law: Arrhenius, start: float, order: float) -> float:
        gain = restraint * law.integral(times, kelvin)
        return float((start**order + gain) ** (1.0 / order))

    order = system.growth_order
    anatase = grown(system.anatase_growth, system.nucleus, order)
    brookite = grown(system.brookite_growth, system.nucleus, order)
    rutile = grown(system.rutile_growth, 4.0 / 3.0 * anatase, system.rutile_growth_order)
    sizes = {"anatase": anatase, "brookite": brookite, "rutile": rutile}
    return {name: factor * size for name, size in sizes.items()}


def _weigh(
    shares: Mapping[str, float], sizes: Mapping[str, float], *, shell: float
) -> tuple[dict[str, float], float]:
    """Return crystalline weight fractions and the amorphous one, surfaces counted with it."""
    core = {name: max(1.0 - 2.0 * shell / sizes[name], 0.0) ** 3 for name in TITANIA_PHASES}
    crystalline = {name: shares[name] * core[name] for name in TITANIA_PHASES}
    return crystalline, 1.0 - sum(crystalline.values())


def _microstrain(size: float, dissolved: float) -> float:
    """Return the root-mean-square strain, which anneals out as crystallites grow."""
    return float(1.5e-3 * (100.0 / size) ** 0.7 + 1.0e-4 * dissolved)

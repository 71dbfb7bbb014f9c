"""One small space of each kind, to try planners in."""

from __future__ import annotations

from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
)
from planners.space import (
    CandidateList,
    ContextVariable,
    ExpressionConstraint,
    LinearConstraint,
    SearchSpace,
)


def example_spaces() -> dict[str, SearchSpace]:
    """Return one small space of each kind, by name."""
    temperature = ContinuousParameter(name="temperature", low=300, high=900, unit="degC")
    stepped = ContinuousParameter(name="time", low=1, high=12, step=0.5, unit="h")
    logarithmic = ContinuousParameter(name="concentration", low=1e-4, high=1, log=True)
    solvent = CategoricalParameter(name="solvent", categories=("water", "ethanol", "dmf"))
    milling = DiscreteParameter(name="milling", values=(0, 1, 5))
    mixture = MixtureParameter(
        name="salts", components=("a", "b", "c"), total=100, high={"a": 60}, low={"c": 5}
    )
    rows = tuple((round(0.37 * i % 1, 3), float(i % 4), "xyz"[i % 3]) for i in range(24))
    simple = {
        "continuous": SearchSpace(parameters=(temperature, stepped)),
        "log": SearchSpace(parameters=(temperature, logarithmic)),
        "grid": SearchSpace(parameters=(milling, solvent)),
        "mixed": SearchSpace(parameters=(temperature, logarithmic, solvent, milling)),
        "mixture": SearchSpace(parameters=(mixture, temperature)),
        "constrained": SearchSpace(
            parameters=(mixture, stepped, milling),
            constraints=(
                LinearConstraint(coefficients={"time": 1, "milling": 1}, upper=7),
                LinearConstraint(coefficients={"a": 1, "b": -2}, lower=0),
            ),
        ),
        "candidates": SearchSpace(candidates=CandidateList(columns=("x", "n", "kind"), rows=rows)),
    }
    return simple | _richer_spaces(temperature, solvent)


def _richer_spaces(
    temperature: ContinuousParameter, solvent: CategoricalParameter
) -> dict[str, SearchSpace]:
    stepped = ContinuousParameter(name="time", low=1, high=12, step=0.5, unit="h")
    described = CategoricalParameter(
        name="solvent",
        categories=("water", "ethanol", "dmf", "toluene"),
        descriptor_names=("permittivity", "boiling_point"),
        descriptors={
            "water": (80.1, 100.0),
            "ethanol": (24.6, 78.2),
            "dmf": (36.7, 153.0),
            "toluene": (2.4, 110.6),
        },
    )
    loading = ContinuousParameter(name="loading", low=1, high=9, only_if={"ligand": ("xphos",)})
    ligand = CategoricalParameter(name="ligand", categories=("none", "xphos"))
    pairs = CandidateList(
        columns=("solvent", "base"), rows=tuple((s, b) for s in solvent.categories for b in "uvw")
    )
    milling = DiscreteParameter(name="milling", values=(0, 1, 5))
    return {
        "described": SearchSpace(parameters=(described, temperature)),
        "expression": SearchSpace(
            parameters=(temperature, stepped),
            constraints=(ExpressionConstraint(expression="temperature * sqrt(time)", upper=1200),),
        ),
        "conditional": SearchSpace(parameters=(ligand, loading, temperature)),
        "conditional grid": SearchSpace(
            parameters=(
                ligand,
                DiscreteParameter(name="mol", values=(2, 5, 10), only_if={"ligand": ("xphos",)}),
                milling,
            )
        ),
        "hybrid": SearchSpace(parameters=(temperature,), candidates=pairs),
        "hybrid grid": SearchSpace(parameters=(milling,), candidates=pairs),
        "context": SearchSpace(
            parameters=(temperature, solvent),
            context=(
                ContextVariable(name="humidity", low=0, high=100, unit="%"),
                ContextVariable(name="lot", categories=("A17", "B02")),
            ),
        ),
    }

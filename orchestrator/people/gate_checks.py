"""Do a campaign's gates fit its search space and its laboratory? Asked before anything moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.errors import Fault
from orchestrator.people.gates import Approval, Prompt, RiskRule
from orchestrator.toml_source import TomlSource
from planners.parameters import extremes
from planners.space import SearchSpace


def approval_faults(approval: Approval, space: SearchSpace, source: TomlSource) -> list[Fault]:
    """Return what is wrong with the rules for risky proposals."""
    return [
        source.fault(("approval", "risky", i, key), message)
        for i, rule in enumerate(approval.risky)
        for key, message in _rule_faults(rule, space)
    ]


def prompt_faults(
    prompts: Sequence[Prompt], users: Mapping[str, Sequence[str]], source: TomlSource
) -> list[Fault]:
    """Return what is wrong with the steps done by hand.

    Parameters
    ----------
    users : step → the instruments that may carry it out.
    """
    return [
        source.fault(
            ("prompts", i, "instrument"),
            f"{prompt.instrument!r} never carries out `{prompt.before}` here, so this would never "
            f"be asked; {', '.join(users[prompt.before])} may",
        )
        for i, prompt in enumerate(prompts)
        if prompt.instrument and prompt.instrument not in users[prompt.before]
    ]


def _rule_faults(rule: RiskRule, space: SearchSpace) -> list[tuple[str, str]]:
    name = rule.parameter
    if name not in space.names:
        return [("parameter", f"nothing searched is called {name!r}; {', '.join(space.names)} are")]
    parameter = space.parameter(name)
    if rule.exactly is not None:
        fault = parameter.fault(name, rule.exactly)
        return [("is", f"this is never proposed: {fault}")] if fault else []
    bound = rule.above if rule.above is not None else rule.below
    key = "above" if rule.above is not None else "below"
    assert bound is not None
    numbers = [v for v in extremes(parameter, name) if not isinstance(v, str)]
    if not numbers:
        return [(key, f"{name} is chosen by name and has no {key}; use `is`")]
    low, high = min(numbers), max(numbers)
    if (bound >= high) if rule.above is not None else (bound <= low):
        goes = f"{name} goes from {low:g} to {high:g} {parameter.unit}".rstrip()
        return [(key, f"{goes}, so it is never {key} {bound:g}; correct it or take the rule away")]
    return []

"""Which instruments of a laboratory carry out the steps of a campaign, and do they fit?

Instruments that all fit are equal: any of them may make the next sample. A campaign names them in
a list; one that keeps several experiments in flight and names none takes all that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from instruments.capabilities import Accepted, Capabilities
from instruments.sample import Setting
from orchestrator.campaign import Campaign
from orchestrator.errors import Fault
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.toml_source import TomlSource
from planners.parameters import extremes

Misfits = Callable[[str], list[Fault]]


def match_synthesizers(
    campaign: Campaign, laboratory: Laboratory, source: TomlSource, faults: list[Fault]
) -> tuple[str, ...]:
    """Return the instruments of which any may make a sample, the preferred one first."""
    wanted = campaign.synthesis.instrument
    there = laboratory.with_role("synthesize")
    if why := _unclear(wanted, there, several=campaign.in_flight > 1):
        found = f"in {laboratory.name!r}, which has {', '.join(there) or 'none'}"
        message = f"needs one synthesizer {why[0]}{found}{why[1].format('[synthesis]')}"
        faults.append(source.fault(("synthesis", "instrument"), message))
        return ()
    return _fitting(
        wanted,
        there,
        lambda name: _synthesis_misfits(campaign, name, laboratory.describe(name), source),
        faults,
    )


def match_measurers(
    index: int,
    campaign: Campaign,
    laboratory: Laboratory,
    source: TomlSource,
    faults: list[Fault],
) -> tuple[str, ...]:
    """Return the instruments of which any may take a measurement, the preferred one first."""
    plan = campaign.plans[index]
    there = laboratory.with_role("measure", plan.technique)
    if why := _unclear(plan.instrument, there, several=campaign.in_flight > 1):
        found = f"in {laboratory.name!r}, which has {', '.join(there) or 'none'}"
        message = f"needs one instrument {why[0]}for {plan.technique!r} {found}"
        message += why[1].format("this measurement")
        faults.append(source.fault((*campaign.place_of(index), "technique"), message))
        return ()
    return _fitting(
        plan.instrument,
        there,
        lambda name: _measurement_misfits(campaign, index, name, laboratory.describe(name), source),
        faults,
    )


def _unclear(
    wanted: Sequence[str], there: Sequence[str], *, several: bool
) -> tuple[str, str] | None:
    """Return what is wanted and a hint if that does not say which instruments to take."""
    missing = [name for name in wanted if name not in there]
    if missing:
        return f"called {' and one called '.join(map(repr, missing))} ", ""
    if not there:
        return "", ""
    if wanted or several or len(there) == 1:
        return None
    return "", (
        "; name one as `instrument` under {}, or list those of which any may be taken. A campaign "
        "with `in_flight` above 1 takes all that fit"
    )


def _fitting(
    wanted: Sequence[str], there: Sequence[str], misfits: Misfits, faults: list[Fault]
) -> tuple[str, ...]:
    """Return the instruments that fit: all that are wanted, or any of those there."""
    found = {name: misfits(name) for name in wanted or there}
    fitting = tuple(name for name, wrong in found.items() if not wrong)
    if wanted or not fitting:
        faults.extend(fault for wrong in found.values() for fault in wrong)
        return tuple(found)
    return fitting


def _synthesis_misfits(
    campaign: Campaign, name: str, capabilities: Capabilities, source: TomlSource
) -> list[Fault]:
    faults: list[Fault] = []
    where = ("synthesis", "settings")
    _check_parameters(campaign, name, capabilities, source, faults)
    _check_settings(campaign.synthesis.settings, name, capabilities, where, source, faults)
    given = {*campaign.space.names, *campaign.synthesis.settings}
    faults.extend(
        source.fault(
            ("space",),
            f"{name} needs {a.name!r} ({a.unit or 'no unit'}), which is neither searched nor "
            "fixed; add it under [space] or [synthesis.settings]",
        )
        for a in capabilities.accepts
        if a.default is None and a.name not in given
    )
    return faults


def _measurement_misfits(
    campaign: Campaign, index: int, name: str, capabilities: Capabilities, source: TomlSource
) -> list[Fault]:
    faults: list[Fault] = []
    settings, where = campaign.plans[index].settings, campaign.place_of(index)
    _check_settings(settings, name, capabilities, (*where, "settings"), source, faults)
    faults.extend(
        source.fault(where, f"{name} needs the setting {a.name!r} ({a.unit or 'no unit'})")
        for a in capabilities.accepts
        if a.default is None and a.name not in settings
    )
    return faults


def _check_parameters(
    campaign: Campaign,
    instrument: str,
    capabilities: Capabilities,
    source: TomlSource,
    faults: list[Fault],
) -> None:
    for i, parameter in enumerate(campaign.space.parameters):
        for name in parameter.names:
            accepted = capabilities.setting(name)
            where = ("space", "parameters", i)
            if accepted is None:
                known = ", ".join(a.name for a in capabilities.accepts)
                faults.append(
                    source.fault(
                        (*where, "name"), f"{instrument} has no setting {name!r}; it has {known}"
                    )
                )
                continue
            if parameter.unit != accepted.unit and name not in campaign.space.listed:
                faults.append(
                    source.fault(
                        (*where, "unit"),
                        f"{name} is in {parameter.unit or 'no unit'} here and in "
                        f"{accepted.unit or 'no unit'} at {instrument}; state it in the latter",
                    )
                )
            faults.extend(
                source.fault(where, f"{instrument} cannot do this: {fault}")
                for value in extremes(parameter, name)
                if (fault := accepted.fault(value)) is not None
            )


def _check_settings(
    settings: Mapping[str, Setting],
    instrument: str,
    capabilities: Capabilities,
    where: tuple[str | int, ...],
    source: TomlSource,
    faults: list[Fault],
) -> None:
    for name, value in settings.items():
        accepted: Accepted | None = capabilities.setting(name)
        if accepted is None:
            known = ", ".join(a.name for a in capabilities.accepts)
            message: str | None = f"{instrument} has no setting {name!r}; it has {known}"
        else:
            message = accepted.fault(value)
        if message:
            faults.append(source.fault((*where, name), message))

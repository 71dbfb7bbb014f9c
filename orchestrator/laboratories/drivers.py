"""From the entries of a laboratory file to drivers, not yet connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from instruments.clock import Clock
from instruments.errors import InstrumentError
from instruments.protocols import Bench, Instrument
from orchestrator.errors import CampaignError, Fault
from orchestrator.registry import instrument_factory
from orchestrator.toml_source import TomlSource

if TYPE_CHECKING:
    from orchestrator.laboratories.laboratory import InstrumentEntry, LaboratoryFile


def make_instruments(
    entries: Mapping[str, InstrumentEntry],
    file: LaboratoryFile,
    source: TomlSource,
    *,
    clock: Clock,
    twin: bool,
) -> tuple[dict[str, Instrument], list[Fault]]:
    """Return a driver of each entry, or its twin, and everything that is wrong.

    Parameters
    ----------
    twin : take each instrument's twin; an instrument that is simulated already is its own.
    """
    bench = Bench(clock=clock, folder=source.path.parent, seed=file.seed)
    made: dict[str, Instrument] = {}
    faults: list[Fault] = []
    for name, entry in entries.items():
        where: tuple[str, ...] = ("instruments", name)
        try:
            instrument = instrument_factory(entry.driver)(name, entry.settings, bench)
            if twin and not instrument.describe().simulated:
                if entry.twin is None:
                    faults.append(
                        source.fault(
                            where,
                            f"{name} moves matter and has no twin, so it cannot be dry-run; add "
                            f"[instruments.{name}.twin] with a simulated driver",
                        )
                    )
                    continue
                where = (*where, "twin")
                factory = instrument_factory(entry.twin.driver)
                instrument = factory(name, entry.twin.settings, bench)
                if not instrument.describe().simulated:
                    faults.append(
                        source.fault((*where, "driver"), "the twin is not simulated itself")
                    )
            made[name] = instrument
        except ValidationError as error:
            faults += source.faults(error, (*where, "settings"))
        except InstrumentError as error:
            faults.append(source.fault((*where, "settings"), str(error)))
        except CampaignError as error:
            faults.append(source.fault((*where, "driver"), str(error)))
    return made, faults

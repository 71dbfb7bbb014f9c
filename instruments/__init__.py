"""Instruments: samples, measurements, and the drivers that make and take them."""

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock, RealClock, VirtualClock
from instruments.commands import Command, Measure, Outcome, Synthesize
from instruments.errors import (
    CommandConflict,
    CommandRefused,
    InstrumentError,
    InstrumentFault,
    NoRecordedData,
    NotConnected,
    UnreadableFile,
)
from instruments.measurement import Measurement, Reading
from instruments.protocols import Bench, Estimated, Instrument, InstrumentFactory, Status
from instruments.sample import Sample

__all__ = [
    "Accepted",
    "Bench",
    "Capabilities",
    "Clock",
    "Command",
    "CommandConflict",
    "CommandRefused",
    "Consumable",
    "Estimated",
    "Instrument",
    "InstrumentError",
    "InstrumentFactory",
    "InstrumentFault",
    "Measure",
    "Measurement",
    "NoRecordedData",
    "NotConnected",
    "Outcome",
    "Reading",
    "RealClock",
    "Sample",
    "Status",
    "Synthesize",
    "UnreadableFile",
    "VirtualClock",
]

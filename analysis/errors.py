"""Errors of the analysis.

AnalysisError
├── BadPattern          a measurement cannot be analysed as it is
├── BadPhase            a structure file is no usable crystal structure
├── BadSettings         an agent was given settings it does not understand
└── WeightsNotTrained   a network's weights have not been built yet
"""

from __future__ import annotations


class AnalysisError(Exception):
    """Something about analysing a measurement went wrong."""


class BadPattern(AnalysisError, ValueError):
    """The measurement cannot be analysed: wrong technique, axis, wavelength or counts."""


class BadPhase(AnalysisError, ValueError):
    """A structure file is missing, no CIF, or holds no atoms or cell."""


class BadSettings(AnalysisError, ValueError):
    """An agent was given settings it does not understand."""


class WeightsNotTrained(AnalysisError):
    """A network's weights have not been built; the message names the command that does."""

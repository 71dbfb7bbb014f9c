"""Figures of a campaign, drawn from its records: small, labelled with units, colour-blind safe."""

from orchestrator.report.figures.canvas import Picture
from orchestrator.report.figures.landscape import landscape
from orchestrator.report.figures.pattern import pattern, pattern_figure
from orchestrator.report.figures.phases import phase_fractions
from orchestrator.report.figures.progress import progress

__all__ = ["Picture", "landscape", "pattern", "pattern_figure", "phase_fractions", "progress"]

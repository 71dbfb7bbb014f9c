"""Figures of a campaign, drawn from its records: small, labelled with units, colour-blind safe."""

from orchestrator.report.figures.activation import activation_figure
from orchestrator.report.figures.attribution import attribution_figure
from orchestrator.report.figures.canvas import Picture
from orchestrator.report.figures.landscape import landscape
from orchestrator.report.figures.pattern import pattern, pattern_figure
from orchestrator.report.figures.phase_map import phase_map_figure, phase_patterns_figure
from orchestrator.report.figures.phases import phase_fractions
from orchestrator.report.figures.progress import progress
from orchestrator.report.figures.quantity_map import quantity_map_figure
from orchestrator.report.figures.reliability import reliability_figure

__all__ = [
    "Picture",
    "activation_figure",
    "attribution_figure",
    "landscape",
    "pattern",
    "pattern_figure",
    "phase_fractions",
    "phase_map_figure",
    "phase_patterns_figure",
    "progress",
    "quantity_map_figure",
    "reliability_figure",
]

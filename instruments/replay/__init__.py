"""Recorded real data, played as if they were measured.

Nothing here invents a number: a candidate that was not recorded is refused before time passes.
"""

from instruments.replay.recorder import RecorderSettings, recorder
from instruments.replay.synthesizer import SynthesizerSettings, synthesizer

__all__ = ["RecorderSettings", "SynthesizerSettings", "recorder", "synthesizer"]

"""The canvas: sizes, colours, and how a figure becomes bytes."""

from __future__ import annotations

import base64
import io
import threading
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

INK, GREY, BLUE, ORANGE, GREEN, RED = (
    "#222222",
    "#8a8a8a",
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc3311",
)
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999933", "#882255")
"""Colours after Okabe and Ito, told apart by every common kind of colour vision."""

_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 10,
    "svg.fonttype": "none",
}
_DPI = 130
_COLOURS, _SHADES = 96, 256
_RENDERING = threading.Lock()
"""Matplotlib's settings belong to the process, so one figure is written at a time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure.

    Attributes
    ----------
    title : what it shows, in words; the alternative text of the image.
    """

    data: bytes
    media_type: Literal["image/png"]
    title: str

    @property
    def data_uri(self) -> str:
        """The picture as an address that holds its own data."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"

    def markdown(self) -> str:
        """Return the picture as a Markdown image."""
        words = self.title.replace("[", "(").replace("]", ")").replace("\n", " ")
        return f"![{words}]({self.data_uri})"


def new_figure(width: float = 7.6, height: float = 4.0) -> Figure:
    """Return an empty figure of a size in inches."""
    return Figure(figsize=(width, height), dpi=_DPI, facecolor="white")


def tidy(axes: Any) -> None:
    """Give axes the house look: open frame, faint grid below the data."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(visible=True, color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)


def as_png(figure: Figure, title: str, *, shades: bool = False) -> Picture:
    """Return a figure as PNG with a small palette, a larger one if it lives of its `shades`.

    Error bars and dense curves make an SVG of the same figure two to ten times larger.
    """
    canvas = FigureCanvasAgg(figure)
    with _RENDERING, mpl.rc_context(_STYLE):
        canvas.draw()
    size = canvas.get_width_height(physical=True)
    image = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    method = Image.Quantize.MEDIANCUT if shades else Image.Quantize.FASTOCTREE
    colours = _SHADES if shades else _COLOURS
    small = image.convert("RGB").quantize(colours, method=method, dither=Image.Dither.NONE)
    with io.BytesIO() as file:
        small.save(file, format="png", compress_level=9)
        return Picture(file.getvalue(), "image/png", title)


def as_file(figure: Figure, format: str) -> bytes:  # noqa: A002
    """Return a figure as the bytes of a file in full quality, ``png``, ``svg`` or ``pdf``."""
    with _RENDERING, mpl.rc_context(_STYLE), io.BytesIO() as file:
        figure.savefig(file, format=format)
        return file.getvalue()

"""Turns matplotlib figures into SVG that sits well in a page: text as text, ink that follows it.

Each figure is drawn once, on nothing, in a placeholder ink. On the page the ink becomes the page's
own text colour, so that one drawing serves light and dark; in the file beside the page it is dark
on white, as papers want it.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
_FILE_INK = "#1d2129"
MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "down": "v",
    "pentagon": "p",
    "cross": "X",
    "plus": "P",
}
# Any: matplotlib types the names of its settings as one large literal.
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cascadence",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.8,
    "ytick.left": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def figure(width_in: float, height_in: float) -> tuple[Figure, Any]:
    """Return an empty figure with one pair of axes, in the house style; no window, no backend."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        drawing = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(drawing)
        axes = drawing.add_subplot()
        axes.tick_params(axis="y", length=0)
    return drawing, axes


def svg(drawing: Figure) -> str:
    """Write a figure as SVG, the same bytes for the same figure."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        drawing.savefig(buffer, format="svg", metadata=metadata)
    return buffer.getvalue()


def for_file(text: str) -> str:
    """Make the SVG stand alone: dark ink on white."""
    background = '<rect width="100%" height="100%" fill="#ffffff"/>'
    head, bracket, body = text.partition("<defs>")
    return head + background + bracket + body.replace(INK, _FILE_INK)


def for_page(text: str, name: str, description: str) -> Markup:
    """Make the SVG fit into a page: no prologue, no foreign addresses, ids of its own.

    Args:
        text: from `svg`.
        name: put before every id; unique in the page.
        description: said to those who do not see it.
    """
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r' xmlns(:\w+)?="[^"]*"', "", body)
    body = body.replace("xlink:href", "href").replace(INK, "currentColor")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    label = f'<svg class="figure" role="img" aria-label="{escape(description)}"'
    # Only matplotlib wrote this, and it escapes texts.
    return Markup(body.replace("<svg", label, 1))

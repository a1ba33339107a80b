"""Plotly.js, which draws the figures: the published partial bundle with our trace types, a third of the full size. It
comes with the program, so that neither pages nor saved documents need internet."""

from pathlib import Path

FILE = Path(__file__).parent / "plotly" / "plotly-cartesian.min.js"
VERSION = "4.1.1"
# The trace types in the bundle.
TRACES = {"bar", "box", "contour", "heatmap", "histogram", "image", "pie", "scatter", "violin"}

"""Two kinds of plots, as SVG that reads in light and dark."""

from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.harness.findings import number
from benchmarks.harness.statistics import quantile

_WIDTH, _LEFT, _RIGHT, _TOP = 720, 190, 90, 44
_BAR = 30
_CURVES_HEIGHT = 260
_COLOURS = ("#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#8d6e63")
_STYLE = (
    "text{font:12px sans-serif;fill:#777}.title{font-weight:bold}.axis{stroke:#999}"
    ".goal{stroke:#c33;stroke-dasharray:4 3}"
)


def bars(title: str, unit: str, values: Mapping[str, float], goal: float | None = None) -> str:
    """A bar for each value, and a dashed line at the goal."""
    scale = _scale(max([*values.values(), goal or 0]))
    drawn = [_bar(index, name, value, unit, scale) for index, (name, value) in enumerate(values.items())]
    bottom = _TOP + _BAR * len(values)
    if goal is not None:
        at = _LEFT + goal * scale
        drawn += [_line(at, _TOP - 6, at, bottom, "goal"), _text(at, bottom + 14, f"goal {number(goal)}", "middle")]
    return _document(title, bottom + 24, drawn)


def curves(title: str, unit: str, samples: Mapping[str, Sequence[float]]) -> str:
    """What part of each sample is at most so large, from none at the bottom to all at the top; up to the p99."""
    scale = _scale(max(quantile(values, 0.99) for values in samples.values()))
    bottom = _TOP + _CURVES_HEIGHT
    drawn = [_line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "axis"), _line(_LEFT, _TOP, _LEFT, bottom, "axis")]
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = _LEFT + part * (_WIDTH - _LEFT - _RIGHT)
        drawn += [
            _text(_LEFT - 8, bottom - part * _CURVES_HEIGHT + 4, f"{part * 100:.0f} %", "end"),
            _text(at, bottom + 16, f"{number((at - _LEFT) / scale)} {unit}", "middle"),
        ]
    for index, (name, values) in enumerate(samples.items()):
        drawn += [
            _curve(values, scale, bottom, index),
            _text(_WIDTH - _RIGHT, bottom - 12 - 18 * index, name, "end", index),
        ]
    return _document(title, bottom + 28, drawn)


def _scale(most: float) -> float:
    return (_WIDTH - _LEFT - _RIGHT) / (most or 1)


def _bar(index: int, name: str, value: float, unit: str, scale: float) -> str:
    y, colour = _TOP + _BAR * index, _COLOURS[index % len(_COLOURS)]
    box = f'<rect x="{_LEFT}" y="{y}" width="{value * scale:.1f}" height="{_BAR - 8}" fill="{colour}"/>'
    label = _text(_LEFT - 8, y + 15, name, "end")
    return box + label + _text(_LEFT + value * scale + 6, y + 15, f"{number(value)} {unit}", "start")


def _curve(values: Sequence[float], scale: float, bottom: float, index: int) -> str:
    steps = [step / 100 for step in range(100)]
    points = " ".join(
        f"{_LEFT + quantile(values, part) * scale:.1f},{bottom - part * _CURVES_HEIGHT:.1f}" for part in steps
    )
    colour = _COLOURS[index % len(_COLOURS)]
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: int | None = None) -> str:
    style = f' style="fill:{_COLOURS[colour % len(_COLOURS)]}"' if colour is not None else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _document(title: str, height: float, drawn: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" role="img">'
    named = f'<text x="8" y="20" class="title">{escape(title)}</text>'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{_STYLE}</style>", named, *drawn, "</svg>", ""])

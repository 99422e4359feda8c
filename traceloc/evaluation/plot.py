"""An evaluation as one SVG file, written by hand: no package to draw it, none to look at it.

Three panels: how right the model is where it is how sure (reliability diagram), how often a
labelled step is among the first k, and what labels of the system itself add.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from traceloc.evaluation.report import Evaluation
from traceloc.evaluation.running import MODEL
from traceloc.evaluation.summary import Row

PANEL = 300
MARGIN = 48
LEGEND_LINE = 15
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6b6b6b", "#000000")
"""Okabe and Ito's palette, told apart by the colour-blind."""


class Curve(NamedTuple):
    """One line of a panel; both coordinates from 0 to 1."""

    name: str
    points: Sequence[tuple[float, float]]
    sizes: Sequence[float] | None = None
    """Radius of each dot in pixels."""


class Panel(NamedTuple):
    """One coordinate system."""

    title: str
    across: str
    ticks: Sequence[tuple[float, str]]
    curves: Sequence[Curve]
    diagonal: bool = False


def draw_evaluation(evaluation: Evaluation) -> str:
    """The evaluation as an SVG document; the same evaluation gives the same bytes."""
    panels = [each for each in _panels(evaluation) if each.curves]
    names = list(dict.fromkeys(curve.name for panel in panels for curve in panel.curves))
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    width = max(len(panels), 1) * (PANEL + MARGIN) + MARGIN
    height = PANEL + 2 * MARGIN + LEGEND_LINE * len(names)
    body = []
    for number, panel in enumerate(panels):
        body += _draw(panel, colors, left=MARGIN + number * (PANEL + MARGIN))
    for number, name in enumerate(names):
        y = PANEL + 2 * MARGIN + LEGEND_LINE * number
        body.append(
            f'<rect x="{MARGIN}" y="{y - 9}" width="10" height="10" fill="{colors[name]}"/>'
        )
        body.append(f'<text x="{MARGIN + 16}" y="{y}">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _panels(evaluation: Evaluation) -> list[Panel]:
    rows = [row for row in evaluation.rows if row.method.startswith(MODEL) and row.n]
    fifths = [(k / 5, f"{20 * k}") for k in range(6)]
    return [
        Panel("right, % — when it is how sure, %", "sure", fifths, _reliability(evaluation), True),
        Panel(
            "labelled step among the first k, %",
            "k",
            [(0.0, "1"), (0.5, "3"), (1.0, "5")],
            [
                Curve(
                    _name(row),
                    [(0.0, _of(row, "exact")), (0.5, _of(row, "top_3")), (1.0, _of(row, "top_5"))],
                )
                for row in rows
            ]
            if len({row.method for row in rows}) == 1
            else [],
        ),
        _few_shot(rows),
    ]


def _reliability(evaluation: Evaluation) -> list[Curve]:
    methods = dict.fromkeys(each.method for each in evaluation.reliability)
    # Of several numbers of labels the last: what a system ends up with.
    last = list(methods)[-1] if methods else MODEL
    found = []
    for dataset in dict.fromkeys(each.dataset for each in evaluation.reliability):
        bins = [e for e in evaluation.reliability if (e.dataset, e.method) == (dataset, last)]
        points = [(each.confidence, each.accuracy) for each in bins]
        found.append(Curve(dataset, points, [2 + 8 * each.share for each in bins]))
    return found


def _few_shot(rows: Sequence[Row]) -> Panel:
    counts = {row.method: _labels(row.method) for row in rows}
    known = sorted({count for count in counts.values() if count is not None})
    place = {count: i / max(len(known) - 1, 1) for i, count in enumerate(known)}
    curves = []
    for dataset in dict.fromkeys(row.dataset for row in rows) if len(known) > 1 else ():
        points = [
            (place[count], _of(row, "exact"))
            for row in rows
            if row.dataset == dataset and (count := counts[row.method]) is not None
        ]
        curves.append(Curve(dataset, sorted(points)))
    ticks = [(place[count], str(count)) for count in known]
    return Panel("labelled step found, % — by labels learned", "labels", ticks, curves)


def _labels(method: str) -> int | None:
    digits = [word for word in method.replace(",", " ").split() if word.isdecimal()]
    return int(digits[0]) if digits else None


def _name(row: Row) -> str:
    return row.dataset


def _of(row: Row, metric: str) -> float:
    return row.metrics.get(metric) or 0.0


def _draw(panel: Panel, colors: dict[str, str], *, left: int) -> list[str]:
    top, bottom = MARGIN, MARGIN + PANEL

    def at(x: float, y: float) -> str:
        return f"{left + PANEL * x:.1f},{bottom - PANEL * y:.1f}"

    lines = [
        f'<text x="{left}" y="{top - 14}" font-weight="bold">{escape(panel.title)}</text>',
        f'<rect x="{left}" y="{top}" width="{PANEL}" height="{PANEL}" fill="none" stroke="#bbb"/>',
    ]
    for k in range(6):
        y = bottom - PANEL * k / 5
        lines.append(f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{20 * k}</text>')
        lines.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{left + PANEL}" y2="{y:.1f}" stroke="#eee"/>'
        )
    for x, label in panel.ticks:
        lines.append(
            f'<text x="{left + PANEL * x:.1f}" y="{bottom + 15}" text-anchor="middle">'
            f"{escape(label)}</text>"
        )
    middle = left + PANEL // 2
    lines.append(
        f'<text x="{middle}" y="{bottom + 30}" text-anchor="middle">{escape(panel.across)}</text>'
    )
    if panel.diagonal:
        lines.append(
            f'<polyline points="{at(0, 0)} {at(1, 1)}" fill="none" stroke="#999" '
            'stroke-dasharray="4 4"/>'
        )
    for curve in panel.curves:
        color = colors[curve.name]
        points = " ".join(at(x, y) for x, y in curve.points)
        lines.append(f'<polyline points="{points}" fill="none" stroke="{color}" opacity="0.7"/>')
        for (x, y), radius in zip(
            curve.points, curve.sizes or [3.0] * len(curve.points), strict=True
        ):
            cx, cy = at(x, y).split(",")
            lines.append(f'<circle cx="{cx}" cy="{cy}" r="{radius:.1f}" fill="{color}"/>')
    return lines

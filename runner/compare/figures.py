"""Figures of a comparison, as PNG for files and MLflow and as SVG for the page.

Drawn with matplotlib's object interface (no pyplot, no display, no global state). Ink is a sentinel colour
that the SVG replaces by the colour of the text around it, so that one drawing serves light and dark.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from procdsl.readable import short
from runner.colours import BASELINE, PALETTE
from runner.compare.amounts import Sort
from runner.compare.comparison import Arm, Comparison
from runner.compare.results import Point, TrialResult
from runner.compare.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#010203"
_SVG_METADATA = ("Date", "Creator", "Format", "Type")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "procdsl",
    "text.parse_math": False,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": _INK,
    "grid.alpha": 0.12,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

# What numbers of one sort go by, as measurements name it and as an axis does.
_SORTS = {
    "prompt": "tokens before the answer",
    "answer": "place in the answer",
    "depth": "brackets open",
    "distance": "from a bracket to the one that closes it",
    "item": "place in the list",
}

# Past this many points marks run together; and what comes after this share of the tokens must be told apart.
_MARKED_POINTS = 40
_LATE = 0.25

_NONE: Mapping[str, float] = {}

Curve = Callable[[TrialResult], Sequence[Point]]
Count = Callable[[Point], int]


def draw(comparison: Comparison) -> dict[str, Figure]:
    """Every figure there is something to draw for, by name, in the order of the page."""
    import matplotlib as mpl

    metric = comparison.metric
    with mpl.rc_context(STYLE):
        found = {
            "curves": _curves(
                comparison, lambda trial: trial.curves.get(metric, ()), metric, bounds=_bounds(comparison)
            ),
            "differences": _differences(comparison),
            "finals": _finals(comparison),
            "places": _places(comparison),
            "procedural": _amounts(comparison, "procedural"),
            "text": _amounts(comparison, "text"),
            "training": _curves(comparison, lambda trial: trial.training, "training loss"),
        }
    return {name: figure for name, figure in found.items() if figure is not None}


def png(figure: Figure) -> bytes:
    """The figure in black on white, at 150 dots an inch."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an inline SVG element: as wide as its place, inked like its text, needing nothing."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(_SVG_METADATA))
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(_INK, "currentColor").replace("xlink:href", "href")
    # Ids are unique within one file, and the page holds several.
    text = re.sub(r'(\bid="|url\(#|\bhref="#)', rf"\g<1>{name}-", text)
    (box,) = re.findall(r'<svg [^>]*viewBox="([^"]*)"', text)
    body = text[text.index(">") + 1 :]
    # 100 pixels an inch: letters are as tall in every figure.
    size = f'style="max-width:{100 * figure.get_figwidth():.0f}px"'
    return f'<svg role="img" aria-label="{escape(label, quote=True)}" viewBox="{box}" {size}>{body}'


def clip(name: str, width: int = 34) -> str:
    """A name that leaves room for the figure."""
    # matplotlib leaves labels out of legends that begin with an underscore; one of no width goes before it.
    name = f"\u200b{name}" if name.startswith("_") else name
    return name if len(name) <= width else name[: width - 1] + "…"


def _curves(
    comparison: Comparison, curve: Curve, label: str, *, bounds: Mapping[str, float] = _NONE
) -> Figure | None:
    """Mean over seeds and the range of the seeds, against text tokens and against all tokens."""
    from matplotlib.figure import Figure

    if not any(curve(trial) for arm in comparison.arms for trial in arm.trials):
        return None
    counts: list[tuple[str, Count]] = [("tokens, text and procedural", lambda point: point.total)]
    if any(arm.text_tokens for arm in comparison.arms):
        counts.insert(0, ("text tokens", lambda point: point.text))
    figure = Figure(figsize=(1.6 + 4.2 * len(counts), 4.6))
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, (title, count) in zip(panels, counts, strict=True):
        for i, arm in enumerate(comparison.arms):
            _line(axes, arm, curve, count, mark=_MARKS[i % len(_MARKS)])
        for name, bound in bounds.items():
            axes.axhline(bound, color=_INK, linestyle=":", linewidth=1, label=name)
        axes.set_xlabel(title)
        axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.locator_params(axis="x", nbins=6)
    _frame(panels[0], comparison, curve)
    panels[0].set_ylabel(clip(label))
    _legend(figure, comparison)
    return figure


def _legend(figure: Figure, comparison: Comparison) -> None:
    """One for all panels."""
    named = figure.axes[0].get_legend_handles_labels()
    figure.legend(*named, loc="outside lower center", ncols=min(3, len(comparison.arms)))


def _bounds(comparison: Comparison) -> dict[str, float]:
    """What is known of the metric, and no curve."""
    known = {"least possible loss": comparison.floor, "chance": comparison.chance}
    return {name: value for name, value in known.items() if value is not None}


def _line(axes: Axes, arm: Arm, curve: Curve, count: Count, *, mark: str) -> None:
    """One curriculum: the mean over all its seeds as far as each of them got, and each seed faintly.

    Where seeds were not measured after equally many tokens (a rule may have ended a phase of theirs), each
    is taken to be straight between its points.
    """
    curves = [curve(trial) for trial in arm.trials]
    seeds = [{count(p): p.value for p in points if math.isfinite(p.value)} for points in curves if points]
    if not seeds:
        return
    first, last = max(min(seed) for seed in seeds), min(max(seed) for seed in seeds)
    common = sorted({x for seed in seeds for x in seed if first <= x <= last})
    values = [[_between(seed, x) for seed in seeds] for x in common]
    means = [math.fsum(v) / len(v) for v in values]
    marker = mark if len(common) <= _MARKED_POINTS else ""
    axes.plot(
        common,
        means,
        color=arm.colour,
        linewidth=1.8,
        label=clip(arm.curriculum),
        marker=marker,
        markersize=4,
    )
    if len(seeds) > 1:
        low, high = [min(v) for v in values], [max(v) for v in values]
        axes.fill_between(common, low, high, color=arm.colour, alpha=0.15, linewidth=0)
        for seed in seeds:
            axes.plot(list(seed), list(seed.values()), color=arm.colour, linewidth=0.7, alpha=0.35)


def _between(seed: Mapping[int, float], x: int) -> float:
    """A seed's value after so many tokens, between its first and its last point.

    >>> _between({0: 4.0, 10: 2.0}, 5)
    3.0
    """
    if x in seed:
        return seed[x]
    before, after = max(at for at in seed if at < x), min(at for at in seed if at > x)
    return seed[before] + (x - before) / (after - before) * (seed[after] - seed[before])


def _frame(axes: Axes, comparison: Comparison, curve: Curve) -> None:
    """Cut the first steep stretch off the top where it would flatten everything that is compared."""
    points = [p for arm in comparison.arms for t in arm.trials for p in curve(t) if math.isfinite(p.value)]
    ends = max(p.total for p in points)
    late = [p.value for p in points if p.total >= _LATE * ends]
    low, high = min(late), max(late)
    if comparison.lower_is_better and max(p.value for p in points) - low > 2.5 * (high - low) > 0:
        axes.set_ylim(low - 0.08 * (high - low), high + 0.5 * (high - low))


def _finals(comparison: Comparison) -> Figure | None:
    """Final values: every seed, the mean and its interval."""
    rows = [(arm, arm.finals, arm.final) for arm in comparison.arms if arm.final]
    return _dots(rows, f"final {clip(comparison.metric)}") if rows else None


def _places(comparison: Comparison) -> Figure | None:
    """Final values by length, by place or by depth, where there are any: mean and range of the seeds."""
    from matplotlib.figure import Figure

    found = {
        sort: [(arm, _by_place(arm, comparison.metric, sort)) for arm in comparison.arms] for sort in _SORTS
    }
    # A single place is the metric itself.
    panels = {
        sort: rows for sort, rows in found.items() if len({x for _, values in rows for x in values}) > 1
    }
    if not panels:
        return None
    figure = Figure(figsize=(1.6 + 4.2 * len(panels), 4.6))
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for one, (sort, rows) in zip(axes, panels.items(), strict=True):
        for arm, values in rows:
            means = [math.fsum(seeds) / len(seeds) for seeds in values.values()]
            one.plot(list(values), means, color=arm.colour, linewidth=1.8, label=clip(arm.curriculum))
            low, high = [min(seeds) for seeds in values.values()], [max(seeds) for seeds in values.values()]
            one.fill_between(list(values), low, high, color=arm.colour, alpha=0.15, linewidth=0)
        one.set_xlabel(_SORTS[sort])
    axes[0].set_ylabel(f"final {clip(comparison.metric)}")
    _legend(figure, comparison)
    return figure


def _by_place(arm: Arm, metric: str, sort: str) -> dict[float, list[float]]:
    """The seeds' final values at every place; of places taken together, at their middle."""
    found: dict[float, list[float]] = {}
    place = re.compile(rf"{re.escape(metric)}/{sort}_(\d+)(?:_(\d+))?")
    for name, value in (each for trial in arm.trials for each in trial.finals.items()):
        if told := place.fullmatch(name):
            ends = [int(end) for end in told.groups() if end]
            found.setdefault(sum(ends) / len(ends), []).append(value)
    return dict(sorted(found.items()))


def _differences(comparison: Comparison) -> Figure | None:
    """Paired differences from the baseline: every seed, the mean and its interval; zero is the baseline."""
    rows = [
        (arm, arm.difference.by_seed, arm.difference.difference) for arm in comparison.arms if arm.difference
    ]
    if not rows:
        return None
    better = "left" if comparison.lower_is_better else "right"
    figure = _dots(rows, f"difference from {clip(comparison.baseline)} ({better} is better)")
    figure.axes[0].axvline(0, color=_INK, linewidth=1)
    return figure


def _amounts(comparison: Comparison, sort: Sort) -> Figure | None:
    """Final values against an amount, where curricula differ in it alone, and the baseline's range."""
    from matplotlib.figure import Figure

    arms = {arm.curriculum: arm for arm in comparison.arms}
    rows = [
        (line.name, [arms[name] for name in line.curricula if arms[name].finals])
        for line in comparison.lines
        if line.sort == sort
    ]
    if not any(len(row) > 1 for _, row in rows):
        return None
    figure = Figure(figsize=(6.5, 4.2))
    axes = figure.subplots()
    if ends := list(arms[comparison.baseline].finals.values()):
        axes.axhspan(min(ends), max(ends), color=BASELINE, alpha=0.2, linewidth=0)
        mean = math.fsum(ends) / len(ends)
        axes.axhline(mean, color=BASELINE, linewidth=1.4, label=clip(comparison.baseline))
    for i, (name, row) in enumerate(rows):
        x = [arm.procedural_tokens if sort == "procedural" else arm.text_tokens for arm in row]
        means = [math.fsum(arm.finals.values()) / len(arm.finals) for arm in row]
        low, high = [min(arm.finals.values()) for arm in row], [max(arm.finals.values()) for arm in row]
        colour = PALETTE[i % len(PALETTE)]
        axes.plot(x, means, color=colour, marker=_MARKS[i % len(_MARKS)], label=clip(name))
        axes.vlines(x, low, high, color=colour, linewidth=1.4, alpha=0.5)
    axes.set_xlabel(f"{sort} tokens")
    axes.set_ylabel(f"final {clip(comparison.metric)}")
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.legend()
    return figure


def _dots(rows: Sequence[tuple[Arm, dict[int, float], Estimate]], label: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 1.1 + 0.45 * len(rows)))
    axes = figure.subplots()
    for y, (arm, seeds, mean) in enumerate(rows):
        axes.plot(
            list(seeds.values()),
            [y + 0.22] * len(seeds),
            "o",
            color=arm.colour,
            markersize=4,
            alpha=0.55,
            mew=0,
        )
        if mean.low is not None and mean.high is not None:
            axes.plot([mean.low, mean.high], [y, y], color=arm.colour, linewidth=2.4, solid_capstyle="butt")
        axes.plot([mean.mean], [y], "D", color=arm.colour, markersize=7)
    axes.set_yticks(range(len(rows)), [clip(arm.curriculum) for arm, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    return figure

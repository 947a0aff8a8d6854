"""Several comparisons of one study side by side: a row a curriculum, a column a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.compare.figures import STYLE, png
from runner.store import write

# The ends of the scale, worse to better, and the middle: told apart in every kind of colour vision.
_SCALE = ("#D55E00", "#FFFFFF", "#0072B2")
_ALPHA = 0.05


def matrix(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The final value of each curriculum in each comparison, and its difference from that one's baseline.

    A row is the name that curricula share over comparisons; `gain` is positive where they end better.
    """
    labels = list(dict.fromkeys(arm["label"] for found in documents for arm in found["curricula"]))
    return {
        "columns": [{"name": found["comparison"], "metric": found["metric"]} for found in documents],
        "rows": [{"label": label, "cells": [_cell(found, label) for found in documents]} for label in labels],
    }


def _cell(found: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    arm = next((arm for arm in found["curricula"] if arm["label"] == label), None)
    if arm is None or arm["final"] is None:
        return None
    paired = arm["difference"]
    gain = None if paired is None else paired["difference"]["mean"] * (-1 if found["lower_is_better"] else 1)
    p = None if paired is None else paired["p_holm"]
    return {
        "curriculum": arm["name"],
        "mean": arm["final"]["mean"],
        "high": arm["final"]["high"],
        "n": arm["final"]["n"],
        "baseline": arm["baseline"],
        "gain": gain,
        "p_holm": p,
        "told_apart": p is not None and p < _ALPHA,
    }


def write_matrix(found: Mapping[str, Any], folder: Path) -> Path:
    """The matrix as ``matrix.png``: means, and by colour how they stand to the column's baseline."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    rows, columns = found["rows"], found["columns"]
    worst = [
        max((abs(cell["gain"]) for row in rows if (cell := row["cells"][i]) and cell["gain"]), default=1.0)
        for i in range(len(columns))
    ]
    shades = [
        [cell["gain"] / worst[i] if cell and cell["gain"] else 0.0 for i, cell in enumerate(row["cells"])]
        for row in rows
    ]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.6 + 1.3 * len(columns), 1.2 + 0.36 * len(rows)))
        axes = figure.add_subplot()
        scale = LinearSegmentedColormap.from_list("gain", _SCALE)
        axes.imshow(shades, cmap=scale, vmin=-1.6, vmax=1.6, aspect="auto")
        axes.set_xticks(range(len(columns)), [column["name"] for column in columns])
        axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.grid(visible=False)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row["cells"]):
                weight = "bold" if cell and cell["baseline"] else "normal"
                axes.text(x, y, told(cell), ha="center", va="center", fontsize=9, weight=weight)
        axes.set_xlabel("blue: better than the baseline\norange: worse; *: told apart", fontsize=9)
        path = folder / "matrix.png"
        write(path, png(figure))
    return path


def told(cell: Mapping[str, Any] | None) -> str:
    """A cell in a few characters; a star where it can be told from the baseline.

    >>> told({"mean": 0.98, "high": 0.99, "told_apart": True}), told(None)
    ('0.980 ± 0.01*', '–')
    """
    if cell is None:
        return "–"
    half = "" if cell["high"] is None else f" ± {cell['high'] - cell['mean']:.2g}"
    digits = 3 if math.isclose(cell["mean"], 0) or abs(cell["mean"]) < 10 else 1
    return f"{cell['mean']:.{digits}f}{half}" + ("*" if cell["told_apart"] else "")

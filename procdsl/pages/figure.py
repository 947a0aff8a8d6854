"""A description of a grammar as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from procdsl.describing import Description
from procdsl.pages.terminal import doubled, grouped, interval

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#808080"


def plot(found: Description, path: Path) -> None:
    """Writes a PNG (or whatever the name's ending asks for): counts, n-grams over the floor, nesting."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawings = [_ladder] if found.learnable else []
    drawings += [_counts] if found.first_counts else []
    drawings += [_depths, _distances] if found.nesting else []
    across, down = min(max(len(drawings), 1), 2), max(-(-len(drawings) // 2), 1)
    figure = Figure(figsize=(4.4 * across, 3.1 * down), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, draw in zip(figure.subplots(down, across, squeeze=False).flat, drawings, strict=False):
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes, found)
    language = f" — {found.language.name}" if found.language else ""
    figure.suptitle(f"{found.name} ({found.kind}){language}", fontsize=11)
    figure.savefig(path, dpi=120)


def _ladder(axes: Any, found: Description) -> None:
    assert found.learnable
    ngrams = found.learnable.ngrams
    axes.bar([f"{order}" for order in range(1, len(ngrams) + 1)], ngrams, color=_BLUE, width=0.7)
    if found.floor:
        axes.axhspan(found.floor.low, found.floor.high, color=_ORANGE, alpha=0.25, linewidth=0)
        axes.axhline(found.floor.high, color=_ORANGE)
        axes.set_title(f"n-grams; floor {interval(found.floor)}", fontsize=9)
    else:
        axes.set_title("n-grams; the floor is not known", fontsize=9)
    axes.set(xlabel="order", ylabel="nats per scored token", ylim=(0, None))


def _counts(axes: Any, found: Description) -> None:
    lengths, counts = zip(*found.first_counts, strict=True)
    axes.semilogy(lengths, [float(count) for count in counts], "o-", color=_BLUE, markersize=4)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="length", ylabel="words")
    axes.set_title(found.signature or "words of each length", fontsize=9)


def _depths(axes: Any, found: Description) -> None:
    assert found.nesting
    groups = grouped(found.nesting.deepest, 12)
    axes.bar(list(groups), list(groups.values()), color=_GREY, width=0.8)
    axes.tick_params(axis="x", rotation=45, labelsize=7)
    axes.set(xlabel="deepest nesting", ylabel="words")
    axes.set_title(f"{found.nesting.mean:.3g} deep on average", fontsize=9)


def _distances(axes: Any, found: Description) -> None:
    assert found.nesting
    groups = doubled(found.nesting.distances)
    whole = sum(groups.values())
    axes.bar(list(groups), [count / whole for count in groups.values()], color=_GREY, width=0.8)
    axes.tick_params(axis="x", rotation=45, labelsize=7)
    axes.set(xlabel="from a bracket to the one that closes it", ylabel="share of pairs")

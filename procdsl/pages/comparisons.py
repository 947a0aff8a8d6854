"""Comparisons and searches on a terminal: their tables, the verdict, and what to mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from procdsl import report
from procdsl.readable import short

# From this width on a comparison's intervals stand beside their means.
_WIDE = 118
_MISSING = 5


def compared(found: Mapping[str, Any]) -> None:
    """What a study compares: one comparison, or several and the matrix that they make."""
    if "matrix" not in found:
        _comparison(found)
        return
    for one in found["comparisons"]:
        _comparison(one)
        report.line("")
    drawn = report.table()
    drawn.add_column(report.clean(f"{found['study']}: final values"), overflow="fold")
    for column in found["matrix"]["columns"]:
        drawn.add_column(report.clean(column["name"]), justify="right")
    for row in found["matrix"]["rows"]:
        drawn.add_row(report.clean(row["label"]), *(_cell(cell) for cell in row["cells"]))
    report.show(drawn)
    report.line("* can be told from the baseline of its column (p < 0.05, Holm)", style="dim")
    report.line(f"matrix: {found['png'][0]}")


def _cell(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return "–"
    half = "" if cell["high"] is None else f" ± {cell['high'] - cell['mean']:.2g}"
    return f"{cell['mean']:.4g}{half}{'*' if cell['told_apart'] else ' '}"


def _comparison(found: Mapping[str, Any]) -> None:
    """The comparison of a study: what it rests on, a row a curriculum, the verdict, and what to mind."""
    named = f" ({found['comparison']})" if found["comparison"] else ""
    report.line(f"{found['study']}{named}: {found['metric']} by curriculum", style="bold")
    report.line(_basis(found["basis"]) + _bounds(found))
    wide = report.width() >= _WIDE
    drawn = report.table()
    drawn.add_column("curriculum", overflow="fold")
    heads = ("seeds", "text", "procedural", "final (95%)", "difference (95%)", "p (Holm)", "saving")
    timed = () if found["threshold"] is None else (f"steps to {found['threshold']:g}",)
    for head in (*heads, *timed) if wide else _stacked((*heads, *timed)):
        drawn.add_column(head, justify="right", no_wrap=True)
    for arm in found["curricula"]:
        name, *cells = _cells(arm, " " if wide else "\n")
        drawn.add_row(name, *(cells if wide else _stacked(cells)), style="bold" if arm["baseline"] else None)
    report.show(drawn)
    report.line(found["verdict"])
    for warning in found["warnings"]:
        report.warning(warning)
    for missing in found["missing"][:_MISSING]:
        report.line(f"missing: {missing}")
    if (more := len(found["missing"]) - _MISSING) > 0:
        report.line(f"missing: {more} more, in the report")
    if "html" in found:
        beside = f" (figures as PNG in {Path(found['png'][0]).parent})" if found["png"] else ""
        report.line(f"report: {found['html']}{beside}")


def searched(found: Mapping[str, Any]) -> None:
    """A search: every budget that was tried, and the smallest that is enough."""
    base = found["baseline"]
    title = f"{found['search']}: {found['metric']} of {found['curriculum']} by its budget of {found['phase']}"
    report.line(title, style="bold")
    report.line(_basis(found["basis"]))
    drawn = report.table()
    for head in ("budget", "tokens", "seeds", "final (95%)", f"less {base} (95%)", "seeds no worse", "mean"):
        drawn.add_column(report.clean(head), justify="right")
    for probe in found["probes"]:
        _, seeds, _, _, value, gap, _, _ = _cells(probe, " ")
        tokens = probe["steps"] * found["step_tokens"]
        judged = {True: "enough", False: "not enough", None: "unknown"}[probe["enough"]]
        no_worse = f"{probe['seeds_enough']} of {len(probe['seeds'])}"
        row = (_share_of(found, probe["steps"]), short(tokens), seeds, value, gap, no_worse, judged)
        drawn.add_row(*row, style="bold" if probe["steps"] == found["found"]["enough"] else None)
    report.show(drawn)
    report.line(answer(found))
    for name, reason in found["reasons"].items():
        report.message(f"{name} failed: {reason}")
    for warning in found["warnings"]:
        report.warning(warning)
    report.line(f"report: {found['html']}")


def _share_of(found: Mapping[str, Any], steps: int) -> str:
    return f"{steps / found['whole_steps']:.1%}"


def answer(found: Mapping[str, Any]) -> str:
    """What a search says, and by which rule."""
    least, below, holes = (found["found"][key] for key in ("enough", "below", "holes"))
    name = f"{found['phase']} of {found['curriculum']}"
    rule = f"the mean over seeds of its end less {found['baseline']}'s is no worse than zero; annealed anew"
    if found["exit_code"]:
        return "The search is not finished; the same command goes on."
    if least is None:
        most = max(probe["steps"] for probe in found["probes"])
        told = f"More than {_share_of(found, most)} of the {name} is needed"
    elif below is None:
        told = f"{_share_of(found, least)} of the {name}, the least that was asked for, is enough"
    else:
        told = f"{_share_of(found, least)} of the {name} is enough, {_share_of(found, below)} is not"
    worse = ", ".join(_share_of(found, steps) for steps in holes)
    return f"{told} ({rule})." + (f" {worse} was enough too, though more was not." if worse else "")


def _stacked(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells of a row for a narrow terminal: tokens above each other, and p above the saving."""
    seeds, text, procedural, final, gap, p, saving, *rest = cells
    return seeds, f"{text}\n{procedural}", final, gap, f"{p}\n{saving}", *rest


def _bounds(found: Mapping[str, Any]) -> str:
    """What is known of the metric before anything is trained."""
    floor, chance = found["floor"], found["chance"]
    least = "" if floor is None else f"; least possible {floor:.4f}"
    return least + ("" if chance is None else f"; chance {chance:.4f}")


def _basis(basis: Mapping[str, Any]) -> str:
    """Profile, text and machine, in a line."""
    parts = [f"profile {basis['profile']}" if basis["profile"] else "no profile"]
    for corpus in basis["corpora"]:
        fallback = " (fallback)" if corpus["fallback"] else ""
        parts.append(f"{corpus['name']} is {corpus['source']}{fallback}, {corpus['tokenizer']}")
    parts += [f"{' and '.join(values)}" for name, values in basis["machines"].items() if name == "device"]
    return "; ".join(parts)


def _cells(arm: Mapping[str, Any], between: str) -> tuple[str, ...]:
    """The cells of a curriculum."""
    final, paired, saving = arm["final"], arm["difference"], arm["saving"]
    seeds = f"{final['n'] if final else 0}/{len(arm['seeds'])}"
    tokens = (short(arm["text_tokens"]), short(arm["procedural_tokens"]))
    value, gap, p, saved = "–", "baseline" if arm["baseline"] else "–", "", ""
    if final:
        half = f"{between}± {final['high'] - final['mean']:.2g}" if final["high"] is not None else ""
        value = f"{final['mean']:.4f}{half}"
    if paired:
        mean, low, high = (paired["difference"][name] for name in ("mean", "low", "high"))
        gap = f"{mean:+.4f}" + (f"{between}[{low:+.4f}, {high:+.4f}]" if low is not None else "")
        p = "–" if paired["p_holm"] is None else f"{max(paired['p_holm'], 1e-4):.2g}"
    if saving and saving["finished"]:
        share = saving["text_share"] or saving["total_share"]
        saved = f"{1 - share['mean']:.1%}" if share else f"{saving['reached']}/{saving['finished']} cross"
    timed = (_timed(arm["to_threshold"], between),) if arm["to_threshold"] else ()
    return report.clean(arm["name"]), seeds, *tokens, value, gap, p, saved, *timed


def _timed(found: Mapping[str, Any], between: str) -> str:
    """Median and range of the steps to a threshold, and how many seeds got there.

    >>> _timed({"reached": 2, "n": 3, "steps": {"median": 1250.0, "least": 1000, "most": 1500}}, " ")
    '1,250 [1,000, 1,500] 2/3'
    """
    seeds = f"{found['reached']}/{found['n']}"
    if (steps := found["steps"]) is None:
        return f"–{between}{seeds}"
    spread = f"{between}[{steps['least']:,}, {steps['most']:,}]" if found["reached"] > 1 else ""
    return f"{steps['median']:,.0f}{spread} {seeds}"

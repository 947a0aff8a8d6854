"""How diagnostics, plans and differences look, on a terminal, in a pipe and as data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from procdsl.errors import Diagnostic, Place, ProcdslError, Severity, SpecError
from procdsl.readable import many, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

FORMAT_VERSION = 1
# A caret must stand under its text: longer lines are cut to this many characters around it.
_EXCERPT = 120
# A pipe's width, which nobody sees.
_PIPE_WIDTH = 200
# Between the columns of a table.
GAP = 2
# So many findings of one code at one place are drawn one by one.
_FEW = 3
# Symbols shown on either side of the one where a word goes wrong.
_AROUND = 12
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def console(*, stderr: bool = False) -> Console:
    """Where tables and what moves are drawn: colour only on a terminal without NO_COLOR, nothing wrapped."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def width() -> int:
    """How many columns there are to draw in."""
    target = console()
    return target.width if target.is_terminal else _PIPE_WIDTH


def table(*columns: str) -> Table:
    """An empty table without lines: the first column is of words, the others are of numbers."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for number, name in enumerate(columns):
        words = number == 0 or name == "phase"
        made.add_column(name, justify="left" if words else "right", no_wrap=True)
    return made


def show(table: Table) -> None:
    """Draws a table."""
    target = console()
    target.width = width()
    target.print(table)


def line(*parts: str | tuple[str, str], style: str = "", stderr: bool = False) -> None:
    """One line, of texts and of texts with a style of their own; without rich, a sixth of `procdsl check`."""
    stream = sys.stderr if stderr else sys.stdout
    styled = [(part, style) if isinstance(part, str) else part for part in parts]
    stream.write("".join(_painted(clean(text), look, stream) for text, look in styled) + "\n")


def _painted(text: str, style: str, stream: TextIO) -> str:
    """The text in a style such as "bold red", on a terminal or by force; plain by NO_COLOR."""
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    if not style or os.environ.get("NO_COLOR") or not (terminal or os.environ.get("FORCE_COLOR")):
        return text
    words = set(style.split())
    colour = "".join(words - {"bold", "dim"}) or None
    return typer.style(text, colour, bold="bold" in words or None, dim="dim" in words or None)


def data(value: Any) -> None:
    """The one JSON document of a command, on standard output."""
    sys.stdout.write(
        json.dumps({"format_version": FORMAT_VERSION, **value}, indent=2, ensure_ascii=False) + "\n"
    )


def clean(text: str) -> str:
    """The text without control characters: what a spec holds must not command the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c == "\t" else "�" for c in text)


# ---------------------------------------------------------------- diagnostics


def diagnostics(found: Iterable[Diagnostic]) -> None:
    """Each finding as `file:line:column  code  message`, its line, caret and help; then the count.

    Of many alike at one place, as sweeps have them, the first is drawn and the others are counted.
    """
    found = tuple(found)
    alike: dict[tuple[str, Place | None], list[Diagnostic]] = {}
    for finding in found:
        alike.setdefault((finding.code, finding.place), []).append(finding)
    for same in alike.values():
        few = len(same) <= _FEW
        for finding in same if few else same[:1]:
            _draw(finding)
        if not few:
            line(f"      = and {len(same) - 1:,} more {same[0].code} here; --json gives all", stderr=True)
    if count := tally(found):
        line(count, stderr=True)


def _draw(finding: Diagnostic) -> None:
    style = _STYLES[finding.severity]
    if finding.severity is Severity.NOTE:
        line(("note: ", style), finding.message, stderr=True)
        return
    label = "" if finding.severity is Severity.ERROR else f"{finding.severity}: "
    where = f"{finding.place}  " if finding.place else ""
    line(where, (finding.code, style), f"  {label}{finding.message}", stderr=True)
    gutter = " " * 6
    if finding.place and finding.source_line:
        number = f"{finding.place.line:>5}"
        gutter = " " * (len(number) + 1)
        text, indent, width = _excerpt(finding)
        line(f"{number} | {text}".rstrip(), stderr=True)
        line(f"{gutter}| {' ' * indent}", ("^" * width, style), stderr=True)
    if finding.help:
        line(f"{gutter}= help: {finding.help}", stderr=True)


def _excerpt(finding: Diagnostic) -> tuple[str, int, int]:
    """The line as shown, the cells before the caret, and the caret's width in cells."""
    from rich.cells import cell_len

    assert finding.place is not None
    text, start = clean(finding.source_line), finding.place.column - 1
    first = max(0, start - _EXCERPT // 2) if len(text) > _EXCERPT else 0
    shown = text[first : first + _EXCERPT]
    marked = shown[start - first : start - first + finding.place.width]
    return shown, cell_len(shown[: start - first]), max(1, cell_len(marked))


def tally(found: Iterable[Diagnostic]) -> str:
    """How many errors and warnings there are, in how many files."""
    found = tuple(found)
    errors = sum(d.severity is Severity.ERROR for d in found)
    warnings = sum(d.severity is Severity.WARNING for d in found)
    files = len({d.place.file for d in found if d.place})
    counts = [many(n, noun) for n, noun in ((errors, "error"), (warnings, "warning")) if n]
    return " and ".join(counts) + (f" in {many(files, 'file')}" if counts and files else "")


def diagnostic_data(finding: Diagnostic) -> dict[str, Any]:
    """A finding as data."""
    place = finding.place
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        "help": finding.help,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "width": place.width if place else None,
    }


# ---------------------------------------------------------------- failures


def failure(error: ProcdslError) -> None:
    """Why a command stopped, on standard error."""
    if isinstance(error, SpecError):
        diagnostics(error.diagnostics)
        return
    message(str(error), help=getattr(error, "help", ""))


def message(text: str, *, help: str = "") -> None:
    """`error: …` and, below it, the way out."""
    line(("error:", "bold red"), f" {text}", stderr=True)
    if help:
        line(f"  help: {help}", stderr=True)


def warning(text: str) -> None:
    """`warning: …`, of a result."""
    line(("warning: ", _STYLES[Severity.WARNING]), text)


def failure_data(error: ProcdslError) -> dict[str, Any]:
    """The same as data: `reason` is the machine's word for it."""
    found = error.diagnostics if isinstance(error, SpecError) else ()
    return {
        "ok": False,
        "reason": error.reason,
        "exit_code": error.exit_code,
        "message": str(error),
        "help": getattr(error, "help", ""),
        "diagnostics": [diagnostic_data(d) for d in found],
    }


def rejected(word: Sequence[str], place: int | None, reason: str) -> None:
    """Why a word is none of a language, below the symbol where it goes wrong."""
    at = min(place or 1, len(word) + 1) - 1
    first = max(0, at - _AROUND)
    before = clean(("… " if first else "") + "".join(f"{symbol} " for symbol in word[first:at]))
    shown = clean(" ".join(word[at : at + _AROUND]) + (" …" if len(word) > at + _AROUND else ""))
    line(f"no: {reason}")
    line(f"  {before}{shown}".rstrip())
    width = len(clean(word[at])) if at < len(word) else 1
    line("  " + " " * len(before) + "^" * width, style=_STYLES[Severity.ERROR])


def audited(found: Mapping[str, Any]) -> None:
    """What is wrong with some data, each kind of fault with its examples."""
    splits = ", ".join(f"{name} {count:,}" for name, count in found["words"].items()) or "none"
    line(f"words: {splits}; {found['distinct']:,} distinct")
    leaks = sum(found["leaks"].values())
    told = {
        "duplicates": f"{found['duplicates']:,} are there before, in the same split",
        "leaks": f"{leaks:,} are in an earlier split"
        + "".join(f"; {pair}: {count:,}" for pair, count in found["leaks"].items()),
        "invalid": f"{found['invalid']:,} of {found['checked']:,} checked are no words",
        "unreadable": f"{found['unreadable']:,} rows cannot be read",
    }
    counts = {"leaks": leaks} | {name: found[name] for name in told if name != "leaks"}
    for name, text in told.items():
        line(f"{name:<11}{text}", style="red" if counts[name] else "green")
        for example in found["examples"].get(name, ()):
            line(f"    {example}")


# ---------------------------------------------------------------- runs

_STATES = {"done": "green", "running": "cyan", "failed": "red", "pending": "dim"}


def trials(study: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A line a trial: where it stands, and why it is not done."""
    counts = ", ".join(f"{sum(row['state'] == state for row in rows)} {state}" for state in _STATES)
    line(f"{study}: {counts}", style="bold")
    width = max((len(row["curriculum"]) for row in rows), default=0)
    for row in rows:
        shared = f"  ({', '.join(row['shared'])} shared)" if row["shared"] else ""
        line(
            f"  {row['curriculum']:<{width}}  seed {row['seed']:<3} ",
            (f"{row['state']:<8}", _STATES[row["state"]]),
            f" {row['phase']} {row['step']:,}/{row['steps']:,}{shared}",
        )
        if row["reason"]:
            line(f"      {row['reason']}", style="red")


def pruned(outcome: Mapping[str, Any]) -> None:
    """What is not needed any more, and what became of it."""
    found = outcome["objects"]
    for one in found:
        line(f"{size(one['bytes']):>12}  {one['path']}")
    total = size(sum(one["bytes"] for one in found))
    if not found:
        line("nothing to prune: the studies of this store need all that is in it")
    elif outcome["deleted"]:
        line(f"freed {size(outcome['freed'])}")
    else:
        line(f"{many(len(found), 'result')} that no study needs, {total} together; --yes deletes them")
    for path in outcome["busy"]:
        line(f"kept, a run holds it: {path}")

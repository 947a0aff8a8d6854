"""The report: one HTML page that needs nothing but itself, the figures as PNG, and the numbers as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procdsl.plan import digest
from procdsl.readable import short
from runner.compare.comparison import Comparison
from runner.compare.document import document
from runner.compare.figures import draw, png, svg
from runner.store import read_table, write, write_json

_HERE = Path(__file__).parent
_TEMPLATE = "report.html.jinja"
_CAPTIONS = {
    "curves": "Mean over seeds; the band is the range of the seeds, faint lines are single seeds.",
    "differences": "Diamond: mean; bar: 95 % interval of paired differences; dots: seeds; zero: baseline.",
    "finals": "Diamond: mean; bar: 95 % interval over seeds; dots: seeds.",
    "places": "Finals by length, by place or by depth: mean and range of the seeds.",
    "procedural": "Finals of curricula that differ in procedural tokens alone: mean and range of the seeds.",
    "text": "Finals of curricula that differ in text tokens alone: mean and range of the seeds.",
    "training": "Training loss as journalled, thinned to at most 200 steps of each phase.",
}


@dataclass(frozen=True)
class ReportPaths:
    """Where the report lies; `drawn` is False where nothing had changed and nothing was made anew."""

    html: Path
    png: tuple[Path, ...]
    json: Path
    drawn: bool


def write_report(comparison: Comparison, folder: Path, *, command: str = "") -> ReportPaths:
    """Write the report into a folder, unless it is there already; `command` is what makes it again.

    What it was made from, this code included, is digested into compare.json; matplotlib is loaded only when
    that digest, or a file, is not there.
    """
    numbers, page = folder / "compare.json", folder / "compare.html"
    content = document(comparison)
    made_from = digest({"content": content, "code": _code(), "command": command})
    known = read_table(numbers)
    pictures = tuple(folder / name for name in known.get("figures", ()))
    if known.get("digest") == made_from and page.exists() and all(path.exists() for path in pictures):
        return ReportPaths(page, pictures, numbers, drawn=False)
    figures = draw(comparison)
    drawings = []
    for name, figure in figures.items():
        write(folder / f"{name}.png", png(figure))
        drawings.append({"name": name, "svg": svg(figure, name, _CAPTIONS[name]), "caption": _CAPTIONS[name]})
    write(page, render(content, drawings, command))
    names = [f"{name}.png" for name in figures]
    write_json(numbers, content | {"digest": made_from, "figures": names})
    return ReportPaths(page, tuple(folder / name for name in names), numbers, drawn=True)


def render(content: Mapping[str, Any], drawings: list[dict[str, str]], command: str) -> str:
    """The page. Everything is escaped but the drawings, which escape their own text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "short": short, "number": number, "signed": signed, "interval": interval,
        "percent": percent, "p": p_value, "saved": saved,
    }  # fmt: skip
    environment.filters |= filters
    safe = [drawing | {"svg": Markup(drawing["svg"])} for drawing in drawings]
    has_text = any(arm["text_tokens"] for arm in content["curricula"])
    return environment.get_template(_TEMPLATE).render(
        c=content, drawings=safe, command=command, has_text=has_text, number=number
    )


def number(value: float | None) -> str:
    """Five figures, or a dash."""
    return "–" if value is None else f"{value:.5g}"


def signed(value: float | None) -> str:
    """Four figures with a sign; a real minus."""
    return "–" if value is None else f"{value:+.4g}".replace("-", "−")


def percent(value: float | None) -> str:
    """One decimal.

    >>> percent(0.5499)
    '55.0 %'
    """
    return "–" if value is None else f"{value:.1%}".replace("%", " %").replace("-", "−")


def interval(estimate: Mapping[str, Any] | None, form: Callable[[float | None], str] = signed) -> str:
    """From … to …, or a dash."""
    if estimate is None or estimate["low"] is None:
        return "–"
    return f"{form(estimate['low'])} … {form(estimate['high'])}"


def saved(saving: Mapping[str, Any] | None) -> str:
    """The share of the baseline's tokens that is not needed, or how many seeds got there."""
    if saving is None or not saving["finished"]:
        return "–"
    share = saving["text_share"] or saving["total_share"]
    if share is None:
        return f"{saving['reached']} of {saving['finished']} cross"
    return percent(1 - share["mean"])


def p_value(value: float | None) -> str:
    """Two figures, and never zero.

    >>> p_value(0.00001), p_value(0.034)
    ('< 0.0001', '0.034')
    """
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def _code() -> str:
    """A digest of this package: a report drawn by older code is drawn again."""
    files = sorted([*_HERE.glob("*.py"), _HERE / _TEMPLATE])
    return hashlib.blake2b(b"\0".join(path.read_bytes() for path in files), digest_size=16).hexdigest()

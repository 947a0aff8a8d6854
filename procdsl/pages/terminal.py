"""A description of a grammar in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from procdsl import report, sampling
from procdsl.describing import Count, Description, Learnable, Nesting, Rules
from procdsl.programs.base import Interval
from procdsl.readable import short

_BAR = 40
_SHOWN = 12
# Tokens of a sample.
_ROW = 96


def show(found: Description, samples: Sequence[sampling.Sample]) -> None:
    """The whole page."""
    report.line(f"{found.name}: {found.kind}" + (f", {found.measure}" if found.measure else ""), style="bold")
    for label, text in _facts(found):
        report.line(f"  {label:<11}{text}")
    if found.learnable:
        _learnable(found.learnable, found.floor)
    if found.nesting:
        _nesting(found.nesting)
    for note in found.notes:
        report.line(f"  note: {note}")
    for sample in samples:
        sampling.show(_begun(sample), ids=False)


def _begun(sample: sampling.Sample) -> sampling.Sample:
    """The beginning of a row, with a mark where it goes on, or how much padding follows."""
    filled = len(sample.tokens)
    while filled and sample.tokens[filled - 1] == "<pad>":
        filled -= 1
    kept = min(filled, _ROW)
    rest = "…" if filled > _ROW else f"<pad>×{len(sample.tokens) - filled}"
    if kept == len(sample.tokens):
        return sample
    return sampling.Sample(
        sample.index,
        (*sample.tokens[:kept], rest),
        (*sample.ids[:kept], -1),
        (*sample.scored[:kept], 0),
        sample.depths and (*sample.depths[:kept], 0),
    )


def _facts(found: Description) -> list[tuple[str, str]]:
    language = f"{found.language.name}: {found.language.reason}" if found.language else "not known"
    lines = [("class", language), ("alphabet", _alphabet(found.alphabet)), ("lengths", _lengths(found))]
    lines += [("words", _count(one)) for one in found.counts]
    if found.first_counts:
        lines.append(("counts", _first(found)))
    if rules := found.rules:
        lines.append(("ambiguous", rules.verdict))
        if rules.radius is not None:
            lines.append(("left alone", _alone(rules)))
    floor = f"{interval(found.floor)} nats per scored token" if found.floor else "not known"
    lines.append(("floor", f"{floor}, in rows of {found.context:,}"))
    lines.append(("chance", "not known" if found.chance is None else f"{found.chance:.2%} of symbols"))
    lines += [("held out", found.held_out), ("sampling", found.exactness)]
    if found.tokens_per_s:
        lines.append(("speed", f"{short(found.tokens_per_s)} tokens/s on one core of this machine"))
    return lines


def _alone(rules: Rules) -> str:
    mean = "endless" if rules.expected_length is None else f"{rules.expected_length:.4g}"
    return f"growth {rules.radius:.4g} a step, {rules.terminates:.1%} of words end, mean length {mean}"


def _alphabet(alphabet: Sequence[str]) -> str:
    shown = " ".join(alphabet[:_SHOWN]) + (" …" if len(alphabet) > _SHOWN else "")
    return f"{len(alphabet):,} symbols: {shown}"


def _lengths(found: Description) -> str:
    mean = f", {found.mean_length:.4g} on average" if found.mean_length and "from" in found.law else ""
    return found.law + mean + (f" (possible: {found.possible})" if found.possible else "")


def _count(one: Count) -> str:
    words = (
        "too many to count here" if one.words is None else f"{number(one.words)} word{'s' * (one.words != 1)}"
    )
    nats = f", {interval(one.nats)} nats a symbol" if one.nats else ", entropy not known"
    return f"of length {one.length:,}: {words}{nats}"


def _first(found: Description) -> str:
    counts = ", ".join(number(count) for _, count in found.first_counts[:8])
    return f"{counts}, … {f'({found.signature})' if found.signature else ''}".rstrip()


def number(count: int) -> str:
    """A whole number of any size, in full while that is short.

    >>> number(1234567), number(3**300)
    ('1,234,567', '1.37e143')
    """
    if count < 10**12:
        return f"{count:,}"
    shift = max(count.bit_length() - 60, 0)
    exponent = math.log10(count >> shift) + shift * math.log10(2)
    return f"{10 ** (exponent % 1):.2f}e{int(exponent)}"


def interval(known: Interval) -> str:
    """A number, or the two bounds it lies between.

    >>> interval(Interval(low=1.0, high=1.0)), interval(Interval(low=1.0, high=1.5))
    ('1.0000', 'between 1.0000 and 1.5000')
    """
    low, high = (round(bound, 4) + 0.0 for bound in (known.low, known.high))
    if known.measured:
        return f"measured between {low:.4f} and {high:.4f}"
    return f"{high:.4f}" if low == high else f"between {low:.4f} and {high:.4f}"


def _learnable(found: Learnable, floor: Interval | None) -> None:
    report.line(f"  is there anything to learn? {found.said}", style="bold")
    most = max(found.ngrams)
    bars = {f"{order}-gram": nats for order, nats in enumerate(found.ngrams, 1)}
    if floor:
        bars["floor"] = max(floor.high, 0.0)
    for label, nats in bars.items():
        report.line(f"    {label:<8}{nats:8.4f}  {_bar(nats, most)}".rstrip())


def _nesting(found: Nesting) -> None:
    report.line(f"  deepest nesting of {found.words:,} words, {found.mean:.3g} deep on average", style="bold")
    _bars(grouped(found.deepest, 10))
    report.line("  from a bracket to the one that closes it", style="bold")
    _bars(doubled(found.distances), share=True)


def _bars(groups: Mapping[str, int], *, share: bool = False) -> None:
    width = max(map(len, groups))
    most, whole = max(groups.values()), sum(groups.values())
    for label, count in groups.items():
        told = f"{count / whole:7.1%}" if share else f"{count:7,}"
        report.line(f"    {label:>{width}} {told}  {_bar(count, most)}".rstrip())


def _bar(value: float, most: float) -> str:
    """A bar in eighths of a cell."""
    eighths = round(8 * _BAR * value / most) if most > 0 else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def grouped(counts: Mapping[int, int], most: int) -> dict[str, int]:
    """Counts in at most so many groups of equal width.

    >>> grouped({1: 5, 2: 3, 7: 1}, 3)
    {'1–3': 8, '4–6': 0, '7–9': 1}
    """
    first, last = min(counts), max(counts)
    width = -(-(last - first + 1) // most)
    groups = dict.fromkeys(range(first, last + 1, width), 0)
    for value, count in counts.items():
        groups[first + (value - first) // width * width] += count
    return {f"{a}–{a + width - 1}" if width > 1 else f"{a}": count for a, count in groups.items()}


def doubled(counts: Mapping[int, int]) -> dict[str, int]:
    """Counts in groups that double: 1, 2–3, 4–7, …

    >>> doubled({1: 5, 2: 3, 3: 1, 9: 2})
    {'1': 5, '2–3': 4, '4–7': 0, '8–15': 2}
    """
    groups = dict.fromkeys(range(min(counts).bit_length() - 1, max(counts).bit_length()), 0)
    for value, count in counts.items():
        groups[value.bit_length() - 1] += count
    return {f"{2**n}–{2 ** (n + 1) - 1}" if n else "1": count for n, count in groups.items()}

"""What changes over a phase, laid out in steps: shares as stages of constant shares, and what is frozen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from procdsl.language.curricula import AnyShare, Constant, Freezing, Piecewise, Ramp, Windowed
from procdsl.plan import COMPONENTS, Component, Stage

PLATEAUS = 64
# Shares are written with nine digits and sum to one in them: exact to a row in a billion, and the same on
# machines whose cosines differ in the last bit.
_DIGITS = 10**9
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")


def percent(text: str) -> Fraction | None:
    """``"25%"`` as a part of one, if it is one.

    >>> percent("25%")
    Fraction(1, 4)
    """
    found = _PERCENT.fullmatch(text.strip())
    value = Fraction(found[1]) / 100 if found else Fraction(2)
    return value if value <= 1 else None


def share_at(share: AnyShare, position: Fraction) -> Fraction:
    """The share, as written, at a point of the phase between 0 and 1."""
    match share:
        case Constant():
            return Fraction(str(share.value))
        case Ramp():
            start, end = Fraction(str(share.start)), Fraction(str(share.to))
            reach = (position - share.over.start) / (share.over.end - share.over.start)
            return start + (end - start) * _shaped(min(max(reach, Fraction(0)), Fraction(1)), share.shape)
        case Piecewise():
            points = [(at, value) for text, value in share.steps.items() if (at := percent(text)) is not None]
            return Fraction(str(max(point for point in points if point[0] <= position)[1]))
        case Windowed():
            return share_at(share.share, position) if share.holds(position) else Fraction(0)


def stages(shares: Mapping[str, AnyShare], steps: int) -> tuple[Stage, ...]:
    """Constant stretches that follow the shares: exact where they stay, in at most 64 plateaus elsewhere."""
    found: list[Stage] = []
    for first, last in _stretches(tuple(shares.values()), steps):
        middle = Fraction(first + last, 2 * steps)
        parts = apportion([share_at(share, middle) for share in shares.values()], _DIGITS)
        stage = Stage(steps=last - first, shares=tuple(part / _DIGITS for part in parts))
        if found and found[-1].shares == stage.shares:
            stage = Stage(steps=found.pop().steps + stage.steps, shares=stage.shares)
        found.append(stage)
    return tuple(found)


def trained(freezing: Freezing, steps: int) -> list[tuple[int, tuple[Component, ...]]]:
    """What is trained from which step on; the first is step 0.

    >>> trained(Freezing(steps={"0%": COMPONENTS[2:], "50%": ()}), 10)[0]
    (0, ('embedding', 'position'))
    """
    found: dict[int, tuple[Component, ...]] = {}
    for text, frozen in freezing.steps.items():
        point = percent(text)
        assert point is not None, "checked: points are percentages"
        if (step := round(point * steps)) < steps:
            found[step] = tuple(name for name in COMPONENTS if name not in frozen)
    return list(found.items())


def apportion(shares: list[Fraction], slots: int) -> list[int]:
    """Whole numbers that sum to `slots` and stand to each other as the shares do, by largest remainder.

    >>> apportion([Fraction(1), Fraction(2)], 8)
    [3, 5]
    """
    total = sum(shares)
    assert total > 0, "shares that are zero everywhere are found before"
    exact = [share * slots / total for share in shares]
    whole = [math.floor(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[: slots - sum(whole)]:
        whole[i] += 1
    return whole


def corners(shares: tuple[AnyShare, ...]) -> set[Fraction]:
    """The points of the phase where a share begins or stops to move, or jumps."""
    found = {Fraction(0), Fraction(1)}
    for share in shares:
        if isinstance(share, Windowed):
            found |= {*corners((share.share,)), *(edge for window in share.windows for edge in window)}
        if isinstance(share, Ramp):
            found |= {share.over.start, share.over.end}
        if isinstance(share, Piecewise):
            found |= {at for text in share.steps if (at := percent(text)) is not None}
    return found


def _stretches(shares: tuple[AnyShare, ...], steps: int) -> list[tuple[int, int]]:
    """First and last step of each stage: between corners, cut further where a ramp runs."""
    points = sorted({round(corner * steps) for corner in corners(shares)})
    spans = list(pairwise(points))
    moving = [any(_moves(share, Fraction(a + b, 2 * steps)) for share in shares) for a, b in spans]
    plateaus = max(1, PLATEAUS // max(1, sum(moving)))
    found: list[tuple[int, int]] = []
    for (first, last), moves in zip(spans, moving, strict=True):
        parts = min(plateaus, last - first) if moves else 1
        cuts = [first + (last - first) * i // parts for i in range(parts + 1)]
        found += pairwise(cuts)
    return found


def _moves(share: AnyShare, position: Fraction) -> bool:
    if isinstance(share, Windowed):
        return share.holds(position) and _moves(share.share, position)
    return (
        isinstance(share, Ramp) and share.over.start < position < share.over.end and share.start != share.to
    )


def _shaped(reach: Fraction, shape: str) -> Fraction:
    if shape == "linear":
        return reach
    return Fraction(round((1 - math.cos(math.pi * reach)) / 2 * 10**12), 10**12)

"""Length laws as they are written, and as programs draw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from procdsl.kinds import Node
from procdsl.programs.base import LONGEST, Lengths, fillable
from procdsl.streams import Stream

Whole = Annotated[int, Field(ge=1, le=LONGEST)]


class UniformLength(Node):
    """Every length from the first to the last that has words, alike."""

    uniform: tuple[Whole, Whole]

    @model_validator(mode="after")
    def _ordered(self) -> UniformLength:
        if self.uniform[0] > self.uniform[1]:
            raise ValueError(f"no length is at least {self.uniform[0]} and at most {self.uniform[1]}")
        return self


class ChoiceLength(Node):
    """Some lengths, each with its share."""

    choice: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1, max_length=LONGEST)

    @model_validator(mode="after")
    def _whole(self) -> ChoiceLength:
        for length in self.choice:
            if not (length.isascii() and length.isdecimal() and 1 <= int(length[:9]) <= LONGEST):
                raise ValueError(f"{length!r} is no length: the keys of a choice are whole numbers")
        return self


def _shape(value: Any) -> Any:
    if isinstance(value, UniformLength | ChoiceLength) or (isinstance(value, int) and value is not True):
        return value
    if isinstance(value, dict) and set(value) == {"uniform"}:
        return UniformLength.model_validate(value, strict=True)
    if isinstance(value, dict) and set(value) == {"choice"}:
        return ChoiceLength.model_validate(value, strict=True)
    raise ValueError("a length is a whole number, { uniform = [a, b] } or { choice = { 15 = 0.2, … } }")


Length = Annotated[Whole | UniformLength | ChoiceLength, BeforeValidator(_shape)]
Natural = Literal["natural"]
# A natural law ends where one word in a thousand is longer, or here: laws of heavy tails have no such place.
NATURAL_REST, NATURAL_LONGEST = 0.001, 1_024


class NaturalLength(Node):
    """The grammar's own lengths, up to this one."""

    natural: Whole


def law(length: Any, possible: Callable[[int], int] | None) -> Lengths:
    """The law in whole numbers, without the lengths that no word has. ValueError where none is left.

    >>> law(UniformLength(uniform=(2, 7)), lambda longest: 0b01010101).values
    (2, 4, 6)
    """
    shares = _shares(length)
    longest = max(shares)
    there = possible(longest) if possible else -1
    kept = {n: share for n, share in sorted(shares.items()) if there >> n & 1}
    if not kept:
        raise ValueError(_none_left(shares, there, longest))
    if len(set(kept.values())) == 1:
        return Lengths(values=tuple(kept))
    whole = sum(kept.values())
    return Lengths(values=tuple(kept), weights=tuple(max(1, round(s / whole * 2**31)) for s in kept.values()))


def _shares(length: Any) -> dict[int, float]:
    if isinstance(length, UniformLength):
        return dict.fromkeys(range(length.uniform[0], length.uniform[1] + 1), 1.0)
    if isinstance(length, ChoiceLength):
        return {int(n): share for n, share in length.choice.items()}
    return {length: 1.0}


def _none_left(shares: dict[int, float], there: int, longest: int) -> str:
    """No word has any of these lengths: which are the nearest that some word has?"""
    asked = f"length {longest}" if len(shares) == 1 else f"any of the lengths {min(shares)} to {longest}"
    near = [n for n in range(longest, 0, -1) if there >> n & 1][:1]
    return f"no word has {asked}" + (f"; the nearest shorter one is {near[0]}" if near else "")


def natural_law(shares: Sequence[float]) -> Lengths:
    """A grammar's own lengths in whole shares of 2**31; those too unlikely to have one are left out."""
    whole = sum(shares[1:])
    weights = {n: round(share / whole * 2**31) for n, share in enumerate(shares) if n and whole}
    kept = {n: weight for n, weight in weights.items() if weight}
    if not kept:
        raise ValueError("no word has a length from 1 on that the table reaches")
    return Lengths(values=tuple(kept), weights=tuple(kept.values()) if len(kept) > 1 else ())


def drawn_length(lengths: Lengths, stream: Stream) -> int:
    """A length by the law; nothing is read where there is but one."""
    return lengths.values[_place(lengths.shares, stream)] if len(lengths.values) > 1 else lengths.values[0]


def drawn_lengths(lengths: Lengths, context: int, stream: Stream) -> list[int]:
    """The lengths of a row's words: drawn by the law among those after which the row can still be filled."""
    if lengths.values == (context,):
        return [context]
    exact, drawn = fillable(lengths, context), list[int]()
    left = exact.bit_length() - 1
    while left:
        shares = [
            share if length < left and exact >> (left - length - 1) & 1 else 0
            for length, share in zip(lengths.values, lengths.shares, strict=True)
        ]
        drawn.append(lengths.values[_place(shares, stream)])
        left -= drawn[-1] + 1
    return drawn


def _place(shares: Sequence[int], stream: Stream) -> int:
    """The place of one of the shares, drawn in proportion."""
    drawn = stream.below(sum(shares))
    for place, share in enumerate(shares):
        if drawn < share:
            return place
        drawn -= share
    raise AssertionError("a number below the sum falls to some share")

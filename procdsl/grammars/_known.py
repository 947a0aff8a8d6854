"""What is known of a task's values before they are computed, and which word functions take them."""

from __future__ import annotations

from dataclasses import dataclass

from procdsl.grammars.words import Extent, WordFunction

# The parameters of word functions, as their arguments are called.
TYPES = {
    "word": "a word",
    "one": "one symbol or number",
    "number": "a number",
    "numbers": "a word of numbers",
    "digits": "a word of digits",
    "words": "a word of words",
    "list": "a word",
    "elements": "a word over a group, as in uniform(group('S5'), length=8)",
    "mapping": "a mapping",
    "key": "a word of its keys",
}
# Of these parameters all arguments hold the same: symbols, or numbers.
SORTED = frozenset({"word", "one", "list", "words"})


@dataclass(frozen=True)
class Pool:
    """Symbols to draw from: `count` ids from `first` on; the elements of a group, or numbers."""

    first: int
    count: int
    element: str = "symbol"
    group: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a register before it is filled: what it holds, and within which bounds.

    `second` is what a mapping's values are: symbols or numbers.
    """

    extent: Extent
    shape: str = "word"
    element: str = "symbol"
    second: str = "symbol"
    pool: Pool | None = None

    @property
    def one(self) -> bool:
        """Whether it is always exactly one symbol or number."""
        return self.shape == "word" and self.extent.least == self.extent.most == 1

    def __str__(self) -> str:
        if self.shape != "word":
            return "a mapping" if self.shape == "mapping" else "a word of words"
        if self.element == "number":
            return "a number" if self.one else "a word of numbers"
        return "a symbol" if self.one else "a word"


def fits(type: str, known: Known) -> bool:
    """Whether a value of this sort can be an argument of this type."""
    numbers = known.shape == "word" and known.element == "number"
    return {
        "word": known.shape == "word",
        "one": known.one,
        "number": numbers and known.one,
        "numbers": numbers,
        "digits": numbers and known.extent.high <= 9,
        "words": known.shape == "words",
        "list": known.shape in ("word", "words"),
        "elements": known.shape == "word" and known.pool is not None and bool(known.pool.group),
        "mapping": known.shape == "mapping",
        "key": known.shape == "word",
    }[type]


def result(function: WordFunction, known: list[Known], extent: Extent) -> Known:
    """What the function's value is, of arguments that fit."""
    match function.result:
        case "number" | "numbers" | "digits":
            return Known(extent, "word", "number")
        case "key":
            return Known(extent, "word", known[0].element)
        case "value":
            return Known(extent, "word", known[0].second)
        case "pairs":
            return Known(extent, "mapping", known[0].element, "number")
        case "elements":
            return Known(extent, "word", pool=known[0].pool)
    types = (*function.parameters, *function.parameters[-1:] * len(known))
    alike = [one for type, one in zip(types, known, strict=False) if type in SORTED]
    pool = alike[0].pool if len({one.pool for one in alike}) == 1 else None
    shape = {"words": "words", "list": known[0].shape}.get(function.result, "word")
    return Known(extent, shape, alike[0].element, pool=pool)

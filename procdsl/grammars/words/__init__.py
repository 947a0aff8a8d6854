"""Word functions: what tasks compute. One entry each, with a worked example that is a test.

A function is plain Python over words: lists of ids. A number's id is its value, so numbers are a kind of
symbol; a word of words is a list of lists; a mapping is a word of keys and values by turns. Its signature
is text, as in ``"word, number -> word"``, the last parameter repeated where dots follow it:

- `word`: symbols or numbers; all that a function takes are of one sort, and so is its `word`
- `one`, `number`: a word of exactly one; `numbers`: a word of numbers; `digits`: of numbers under 10
- `words`: words; `list`: a `word` or `words`; `elements`: symbols of one group
- `mapping`: keys and values; `key`, `value`: a word of these; `pairs`: a mapping whose values are numbers

`bounds` says how long its value can be and which ids it holds, given as much of its arguments. The kernel
of the same name lives in `runner/generators/word_functions.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

_LISTS = ("word", "one", "words", "list", "elements")
TYPES = frozenset({*_LISTS, "number", "numbers", "digits", "mapping", "key", "value", "pairs"})


class Extent(NamedTuple):
    """What is known of a value: least and greatest length (of a mapping: pairs), least and greatest id.

    `inner` bounds the lengths of the words inside a word of words.
    """

    least: int
    most: int
    low: int = 0
    high: int = 0
    inner: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class WordFunction:
    """A named, typed function. `repeats`: its last parameter may be given once or more often.

    `signs` are tokens that mean something to it: their ids, -1 for what a task has not, are a last argument.
    """

    name: str
    parameters: tuple[str, ...]
    repeats: bool
    result: str
    bounds: Callable[..., Extent]
    meaning: Callable[..., Any]
    signs: tuple[str, ...] = ()

    def __call__(self, *arguments: Any) -> Any:
        """The value as a list, of arguments that are lists: numbers go in and come out by themselves."""
        more = len(arguments) - len(self.parameters) if self.repeats else 0
        wanted = [*self.parameters, *self.parameters[-1:] * more]
        plain = [
            word[0] if type in ("one", "number") else word
            for word, type in zip(arguments, wanted, strict=False)
        ]
        value = self.meaning(*plain, *arguments[len(wanted) :])
        return [value] if self.result in ("one", "number") else value

    @property
    def signature(self) -> str:
        dots = "..." if self.repeats else ""
        return f"{self.name} : {', '.join(self.parameters)}{dots} -> {self.result}"


_FOUND: dict[str, WordFunction] = {}


def word_function(
    signature: str, bounds: Callable[..., Extent], signs: tuple[str, ...] = ()
) -> Callable[[Any], Any]:
    """Registers a function under its own name (a trailing underscore left off)."""

    def register(meaning: Any) -> Any:
        left, _, result = (part.strip() for part in signature.partition("->"))
        parameters = tuple(part.strip().removesuffix("...") for part in left.split(","))
        name = meaning.__name__.removesuffix("_")
        assert {*parameters, result} <= TYPES, f"{name}: {signature}"
        assert name not in _FOUND, f"two word functions are called {name}"
        _FOUND[name] = WordFunction(name, parameters, left.endswith("..."), result, bounds, meaning, signs)
        return meaning

    return register


@cache
def word_functions() -> dict[str, WordFunction]:
    """All word functions by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_FOUND.items()))


def as_long(word: Extent, *_: Extent) -> Extent:
    """As long as the first argument, of the same symbols."""
    return word


def at_most(word: Extent, *_: Extent) -> Extent:
    """Not longer than the first argument, and empty only if that is."""
    return word._replace(least=min(word.least, 1))


def shorter(word: Extent, *_: Extent) -> Extent:
    """Not longer than the first argument, and perhaps empty."""
    return word._replace(least=0)


def single(word: Extent, *_: Extent) -> Extent:
    """One symbol of the first argument."""
    return word._replace(least=1, most=1)


def joined(*words: Extent) -> Extent:
    """As long as all together."""
    return Extent(
        sum(word.least for word in words),
        sum(word.most for word in words),
        min(word.low for word in words),
        max(word.high for word in words),
        (min(word.inner[0] for word in words), max(word.inner[1] for word in words)),
    )


def number(low: int, high: int) -> Extent:
    """A number between two."""
    return Extent(1, 1, low, high)

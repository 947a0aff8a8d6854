"""Word functions: what tasks compute. One entry each, with a worked example that is a test.

A function is plain Python over words (lists of ids) and numbers; its signature is text, as in
``"word, number -> word"``, the last parameter repeated where dots follow it. `bounds` says how long its
value can be, given the bounds of its arguments (of a word its length, of a number its value). The kernel of
the same name lives in `runner/generators/word_functions.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

Type = Literal["word", "number"]
Bounds = tuple[int, int]


@dataclass(frozen=True)
class WordFunction:
    """A named, typed function. `repeats`: its last parameter may be given once or more often."""

    name: str
    parameters: tuple[Type, ...]
    repeats: bool
    result: Type
    bounds: Callable[..., Bounds]
    meaning: Callable[..., Any]


_FOUND: dict[str, WordFunction] = {}


def word_function(signature: str, bounds: Callable[..., Bounds]) -> Callable[[Any], Any]:
    """Registers a function under its own name (a trailing underscore left off)."""

    def register(meaning: Any) -> Any:
        left, _, result = (part.strip() for part in signature.partition("->"))
        parameters: Any = tuple(part.strip().removesuffix("...") for part in left.split(","))
        name, types = meaning.__name__.removesuffix("_"), {*parameters, result}
        assert types <= {"word", "number"}, f"{name}: {signature}"
        assert name not in _FOUND, f"two word functions are called {name}"
        made: Any = result
        _FOUND[name] = WordFunction(name, parameters, left.endswith("..."), made, bounds, meaning)
        return meaning

    return register


@cache
def word_functions() -> dict[str, WordFunction]:
    """All word functions by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_FOUND.items()))


def as_long(word: Bounds, *_: Bounds) -> Bounds:
    """As long as the first argument."""
    return word


def at_most(word: Bounds, *_: Bounds) -> Bounds:
    """Not longer than the first argument, and empty only if that is."""
    return (min(word[0], 1), word[1])

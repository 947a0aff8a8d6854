"""Words of somebody else's making: classes that other distributions bring by an entry point.

An entry point of the group `procdsl.kinds` called ``words.NAME`` gives a class. It is made with the options
of the spec, and has an `alphabet` of tokens and ``sample(stream, length)``: a word of exactly that length, as
tokens, drawn by a `procdsl.streams.Stream` and nothing else. It may have ``lengths(longest)``, which lengths
words have, ``accepts(word)``, ``legal_next(prefix, length)``, ``count(length)`` and
``log_probability(word)``. What was found is written down by distribution, version and a digest of the source,
so that another version is never passed for this one.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from procdsl.errors import RunError
from procdsl.kinds import PLUGINS
from procdsl.programs.plugin import PluginProgram
from procdsl.streams import Stream

_PREFIX = "words."


class PluginError(ValueError):
    """A plug-in that is not there, or not what it should be; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        self.help = help
        super().__init__(message)


class Words(Protocol):
    """What every plug-in has."""

    alphabet: Sequence[str]

    def sample(self, stream: Stream, length: int) -> Iterable[str]: ...


@functools.cache
def identity(name: str) -> tuple[str, str, str]:
    """A plug-in's distribution and version, where its class is, and the digest of its source."""
    point = _point(name)
    source = importlib.util.find_spec(point.module)
    if source is None or source.origin is None or not Path(source.origin).is_file():
        raise PluginError(f"the plug-in {name} = {point.value!r} has no source file")
    digest = blake2b(Path(source.origin).read_bytes(), digest_size=16).hexdigest()
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist else ""
    return distribution, point.value, digest


def make(name: str, options: tuple[tuple[str, Any], ...]) -> Words:
    """An object of the plug-in's class. PluginError where it cannot be made, or lacks what all have."""
    try:
        return _made(name, options)
    except (ImportError, AttributeError, TypeError, ValueError) as fault:
        if isinstance(fault, PluginError):
            raise
        raise PluginError(f"the plug-in {name} cannot be made: {fault}") from fault


def optional(words: Words, method: str) -> Callable[..., Any] | None:
    """A method that a plug-in need not have."""
    found: Callable[..., Any] | None = getattr(words, method, None)
    return found


def drawn(program: PluginProgram, stream: Stream, length: int) -> list[int]:
    """A word as ids. RunError where the plug-in is not the planned one, or draws something else."""
    if identity(program.plugin) != (program.distribution, program.source, program.digest):
        message = f"the plug-in {program.plugin} is not the one that this was planned with"
        help = f"install {program.distribution} as it was, or plan again"
        raise RunError(message, reason="plugin", help=help)
    words = make(program.plugin, program.options)
    ids = {token: id for id, token in enumerate(words.alphabet)}
    word = list(words.sample(stream, length))
    if len(word) != length or not ids.keys() >= set(word):
        message = f"the plug-in {program.plugin} drew no word of {length} of its symbols: {word[:8]}"
        raise RunError(message, reason="plugin", help="sample(stream, length) gives exactly `length` tokens")
    return [ids[token] for token in word]


@functools.lru_cache(maxsize=32)
def _made(name: str, options: tuple[tuple[str, Any], ...]) -> Words:
    made: Words = _point(name).load()(**dict(options))
    tokens = list(made.alphabet)
    if (
        not tokens
        or len(set(tokens)) < len(tokens)
        or not all(isinstance(one, str) and one for one in tokens)
    ):
        raise PluginError(f"the plug-in {name} needs an `alphabet` of different tokens")
    if not callable(getattr(made, "sample", None)):
        raise PluginError(f"the plug-in {name} has no sample(stream, length)")
    return made


def _point(name: str) -> EntryPoint:
    found = _points()
    if name not in found:
        raise PluginError(
            f"no plug-in is called {name!r}", f"installed: {', '.join(sorted(found)) or 'none'}"
        )
    return found[name]


def _points() -> dict[str, EntryPoint]:
    points = entry_points(group=PLUGINS)
    return {p.name.removeprefix(_PREFIX): p for p in points if p.name.startswith(_PREFIX)}

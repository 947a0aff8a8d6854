"""Words drawn by a class of one's own, from an installed distribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

from pydantic import Field

from procdsl.errors import Severity
from procdsl.grammars.base import END, PLENTY, Problem, WordGrammar
from procdsl.plugins import PluginError, Words, identity, make, optional
from procdsl.programs.base import Split
from procdsl.programs.plugin import PluginProgram


class Python(WordGrammar):
    """Words of a class that an installed distribution brings, made with these `options`.

    Its entry point `words.NAME` in the group `procdsl.kinds` names a class with an `alphabet` of tokens and
    `sample(stream, length)`, which draws a word of exactly that length by the stream alone (`below(n)`,
    `unit()`, `under(threshold)`). `lengths(longest)`, `accepts(word)`, `legal_next(prefix, length)`,
    `count(length)` and `log_probability(word)` are used where it has them: for which lengths there are, for
    membership, for holding out by word, for the loss floor. Distribution, version and a digest of the source
    are part of what it is. It runs as fast as its Python does.

    ```toml
    kind     = "python"
    plugin   = "palindromes"
    options  = { symbols = 3 }
    length   = { uniform = [6, 12] }
    held_out = { validation = 0.1, test = 0.1 }
    ```
    """

    kind: Literal["python"] = "python"
    plugin: str = Field(min_length=1)
    options: dict[str, bool | int | float | str] = Field(default={})

    def program(self) -> PluginProgram:
        distribution, source, digest = identity(self.plugin)
        return PluginProgram(
            plugin=self.plugin,
            distribution=distribution,
            source=source,
            digest=digest,
            options=self._options,
            count=len(self._words.alphabet),
            lengths=self.lengths(),
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return tuple(self._words.alphabet)

    def possible(self, longest: int) -> int:
        told = optional(self._words, "lengths")
        lengths = range(1, longest + 1) if told is None else told(longest)
        return sum(1 << n for n in {*lengths} if 0 < n <= longest)

    def count(self, length: int) -> int | None:
        told = optional(self._words, "count")
        return None if told is None else int(told(length))

    def split(self) -> Split:
        # Of words that nobody counts there may be few: then rows are held out.
        if optional(self._words, "count") is None and self.held_out.by is None:
            return super().split().model_copy(update={"by": "row"})
        return super().split()

    def plenty(self, length: int) -> bool:
        found = self.count(length)
        return found is None or found >= PLENTY

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            words = self._words
        except PluginError as fault:
            yield Problem("P369", str(fault), ("plugin",), fault.help)
            return
        yield from super().problems(context)
        missing = [name for name in ("accepts", "legal_next", "log_probability") if not optional(words, name)]
        if missing:
            message = f"the plug-in {self.plugin} has no {', '.join(missing)}: nothing is told by them"
            yield Problem("P369", message, ("plugin",), severity=Severity.NOTE)

    def reason(self, word: Sequence[str]) -> str | None:
        known = set(self.alphabet())
        for place, symbol in enumerate(word, 1):
            if symbol not in known:
                return f"{symbol!r} at {place} is no symbol of the plug-in"
        told = optional(self._words, "accepts")
        if not word:
            return "the empty word is left out"
        return None if told is None or told(tuple(word)) else f"the plug-in {self.plugin} does not accept it"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        told, known = optional(self._words, "legal_next"), frozenset(self.alphabet())
        if not known.issuperset(prefix) or (length is not None and len(prefix) > length):
            return frozenset()
        if told is not None:
            return frozenset(told(tuple(prefix), length))
        ends = prefix and length in (None, len(prefix))
        return frozenset({*(known if length != len(prefix) else ()), *({END} if ends else ())})

    @property
    def _options(self) -> tuple[tuple[str, bool | int | float | str], ...]:
        return tuple(sorted(self.options.items()))

    @cached_property
    def _words(self) -> Words:
        return make(self.plugin, self._options)

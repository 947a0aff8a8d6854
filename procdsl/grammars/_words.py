"""Words of other grammars as inputs of tasks: how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from procdsl.grammars.base import END, WordGrammar


@dataclass(frozen=True)
class Words:
    """What a task knows of an input that is a word: its grammar, and the ids of that one's symbols here."""

    grammar: WordGrammar
    ids: dict[str, int]

    def follows(self, word: Sequence[int]) -> set[int]:
        """The ids that go on with the beginning of some word."""
        prefix = self._spelt(word)
        legal = {symbol for n in self.lengths for symbol in self.grammar.legal_next(prefix, n)}
        return {self.ids[symbol] for symbol in legal - {END}}

    def ends(self, word: Sequence[int]) -> bool:
        """Whether this is a word of the grammar, and of one of its lengths."""
        return len(word) in self.lengths and self.grammar.accepts(self._spelt(word))

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The lengths that are drawn."""
        return self.grammar.lengths().values

    def turned(self) -> Turned:
        """The same of an input that is written backwards."""
        return Turned(self.grammar, self.ids)

    def _spelt(self, word: Sequence[int]) -> list[str]:
        return [self._symbols[id] for id in word]

    @cached_property
    def _symbols(self) -> dict[int, str]:
        return {id: symbol for symbol, id in self.ids.items()}


@dataclass(frozen=True)
class Turned(Words):
    """Words written backwards. Grammars read forwards: only the whole of one tells whether it is a word."""

    def follows(self, word: Sequence[int]) -> set[int]:
        return set(self.ids.values()) if len(word) < self.lengths[-1] else set()

    def ends(self, word: Sequence[int]) -> bool:
        return super().ends(word[::-1])

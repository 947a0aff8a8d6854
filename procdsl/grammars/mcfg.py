"""Multiple context-free grammars: rules whose yield is a tuple of strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from procdsl.grammars._rules import RuleGrammar
from procdsl.grammars.base import END
from procdsl.grammars.rules import counting, yields
from procdsl.grammars.rules.deduction import Spelling, next_symbols
from procdsl.grammars.rules.written import Rule, RuleError


class Mcfg(RuleGrammar):
    """Mildly context-sensitive rules: what a rule yields stands in braces, components with commas between.

    `$1.2` is the second component of the first child. Every component of every child is used once. All else
    is as in `cfg`. The recogniser is for words of some dozens of symbols.

    ```toml
    kind   = "mcfg"
    rules  = '''
    S -> W { $1.1 $1.2 }
    W -> W { x[i] $1.1 , x[i] $1.2 } | { ε , ε }
    '''
    tokens = { x = 2 }
    length = { uniform = [2, 12] }
    ```
    """

    kind: Literal["mcfg"] = "mcfg"

    def accepts(self, word: Sequence[str]) -> bool:
        read = self._ids(word)
        return bool(read) and None not in read and self._spells(read)

    def reason(self, word: Sequence[str]) -> str | None:
        read = self._ids(word)
        if None in read:
            place = read.index(None)
            return f"{word[place]!r} at {place + 1} is no symbol of the grammar"
        if self._spells(read):
            return None if word else "the empty word is left out"
        if not counting.possible(self._whole, len(word))[0] >> len(word) & 1:
            return f"no word has length {len(word)}"
        rest = 0
        while not self._spells([*read[: len(word) - rest], *[None] * rest]):
            rest += 1
        place = len(word) - rest
        before = f"follow {word[place - 1]!r}" if place else "begin a word"
        return f"{word[place]!r} at {place + 1} cannot {before} in a word of {len(word)} symbols"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, read = self.alphabet(), self._ids(prefix)
        if None in read or (length is not None and length < len(prefix)):
            return frozenset()
        if length is None:
            found = {alphabet[id] for id in next_symbols(self._alive, [id for id in read if id is not None])}
        else:
            rest = [None] * (length - len(prefix) - 1)
            there = range(len(alphabet)) if length > len(prefix) else ()
            found = {alphabet[id] for id in there if self._spells([*read, id, *rest])}
        ends = prefix and length in (None, len(prefix)) and self._spells(read)
        return frozenset(found | ({END} if ends else set()))

    def _ids(self, word: Sequence[str]) -> list[int | None]:
        ids = {symbol: id for id, symbol in enumerate(self.alphabet())}
        return [ids.get(symbol) for symbol in word]

    def _spells(self, word: Sequence[int | None]) -> bool:
        """Whether the rules derive the word, None standing for any symbol."""
        lengths = counting.possible(self._whole, max(len(word), 1))
        return Spelling(self._alive, word, lengths).derived()

    def _misfits(self, rules: Sequence[Rule]) -> Iterator[RuleError]:
        return yields.misfits(rules)

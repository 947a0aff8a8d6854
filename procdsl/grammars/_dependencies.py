"""Grammars of paired symbols: nested pairs, pairs at distances, or both."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from math import comb
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from procdsl.grammars._brackets import bracket_alphabet, shuffle_count
from procdsl.grammars._lengths import Length, law
from procdsl.grammars._unigrams import corpora, thresholds, unigrams
from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.base import Lengths
from procdsl.programs.dependencies import DependencyProgram


def _weighable(weights: str) -> str:
    unigrams(weights)
    return weights


class Pairs(WordGrammar):
    """What nesting, flat and crossing dependencies share: `types` of pairs, and how symbols are spelt.

    `weights` says how often types are opened. Partners are spelt alike unless `paired`. With `faithful`,
    words are cut where the published walk stands, pairs open or not.
    """

    too_early: ClassVar[str] = "a symbol closes a pair where none of its type is open"
    types: int = Field(ge=1, le=2**20)
    weights: Annotated[str, AfterValidator(_weighable)] = "uniform"
    paired: bool = True
    faithful: bool = False

    @abstractmethod
    def shares(self) -> tuple[float, float]:
        """With what probability a free position opens a pair at a distance, and one that nests."""

    @abstractmethod
    def distances(self) -> Lengths:
        """The law of distances."""

    def program(self) -> DependencyProgram:
        crossing, p_open = self.shares()
        return DependencyProgram(
            count=self.types,
            thresholds=self._thresholds(),
            paired=self.paired,
            crossing=int(crossing * 2**64),
            p_open=int(p_open * 2**64),
            distances=self.distances(),
            closed=not self.faithful,
            lengths=self.lengths(),
            split=self.split(),
            unigrams=unigrams(self.weights).corpus,
        )

    def texts(self) -> tuple[str, ...]:
        return corpora(self.weights)

    def alphabet(self) -> tuple[str, ...]:
        return bracket_alphabet(self.types) if self.paired else tuple(f"s{i}" for i in range(self.types))

    def possible(self, longest: int) -> int:
        step = 1 if self.faithful else 2
        return sum(1 << n for n in range(step, longest + 1, step))

    def plenty(self, length: int) -> bool:
        # More symbols never give fewer words.
        return super().plenty(min(length, 24))

    def _thresholds(self) -> tuple[int, ...]:
        """Cumulated probabilities over 2**32, where they are known and not all alike."""
        law = unigrams(self.weights)
        if law.corpus or self.weights == "uniform" or self.types == 1:
            return ()
        return thresholds(law.shares(self.types))

    @abstractmethod
    def _pending(self, prefix: Sequence[str]) -> list[int] | None:
        """The types of all symbols that still want a partner; None where no word begins so."""

    @abstractmethod
    def _closable(self, pending: list[int]) -> set[int]:
        """Of the types that want a partner, those that may have it next."""

    def reason(self, word: Sequence[str]) -> str | None:
        if not word:
            return "the empty word is left out"
        known = frozenset(self.alphabet())
        for place, symbol in enumerate(word, 1):
            if symbol not in known:
                return f"{symbol!r} at {place} is no symbol of the language"
        pending = self._pending(word)
        if pending is None:
            return self.too_early
        return f"{len(pending)} symbols have no partner" if pending and not self.faithful else None

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, pending = self.alphabet(), self._pending(prefix)
        if pending is None or not frozenset(alphabet).issuperset(prefix):
            return frozenset()
        left, legal = None if length is None else length - len(prefix), set[str]()
        waiting = 0 if self.faithful else len(pending)
        if left is not None and (left < waiting or (not self.faithful and (left - waiting) % 2)):
            return frozenset()
        if prefix and not left and not waiting:
            legal.add(END)
        if left == 0:
            return frozenset(legal)
        if left is None or self.faithful or left > waiting:
            legal.update(alphabet[: self.types])
        legal.update(alphabet[kind + self.types * self.paired] for kind in self._closable(pending))
        return frozenset(legal)


class Crossed(Pairs):
    """Pairs that may cross: closed, every symbol has its partner behind or before it, in whatever order."""

    distance: Length

    def distances(self) -> Lengths:
        return law(self.distance, None)

    def count(self, length: int) -> int:
        if self.faithful:
            return _prefixes(self.types, length) if self.paired else int(self.types**length)
        if self.paired:
            return shuffle_count(self.types, length, None)
        return _even(self.types, length)

    def _pending(self, prefix: Sequence[str]) -> list[int] | None:
        alone = self._alone(prefix)
        return None if alone is None else sorted(alone.elements())

    def _closable(self, pending: list[int]) -> set[int]:
        return set(pending)

    def _alone(self, word: Sequence[str]) -> Counter[int] | None:
        """How many of each type still want a partner; None where a partner came too early."""
        alone, ids = Counter[int](), {symbol: id for id, symbol in enumerate(self.alphabet())}
        for symbol in word:
            kind, closes = ids.get(symbol, 0) % self.types, ids.get(symbol, 0) >= self.types
            if closes or (not self.paired and alone[kind]):
                if not alone[kind]:
                    return None
                alone[kind] -= 1
            else:
                alone[kind] += 1
        return +alone


def _even(kinds: int, length: int) -> int:
    """The words of `kinds` symbols each of which occurs an even number of times."""
    total = 0
    for chosen in range(kinds + 1):
        total += comb(kinds, chosen) * int((kinds - 2 * chosen) ** length)
    return total >> kinds


def _prefixes(kinds: int, length: int) -> int:
    """The words of which some k-shuffle-Dyck word begins: over types, how many of each are walks above 0."""
    one = [comb(n, n // 2) for n in range(length + 1)]
    found: list[Any] = [1, *[0] * length]
    for bit in bin(kinds)[2:]:
        found = _interleaved(found, found)
        if bit == "1":
            found = _interleaved(found, one)
    return int(found[length])


def _interleaved(one: list[int], other: list[int]) -> list[int]:
    return [sum(comb(n, i) * one[i] * other[n - i] for i in range(n + 1)) for n in range(len(one))]

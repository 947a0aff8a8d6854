"""Grammars whose words are a part and what follows from it: copies, reversals, counters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import product
from typing import ClassVar

from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.echo import EchoPart, EchoProgram

FREE = -1


class Echo(WordGrammar):
    """Words in parts of one size, all of which follow from the first; every word of a length is alike."""

    measure: ClassVar[str] = "uniform"

    @abstractmethod
    def drawn(self) -> int:
        """How many symbols the first part draws from."""

    @abstractmethod
    def parts(self) -> tuple[EchoPart, ...]:
        """What each part makes of the first; the first is itself."""

    @abstractmethod
    def marked(self) -> bool:
        """Whether the last symbol stands between parts, and nowhere else."""

    def program(self) -> EchoProgram:
        return EchoProgram(
            count=self.drawn(),
            parts=self.parts(),
            mark=self.marked(),
            lengths=self.lengths(),
            split=self.split(),
        )

    def possible(self, longest: int) -> int:
        return sum(1 << n for n in range(1, longest + 1) if self._size(n))

    def count(self, length: int) -> int:
        size = self._size(length)
        return int(self.drawn() ** size) if size else 0

    def words(self, length: int) -> Iterator[tuple[str, ...]]:
        size, alphabet = self._size(length), self.alphabet()
        for first in product(range(self.drawn()), repeat=size):
            word = self._expected(first, size)
            yield tuple(alphabet[first[at] if id == FREE else id] for at, id in enumerate(word))

    def plenty(self, length: int) -> bool:
        return super().plenty(length) if self._size(length) < 64 else self.drawn() > 1

    def reason(self, word: Sequence[str]) -> str | None:
        if not word:
            return "the empty word is left out"
        size, alphabet = self._size(len(word)), self.alphabet()
        if not size:
            return f"no word has {len(word)} symbols"
        ids = {symbol: id for id, symbol in enumerate(alphabet)}
        read = [ids.get(symbol, -2) for symbol in word]
        for place, id in enumerate(self._expected(read, size)):
            if id == FREE and not 0 <= read[place] < self.drawn():
                return f"{word[place]!r} at {place + 1} cannot stand in the first part"
            if id not in (FREE, read[place]):
                return f"{word[place]!r} at {place + 1} should be {alphabet[id]!r}"
        return None

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, here = self.alphabet(), len(prefix)
        ids = {symbol: id for id, symbol in enumerate(alphabet)}
        read, legal = [ids.get(symbol, -2) for symbol in prefix], set[str]()
        # To a prefix all sizes above its own are the same.
        sizes = range(1, here + 2) if length is None else range(self._size(length), self._size(length) + 1)
        for size in sizes:
            if not size or not self._begins(read, size):
                continue
            following = next((id for at, id in enumerate(self._expected(read, size)) if at == here), None)
            if following == FREE:
                legal.update(alphabet[: self.drawn()])
            elif following is None:
                legal.add(END)
            else:
                legal.add(alphabet[following])
        return frozenset(legal)

    def _size(self, length: int) -> int:
        """Of how many symbols the parts of a word are; 0 where no word is so long."""
        size, rest = divmod(length - self.marked() * (len(self.parts()) - 1), len(self.parts()))
        return 0 if rest else max(size, 0)

    def _begins(self, read: Sequence[int], size: int) -> bool:
        """Whether a word whose parts have this size begins so."""
        place = 0
        for id in self._expected(read, size):
            if place == len(read):
                return True
            fits = 0 <= read[place] < self.drawn() if id == FREE else read[place] == id
            if not fits:
                return False
            place += 1
        return place == len(read)

    def _expected(self, read: Sequence[int], size: int) -> Iterator[int]:
        """The ids of a word that begins as `read` does; FREE for all of the first part."""
        for number, part in enumerate(self.parts()):
            if number and self.marked():
                yield len(self.alphabet()) - 1
            for at in range(size):
                yield FREE if not number else read[size - 1 - at if part.backward else at] + part.shift

"""Reads the row of a task, or the beginning of one, along its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from procdsl.grammars._running import OF, settle, told
from procdsl.grammars._words import Words
from procdsl.programs.task import Draw, Piece, TaskProgram


@dataclass(frozen=True)
class Walk:
    """Where reading a row came to: what may follow, whether the row is whole, what is wrong with it."""

    legal: frozenset[int] = frozenset()
    complete: bool = False
    fault: str | None = None


@dataclass(frozen=True)
class Item:
    """A piece of the format; of an input where it stands first, its draw, perhaps to be read backwards.

    `bounds` and `symbols`: the lengths and the ids of a word that nothing before it settles.
    """

    piece: Piece
    draw: int | None = None
    backwards: bool = False
    bounds: tuple[int, int] = (1, 1)
    symbols: range = range(0)


class Reader:
    """Knows the words that it has read, and what follows from them.

    Where draws are hidden, a word that hangs on them is held to its length and its symbols, and in the end
    to what follows from the other words of the row.
    """

    def __init__(
        self, program: TaskProgram, row: Sequence[int], spelt: Sequence[str], words: Mapping[int, Words]
    ) -> None:
        self.program, self.row, self.spelt, self.words = program, row, spelt, words
        self.place = 0
        self.values: list[Any] = [None] * (len(program.draws) + len(program.code))
        self.legal = set[int]()
        self.open = dict[int, tuple[int, int]]()

    def walk(self, items: Sequence[Item]) -> Walk:
        """Reads all items, as far as the row goes."""
        for item in items:
            settle(self.program.code, self.values)
            found = self._item(item)
            if found is not None:
                return found
            if self.place < len(self.row):
                self.legal.clear()
        if self.place < len(self.row):
            return self._fault("comes after the end")
        fault = self._disagrees()
        return Walk(frozenset(self.legal), complete=fault is None, fault=fault)

    def _fault(self, what: str) -> Walk:
        return Walk(fault=f"{self.spelt[self.row[self.place]]!r} at {self.place + 1} {what}")

    def _item(self, item: Item) -> Walk | None:
        piece, draw = item.piece, item.draw if item.draw is None else self.program.draws[item.draw]
        if piece.word is None:
            return self._literal([piece.token or 0], 0)
        if self.values[piece.word] is not None:
            return self._literal(self.values[piece.word], piece.shift)
        if draw is None or (draw.kind in OF and self.values[draw.of] is None):
            return self._open(item, piece.word)
        of = self.values[draw.of] if draw.kind in OF else []
        if held := self.words.get(item.draw or 0):
            read = held.turned() if item.backwards else held
            word, found = self._word(piece.shift, read.follows, read.ends)
        else:
            word, found = self._word(
                piece.shift,
                lambda word: follows(draw, word, of, item.backwards),
                lambda word: ends(draw, word, of, item.backwards),
            )
        self.values[item.draw or 0] = word[::-1] if item.backwards else word
        return found

    def _open(self, item: Item, register: int) -> Walk | None:
        """A word that hangs on something hidden."""
        least, most = item.bounds
        symbols, start = set(item.symbols), self.place
        word, found = self._word(
            item.piece.shift,
            lambda word: symbols if len(word) < most else set(),
            lambda word: len(word) >= least,
        )
        self.open[register] = (start, item.piece.shift)
        for one in told(self.program.draws, self.program.code, register):
            self.values[one] = word
        return found

    def _disagrees(self) -> str | None:
        """What is wrong with words that were read before those that they follow from."""
        for register, (start, shift) in self.open.items():
            values = [*self.values]
            settle(self.program.code, values, register=register)
            pairs = zip_longest(self.values[register], values[register])
            for place, (found, id) in enumerate(pairs, start):
                if found is None or id is None:
                    return f"the word at {start + 1} should be {len(values[register])} symbols long"
                if found != id:
                    return (
                        f"{self.spelt[found + shift]!r} at {place + 1} should be {self.spelt[id + shift]!r}"
                    )
        return None

    def _literal(self, expected: Sequence[int], shift: int) -> Walk | None:
        """A token, or a word that follows from what was read."""
        for id in expected:
            if self.place == len(self.row):
                return Walk(frozenset({*self.legal, id + shift}))
            if self.row[self.place] != id + shift:
                return self._fault(f"should be {self.spelt[id + shift]!r}")
            self.place += 1
            self.legal.clear()
        return None

    def _word(
        self,
        shift: int,
        follows: Callable[[list[int]], set[int]],
        ends: Callable[[list[int]], bool],
    ) -> tuple[list[int], Walk | None]:
        """A word as far as its symbols can be its own, and why reading ends with it, if it does."""
        start, word = self.place, list[int]()
        while True:
            free = follows(word)
            if self.place == len(self.row):
                self.legal.update(id + shift for id in free)
                break
            if self.row[self.place] - shift not in free:
                break
            word.append(self.row[self.place] - shift)
            self.place += 1
            self.legal.clear()
        if ends(word):
            return word, None
        if self.place == len(self.row):
            return word, Walk(frozenset(self.legal))
        return word, self._fault(f"cannot go on an input of {self.place - start} symbols, nor end it")


def follows(draw: Draw, word: list[int], of: list[int], backwards: bool) -> set[int]:
    """The ids that can follow the beginning of an input."""
    pool, longest = set(range(draw.first, draw.first + draw.count)), draw.lengths.values[-1]
    match draw.kind:
        case "choice":
            here = set(of) | (pool if draw.present < 2**32 else set())
            return here if not word else set()
        case "part":
            return _on_with(draw, word, of, pool)
        case "mapping":
            if len(word) % 2:
                return set(range(draw.values[0], sum(draw.values)))
            return pool - set(word[::2]) if len(word) < 2 * longest else set()
        case "number":
            if len(word) == longest or (word == [0] and not backwards):
                return set()
            leads = len(word) == longest - 1 if backwards else not word and 1 not in draw.lengths.values
            return pool - {0} if leads and longest > 1 else pool
        case "permutation":
            pool -= set(word)
        case "among":
            pool = set(of)
        case "shuffle":
            return set((Counter(of) - Counter(word)).elements())
        case "weighted":
            pool = _likely(draw)
    return pool if len(word) < longest else set()


def _on_with(draw: Draw, word: list[int], of: list[int], pool: set[int]) -> set[int]:
    """What a part of a word goes on with: what it does there, or anything."""
    size = len(word)
    if size == max(len(of) // 2, 1):
        return set()
    here = {of[at + size] for at in range(len(of) - size) if of[at : at + size] == word}
    return here | pool if draw.present < 2**32 else here


def ends(draw: Draw, word: list[int], of: list[int], backwards: bool) -> bool:
    """Whether an input can be this word, its symbols being such as `follows` lets through."""
    if draw.kind == "choice":
        return len(word) == 1
    if draw.kind == "part":
        return bool(word)
    if draw.kind == "shuffle":
        return len(word) == len(of)
    if draw.kind == "mapping":
        return len(word) % 2 == 0 and len(word) // 2 in draw.lengths.values
    if draw.kind == "number" and len(word) > 1 and word[-1 if backwards else 0] == 0:
        return False
    return len(word) in draw.lengths.values


def _likely(draw: Draw) -> set[int]:
    """The symbols that are drawn at all."""
    edges = (0, *draw.thresholds, 2**32)
    return {draw.first + i for i in range(draw.count) if edges[i] < edges[i + 1]}

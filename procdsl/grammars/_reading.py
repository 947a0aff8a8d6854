"""Reads the row of a task, or the beginning of one, along its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from procdsl.grammars._running import run
from procdsl.programs import Draw, Piece, TaskProgram


@dataclass(frozen=True)
class Walk:
    """Where reading a row came to: what may follow, whether the row is whole, what is wrong with it."""

    legal: frozenset[int] = frozenset()
    complete: bool = False
    fault: str | None = None


@dataclass(frozen=True)
class Item:
    """A piece of the format; of an input where it stands first, its draw, perhaps to be read backwards."""

    piece: Piece
    draw: int | None = None
    backwards: bool = False


class Reader:
    """Knows the inputs that it has read, and what follows from them."""

    def __init__(self, program: TaskProgram, row: Sequence[int], spelt: Sequence[str]) -> None:
        self.program, self.row, self.spelt = program, row, spelt
        self.place, self.done = 0, 0
        self.values: list[Any] = [None] * (len(program.draws) + len(program.code))
        self.legal = set[int]()

    def walk(self, items: Sequence[Item]) -> Walk:
        """Reads all items, as far as the row goes."""
        for item in items:
            found = self._literal(item) if item.draw is None else self._input(item, item.draw)
            if found is not None:
                return found
            if self.place < len(self.row):
                self.legal.clear()
        if self.place < len(self.row):
            return self._fault("comes after the end")
        return Walk(frozenset(self.legal), complete=True)

    def _fault(self, what: str) -> Walk:
        return Walk(fault=f"{self.spelt[self.row[self.place]]!r} at {self.place + 1} {what}")

    def _literal(self, item: Item) -> Walk | None:
        """A token, or a word that follows from what was read."""
        piece = item.piece
        expected = [piece.token or 0] if piece.word is None else self._value(piece.word)
        for id in expected:
            if self.place == len(self.row):
                return Walk(frozenset({*self.legal, id + piece.shift}))
            if self.row[self.place] != id + piece.shift:
                return self._fault(f"should be {self.spelt[id + piece.shift]!r}")
            self.place += 1
            self.legal.clear()
        return None

    def _value(self, register: int) -> list[int]:
        if self.values[register] is None:
            run(self.program.code, self.values, self.done)
            self.done = len(self.program.code)
        return self.values[register]  # type: ignore[no-any-return]

    def _input(self, item: Item, slot: int) -> Walk | None:
        """An input, as far as its symbols can be its own."""
        draw, start, shift = self.program.draws[slot], self.place, item.piece.shift
        if draw.after > self.done:
            run(self.program.code, self.values, self.done, draw.after)
            self.done = draw.after
        of = self.values[draw.of] if draw.kind in ("choice", "part") else []
        word = list[int]()
        while True:
            free = follows(draw, word, of, item.backwards)
            if self.place == len(self.row):
                self.legal.update(id + shift for id in free)
                break
            if self.row[self.place] - shift not in free:
                break
            word.append(self.row[self.place] - shift)
            self.place += 1
            self.legal.clear()
        self.values[slot] = word[::-1] if item.backwards else word
        if ends(draw, word, item.backwards):
            return None
        if self.place == len(self.row):
            return Walk(frozenset(self.legal))
        return self._fault(f"cannot go on an input of {self.place - start} symbols, nor end it")


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


def ends(draw: Draw, word: list[int], backwards: bool) -> bool:
    """Whether an input can be this word, its symbols being such as `follows` lets through."""
    if draw.kind == "choice":
        return len(word) == 1
    if draw.kind == "part":
        return bool(word)
    if draw.kind == "mapping":
        return len(word) % 2 == 0 and len(word) // 2 in draw.lengths.values
    if draw.kind == "number" and len(word) > 1 and word[-1 if backwards else 0] == 0:
        return False
    return len(word) in draw.lengths.values


def _likely(draw: Draw) -> set[int]:
    """The symbols that are drawn at all."""
    edges = (0, *draw.thresholds, 2**32)
    return {draw.first + i for i in range(draw.count) if edges[i] < edges[i + 1]}

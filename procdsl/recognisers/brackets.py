"""Brackets of k types: opening bracket of type t is t, its closing one k + t."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Brackets(ABC):
    """Brackets that are open, at most `bound` of them."""

    def __init__(self, k: int, bound: int | None) -> None:
        self.k, self.bound = k, bound
        self.place = self.depth = 0

    @abstractmethod
    def partner(self, symbol: int) -> int | None:
        """Where the bracket that a closing one closes was opened, counted from 0; None if it closes none."""

    @abstractmethod
    def closers(self) -> frozenset[int]:
        """The closing brackets that may follow."""

    @abstractmethod
    def move(self, symbol: int) -> None:
        """Opens or closes; `place` is where."""

    def legal(self) -> frozenset[int]:
        return self.closers().union(range(self.k)) if self._fits() else self.closers()

    def ends(self) -> bool:
        return self.place > 0 and self.depth == 0

    def read(self, symbol: int) -> bool:
        opens = symbol < self.k
        if not (self._fits() if opens else symbol in self.closers()):
            return False
        self.move(symbol)
        self.depth += 1 if opens else -1
        self.place += 1
        return True

    def _fits(self) -> bool:
        return self.bound is None or self.depth < self.bound


class Dyck(Brackets):
    """The bracket opened last closes first."""

    def __init__(self, k: int, bound: int | None) -> None:
        super().__init__(k, bound)
        self.open: list[tuple[int, int]] = []

    def partner(self, symbol: int) -> int | None:
        return self.open[-1][1] if symbol in self.closers() else None

    def closers(self) -> frozenset[int]:
        return frozenset([self.k + self.open[-1][0]] if self.open else [])

    def move(self, symbol: int) -> None:
        if symbol < self.k:
            self.open.append((symbol, self.place))
        else:
            self.open.pop()


class ShuffleDyck(Brackets):
    """Each type by itself; of the open brackets of a type, the last one is the next to close.

    Words that need not be `closed` end anywhere.
    """

    def __init__(self, k: int, bound: int | None, *, closed: bool) -> None:
        super().__init__(k, bound)
        self.closed = closed
        self.open: dict[int, list[int]] = {}

    def partner(self, symbol: int) -> int | None:
        return self.open[symbol - self.k][-1] if symbol in self.closers() else None

    def closers(self) -> frozenset[int]:
        return frozenset(self.k + type for type, places in self.open.items() if places)

    def ends(self) -> bool:
        return super().ends() if self.closed else self.place > 0

    def move(self, symbol: int) -> None:
        if symbol < self.k:
            self.open.setdefault(symbol, []).append(self.place)
        else:
            self.open[symbol - self.k].pop()

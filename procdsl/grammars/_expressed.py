"""What expressions over rules come to: rules again, or words of several between each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from pydantic import PrivateAttr

from procdsl.grammars._rules import MOST_CELLS
from procdsl.grammars.base import END, PLENTY, Problem, WordGrammar
from procdsl.grammars.cfg import Cfg
from procdsl.grammars.regular.forests import Forest
from procdsl.grammars.rules import counting
from procdsl.grammars.rules.ambiguity import Verdict
from procdsl.grammars.rules.lowering import unweighted
from procdsl.grammars.rules.trees import Trees
from procdsl.interleaving import log_product
from procdsl.programs.base import Lengths
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.recognisers.earley import sums
from procdsl.recognisers.interleaved import Interleaved
from procdsl.trees import flattened, vector_inside

FIELD = "expr"


class ContextFreeWords(Cfg):
    """Words of rules that operators made."""

    rules: str = ""
    _found: Trees = PrivateAttr()
    _certain: bool = PrivateAttr()

    @property
    def forest(self) -> Forest:
        return Forest(self._found, self._certain)

    @property
    def shapes(self) -> tuple[TreeShape, ...]:
        """The productions as programs have them, weighed by the measure."""
        return self._shapes

    @cached_property
    def _trees(self) -> Trees:
        return self._found

    def program(self) -> TreeProgram:
        return super().program().model_copy(update={"unambiguous": self._certain})

    def verdict(self) -> Verdict:
        return Verdict(certain=True) if self._certain else super().verdict()

    def doubts(self) -> Iterator[Problem]:
        """What is known of words with several derivations."""
        if not self._certain:
            for problem in self._ambiguity_problems():
                path = (FIELD,) if problem.path == ("rules",) else problem.path
                yield Problem(problem.code, problem.message, path, problem.help, problem.severity)


class InterleavedWords(WordGrammar):
    """A word of each part, perhaps the empty one, between the others' in any order; no symbol is in two."""

    spelt: tuple[str, ...]
    _parts: tuple[ContextFreeWords, ...] = PrivateAttr()

    @property
    def forests(self) -> tuple[Forest, ...]:
        return tuple(part.forest for part in self._parts)

    def program(self) -> InterleavedProgram:
        return self._over(self.lengths()).model_copy(update={"split": self.split()})

    def alphabet(self) -> tuple[str, ...]:
        return self.spelt

    def possible(self, longest: int) -> int:
        found, mask = 1, (2 << longest) - 1
        for part in self._parts:
            found = sums(found, counting.possible(part.shapes, longest)[0], mask)
        return found & ~1

    def count(self, length: int) -> int | None:
        """How many words there are: derivations, where a part's words have several."""
        whole = [1] + [0] * length
        for part in self._parts:
            try:
                own = counting.counts(part.shapes, length)
            except ValueError:  # endlessly many derivations
                return None
            whole = [
                sum(math.comb(n, k) * own[k] * whole[n - k] for k in range(n + 1) if own[k] and whole[n - k])
                for n in range(length + 1)
            ]
        return whole[length]

    def plenty(self, length: int) -> bool:
        return bool(self._few[length] > math.log(PLENTY - 0.5))

    def reason(self, word: Sequence[str]) -> str | None:
        read = self._reader()
        for place, symbol in enumerate(word, 1):
            if symbol not in self._ids:
                return f"{symbol!r} at {place} is no symbol of the language"
            if not read.read(self._ids[symbol]):
                return f"{symbol!r} at {place} cannot follow here: {self._shown(read)} can"
        if not word:
            return "the empty word is left out"
        return None if read.ends() else f"it ends too early: {self._shown(read)} can follow"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        read, left = self._reader(), None if length is None else length - len(prefix)
        if not all(symbol in self._ids and read.read(self._ids[symbol]) for symbol in prefix):
            return frozenset()
        if left is None:
            found = read.legal()
        elif left < 0:
            return frozenset()
        else:
            found = read.legal_within(left, [counting.possible(p.shapes, max(left, 1)) for p in self._parts])
        ends = {END} if not left and read.ends() else set()
        return frozenset({self.spelt[id] for id in found} | ends)

    def doubts(self) -> Iterator[Problem]:
        """What is known of words with several derivations, part by part."""
        for part in self._parts:
            yield from part.doubts()

    def problems(self, context: int) -> Iterator[Problem]:
        yield from list(self._size()) or super().problems(context)

    def _size(self) -> Iterator[Problem]:
        """P383: how lengths are shared out is tabled for each that can be."""
        try:
            values = self.lengths().values
        except ValueError:
            return
        rows = len(values) + (len(self._parts) - 2) * (values[-1] + 1)
        if rows * values[-1] > MOST_CELLS:
            message = f"{rows:,} lengths are shared out, each by a table of up to {values[-1]:,} numbers"
            help = f"at most {MOST_CELLS:,} in all: shorter words, or fewer lengths"
            yield Problem("P383", message, ("length",), help)

    # ------------------------------------------------------------ the parts

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: id for id, symbol in enumerate(self.spelt)}

    def _over(self, lengths: Lengths) -> InterleavedProgram:
        size, longest = len(self.spelt), Lengths(values=lengths.values[-1:])
        parts = (
            TreeProgram(count=size, shapes=part.shapes, unambiguous=part.forest.certain, lengths=longest)
            for part in self._parts
        )
        return InterleavedProgram(count=size, parts=tuple(parts), lengths=lengths)

    def _reader(self) -> Interleaved:
        return Interleaved(self._over(Lengths(values=(1,))))

    def _shown(self, read: Interleaved) -> str:
        legal = [repr(self.spelt[id]) for id in sorted(read.legal())]
        return " or ".join([*legal[:6], *["…"] * (len(legal) > 6)]) or "the end"

    @cached_property
    def _few(self) -> Any:
        """ln of how many words each length has, as long as the parts have not plenty of their own."""
        import numpy as np

        longest = self.law().values[-1]
        turns = np.array([math.lgamma(n + 1) for n in range(longest + 1)])
        whole: Any = None
        for part in self._parts:
            try:
                flat = flattened(unweighted(part.shapes))
            except ValueError:  # endlessly many derivations
                return np.full(longest + 1, np.inf)
            alpha, _ = vector_inside(flat, 1.0, longest, ceiling=float(PLENTY))
            with np.errstate(divide="ignore"):
                own = np.log(alpha[0]) - turns
            whole = own if whole is None else log_product(own, whole)
        return whole + turns

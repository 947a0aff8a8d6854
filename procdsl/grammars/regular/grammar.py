"""What every regular grammar knows by its least automaton: words, legal next symbols, counts, lengths."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property

from pydantic import ConfigDict

from procdsl.errors import Severity
from procdsl.grammars.base import END, PLENTY, Problem, WordGrammar
from procdsl.grammars.regular.counting import Completions
from procdsl.grammars.regular.deterministic import Dfa, TooLarge
from procdsl.grammars.regular.lowering import TABLE, uniform
from procdsl.grammars.regular.texts import TextError
from procdsl.programs.automaton import AutomatonProgram
from procdsl.walks import rows


class RegularGrammar(WordGrammar):
    """A regular language: a kind gives its automaton, and its walks' weights where words are not alike.

    The empty word is left out, as everywhere.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    @abstractmethod
    def recognised(self) -> Dfa:
        """The least automaton of the language. TextError or TooLarge where there is none."""

    @abstractmethod
    def faults(self) -> Iterator[Problem]:
        """What is wrong, or worth saying, about the text that describes the language."""

    def program(self) -> AutomatonProgram:
        return uniform(self.automaton, len(self.alphabet()), self.lengths(), self.split())

    @cached_property
    def automaton(self) -> Dfa:
        """The least automaton of the language."""
        return self.recognised()

    @cached_property
    def _completions(self) -> Completions:
        return Completions(self.automaton, PLENTY)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: id for id, symbol in enumerate(self.alphabet())}

    def possible(self, longest: int) -> int:
        return sum(1 << n for n in range(1, longest + 1) if self._completions.alive(n) & 1)

    def count(self, length: int) -> int:
        return self._completions.count(length) if length else 0

    def plenty(self, length: int) -> bool:
        return self._completions.few(length) >= PLENTY

    def reason(self, word: Sequence[str]) -> str | None:
        state = 0
        for place, symbol in enumerate(word, 1):
            if symbol not in self._ids:
                return f"{symbol!r} at {place} is no symbol of the language"
            after = self.automaton.step(state, self._ids[symbol])
            if after is None:
                return f"{symbol!r} at {place} cannot follow here: {self._expected(state, place > 1)}"
            state = after
        if not word:
            return "the empty word is left out"
        if state not in self.automaton.accepts:
            return f"it ends too early: {self._expected(state, ends=False)}"
        return None

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        if not self._ids.keys() >= set(prefix):
            return frozenset()
        state = self.automaton.follow(self._ids[symbol] for symbol in prefix)
        left = None if length is None else length - len(prefix)
        if state is None or (left is not None and left < 0):
            return frozenset()
        ends = prefix and state in self.automaton.accepts and not left
        return frozenset({*self._onward(state, left), *({END} if ends else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(self._described())
        yield from found
        if any(problem.severity is Severity.ERROR for problem in found):
            return
        lengths = list(super().problems(context))
        yield from lengths
        if not any(problem.severity is Severity.ERROR for problem in lengths):
            yield from self._size()

    def _described(self) -> Iterator[Problem]:
        """The faults of the text; where it has none, of the automaton."""
        found = list(self.faults())
        yield from found
        if any(problem.severity is Severity.ERROR for problem in found):
            return
        try:
            empty = self.automaton.empty or not self.automaton.moves[0]
        except TextError as fault:
            yield fault.problem("P390")
        except TooLarge as large:
            yield Problem("P391", str(large), help="make the language simpler, or give it more `states`")
        else:
            if empty:
                yield Problem("P392", "the language has no words", help="the empty word does not count")

    def _size(self) -> Iterator[Problem]:
        program = self.program()
        arrows, steps = len(program.sources), rows(program)
        if arrows * steps > TABLE:
            numbers = f"{arrows * steps:,} numbers, more than {TABLE:,}"
            message = f"{arrows:,} arrows and {steps:,} symbols make a table of {numbers}"
            yield Problem("P391", message, ("length",), "make the words shorter, or the automaton smaller")

    def _onward(self, state: int, left: int | None) -> Iterator[str]:
        """The symbols that some word, of so many more symbols, goes on with."""
        alphabet = self.alphabet()
        for target, symbols in self.automaton.arrows(state).items():
            if left is None or (left > 0 and self._completions.alive(left - 1) >> target & 1):
                yield from (alphabet[symbol] for symbol in symbols)

    def _expected(self, state: int, ends: bool) -> str:
        legal = sorted(self._onward(state, None), key=self._ids.__getitem__)
        shown = [repr(symbol) for symbol in legal[:6]] + ["…"] * (len(legal) > 6)
        if ends and state in self.automaton.accepts:
            shown.append("the end")
        return f"{' or '.join(shown)} can" if shown else "nothing can"

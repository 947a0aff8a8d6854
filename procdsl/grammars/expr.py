"""Operators over other grammars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, PrivateAttr

from procdsl.errors import Severity
from procdsl.grammars._expressed import FIELD, ContextFreeWords, InterleavedWords
from procdsl.grammars._held_out import HeldOut
from procdsl.grammars.base import AnyGrammar, Grammar, Problem, WordGrammar
from procdsl.grammars.regular.deterministic import BUDGET, Dfa, determinise
from procdsl.grammars.regular.expressions import Name, Node, nodes, parse
from procdsl.grammars.regular.forests import Forest, Shuffle, relabelled
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.nondeterministic import relabelled as renamed
from procdsl.grammars.regular.operands import PartFault, alphabet, channel, unwritten
from procdsl.grammars.regular.operators import Evaluation, Value, used
from procdsl.grammars.regular.texts import TextError
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import SPECIALS
from procdsl.programs.corrupted import CorruptedProgram
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.programs.tree import TreeProgram


class Expr(WordGrammar):
    """A language made of others: `expr` joins grammars by their names, from the spec or from `grammars` here.

    `a | b` is the union, `a & b` the intersection (of rules with something regular), `~a` the complement;
    `concat(a, 'x y', b)`, `union(a, b)`, `minus(a, b)`, `repeat(a, 2..5)`, `reverse(a)`, `shuffle(a, b)`,
    `relabel(a, 'x' = 'y')`, `depth(a, max = 8)`, `regex('(x y)*')`, `avoid('x y')`: words without these
    tokens in a row, `factor('x y')`: words with them. Where all parts are regular so is the whole, and every
    word of a length is alike; where one is context-free the whole is, with its derivations: `measure =
    "uniform"` draws them alike, `"weighted"` by the weights of the rules, and of automata, HMMs and `iid`.
    These stay in `concat`, `|`, `repeat`, `reverse`, `relabel`, `depth`, in the first part of `minus`, in the
    rules of `shuffle`, and in one part of `&`: the rules, else the first that has weights. Elsewhere only
    what words there are counts. A `shuffle` of several context-free languages, and others, wants symbols that
    tell its parts, and keeps the weights of all. It stands outermost, or in a `depth`: what it makes has no
    rules. Rules that are regular all the same, as of brackets so many deep, are taken for an automaton where
    rules cannot stand. `corrupt(a, substitute = 0.02, swap = 0.01, delete = 0.01)` stands outermost and errs
    symbol by symbol: what is drawn then may be no word, and membership is that of `a`.

    ```toml
    kind   = "expr"
    expr   = "depth(pairs, max = 4) & avoid('(0 0)')"
    length = { uniform = [10, 40] }

    [grammars.pairs]
    kind   = "dyck"
    k      = 2
    length = 8
    ```
    """

    kind: Literal["expr"] = "expr"
    expr: str = Field(max_length=100_000)
    grammars: dict[str, AnyGrammar] = Field(default={})
    measure: Literal["uniform", "weighted"] = "uniform"
    states: int = Field(default=BUDGET, ge=1, le=1_000_000)

    def program(self) -> AutomatonProgram | TreeProgram | InterleavedProgram | CorruptedProgram:
        of, rates = self.made.program(), self._parts[1]
        if not rates:
            return of
        shares = {way: round(rate * 2**32) for way, rate in rates.items()}
        return CorruptedProgram(
            of=of, alphabet=of.symbols, pad=of.symbols + len(SPECIALS) - 1, split=of.split, **shares
        )

    def alphabet(self) -> tuple[str, ...]:
        """The tokens that words are made of; none where the expression means nothing: `problems` says why."""
        try:
            return self.made.alphabet()
        except ValueError:
            return ()

    def possible(self, longest: int) -> int:
        return self.made.possible(longest)

    def count(self, length: int) -> int | None:
        return self.made.count(length)

    def words(self, length: int) -> Iterator[tuple[str, ...]]:
        return self.made.words(length)

    def plenty(self, length: int) -> bool:
        return self.made.plenty(length)

    def reason(self, word: Sequence[str]) -> str | None:
        return self.made.reason(word)

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        return self.made.legal_next(prefix, length)

    def holds_out(self) -> frozenset[str]:
        try:
            return self.made.holds_out() - {"rules"}
        except ValueError:
            return super().holds_out()

    def references(self) -> tuple[str, ...]:
        try:
            names = [node.text for node in nodes(self._parts[0]) if isinstance(node, Name)]
        except TextError:
            return ()
        return tuple(dict.fromkeys(name for name in names if name not in self.grammars))

    def bound(self, grammars: Mapping[str, Grammar]) -> Self:
        return self.model_copy(update={"grammars": {**self.grammars, **grammars}})

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            made = self.made
        except TextError as fault:
            # What is wrong with another grammar is told of that one.
            others = fault.part.problems(context) if isinstance(fault, PartFault) else ()
            if not any(other.message in fault.message for other in others):
                yield fault.problem("P390")
            return
        yield from self._unwritten()
        yield from made.doubts()
        if isinstance(made, InterleavedWords):
            yield from made.problems(context)
        elif isinstance(made, _RegularWords):
            if self.measure == "weighted":
                message = "every word of a length is alike: no part has weights that stay"
                yield Problem("P398", message, ("measure",), severity=Severity.WARNING)
            yield from made.problems(context)
        else:
            yield from super().problems(context)

    def _unwritten(self) -> Iterator[Problem]:
        for token, text in unwritten(self._parts[0], self.grammars):
            help = "tokens stand apart by blanks: avoid('x y')"
            fault = TextError(f"no word has {token!r} to avoid", FIELD, text.at, len(text.text), help)
            yield fault.problem("P399", Severity.WARNING)

    # ------------------------------------------------------------ what the expression means

    @cached_property
    def made(self) -> _RegularWords | ContextFreeWords | InterleavedWords:
        """The language itself. TextError where the expression means none."""
        (node, rates), weighted = self._parts, self.measure == "weighted"
        symbols = alphabet(node, self.grammars)
        found = Evaluation(self.expr, symbols, self.grammars, self.states, weighted=weighted)
        value = found.whole(node)
        kept = used(value)
        if not kept:
            raise TextError(
                "the language has no words", FIELD, 0, len(self.expr), "the empty word does not count"
            )
        if len(kept) == 1 and "substitute" in rates:
            message = f"there is nothing but {symbols[kept[0]]!r}: no other symbol can stand in its place"
            raise TextError(message, FIELD, 0, len(self.expr))
        return _words(self, value, kept, tuple(symbols[id] for id in kept))

    @cached_property
    def _parts(self) -> tuple[Node, dict[str, float]]:
        """The language, and how often each error befalls its symbols."""
        return channel(parse(self.expr, FIELD))


class _RegularWords(RegularGrammar):
    """What an expression over regular languages comes to."""

    spelt: tuple[str, ...]
    measure: Literal["uniform"] = "uniform"
    _found: Dfa = PrivateAttr()

    def alphabet(self) -> tuple[str, ...]:
        return self.spelt

    def recognised(self) -> Dfa:
        return self._found

    def faults(self) -> Iterator[Problem]:
        return iter(())

    def doubts(self) -> Iterator[Problem]:
        return iter(())


def _words(
    of: Expr, value: Value | Shuffle, kept: Sequence[int], spelt: tuple[str, ...]
) -> _RegularWords | ContextFreeWords | InterleavedWords:
    """The language over the symbols that it uses, numbered anew."""
    number = {old: new for new, old in enumerate(kept)}
    match value:
        case Forest():
            return _rules(of, value, number, spelt)
        case Shuffle():
            mixed = InterleavedWords(length=of.length, held_out=of.held_out, spelt=spelt)
            whole = of._with(HeldOut())
            mixed._parts = tuple(_rules(whole, part, number, spelt) for part in value.parts)
            return mixed
    regular = _RegularWords(length=of.length, held_out=of.held_out, spelt=spelt)
    regular._found = determinise(renamed(value.nfa(), number), len(spelt), of.states)
    return regular


def _rules(of: Expr, value: Forest, number: Mapping[int, int], spelt: tuple[str, ...]) -> ContextFreeWords:
    words = ContextFreeWords(length=of.length, held_out=of.held_out, measure=of.measure)
    found = value.trees.trimmed() or value.trees
    words._found, words._certain = relabelled(Forest(found, True), number, spelt).trees, value.certain
    return words

"""What expressions over languages mean: a least automaton where all parts are regular, else rules.

Both are over the one alphabet of the whole expression. Rules meet automata exactly, and other rules where
some are regular all the same (`linear`); what comes of the shuffle of others is no language of rules, and
stands outermost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import product

from procdsl.grammars._expressed import FIELD, InterleavedWords
from procdsl.grammars.base import Grammar
from procdsl.grammars.cfg import Cfg
from procdsl.grammars.dyck import Dyck
from procdsl.grammars.iid import Iid
from procdsl.grammars.regular import deterministic, forests, linear, nesting, nondeterministic
from procdsl.grammars.regular.deterministic import Dfa, TooLarge, determinise
from procdsl.grammars.regular.expressions import Call, Name, Node, Pair, Pattern, Range, Text
from procdsl.grammars.regular.forests import Forest, Shuffle
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa
from procdsl.grammars.regular.operands import FUNCTIONS, PartFault, expression, fault, placed, text_of
from procdsl.grammars.regular.patterns import compiled
from procdsl.grammars.regular.texts import TextError, near
from procdsl.programs.automaton import AutomatonProgram

Value = Dfa | Forest


class Evaluation:
    """Values of the parts of one expression, over its alphabet.

    With `weighted`, what is regular and has weights becomes rules that carry them.
    """

    def __init__(
        self,
        text: str,
        symbols: Sequence[str],
        grammars: Mapping[str, Grammar],
        states: int,
        *,
        weighted: bool = False,
    ) -> None:
        self.text, self.symbols, self.grammars, self.states = text, tuple(symbols), grammars, states
        self.ids = {symbol: id for id, symbol in enumerate(symbols)}
        self.weighted = weighted

    @cached_property
    def plain(self) -> Evaluation:
        """The same without weights: languages as sets."""
        return self if not self.weighted else Evaluation(self.text, self.symbols, self.grammars, self.states)

    def value(self, node: Node) -> Value:
        """The language of a part. TextError where it has none, or none within the budget."""
        found = self.whole(node)
        if isinstance(found, Shuffle):
            message = "the shuffle of context-free languages stands outermost: it is no language of rules"
            raise fault(message, node, "apply operators to its parts")
        return found

    def whole(self, node: Node) -> Value | Shuffle:
        """As `value`, of all of an expression: it may be the shuffle of several rules."""
        if isinstance(node, Name):
            return self._named(node)
        if isinstance(node, Pattern):
            return self._matching(node)
        if isinstance(node, Text):
            return self._dfa(nondeterministic.word(self._word(node)))
        if not isinstance(node, Call):
            raise fault("this is no language", node)
        try:
            return self._call(node)
        except TooLarge as large:
            raise fault(str(large), node, "make a part simpler, or give the grammar more `states`") from None

    # ------------------------------------------------------------ grammars

    def _named(self, node: Name) -> Value | Shuffle:
        grammar = self.grammars.get(node.text)
        if grammar is None:
            raise fault(f"no grammar is called {node.text!r}", node, near(node.text, self.grammars))
        try:
            found = self._grammar(grammar)
        except ValueError as inner:
            part = inner.part if isinstance(inner, PartFault) else grammar
            raise PartFault(f"{node.text} has a fault of its own: {inner}", node, part) from None
        if found is None:
            kind = getattr(grammar, "kind", "this")
            raise fault(f"{kind!r} is no kind of grammar that operators know", node, _OPERANDS)
        return found

    def _grammar(self, grammar: Grammar) -> Value | Shuffle | None:
        images = {place: self.ids[symbol] for place, symbol in enumerate(grammar.alphabet())}
        made = getattr(grammar, "made", None)
        inner = made if made is not None else grammar
        if self.weighted and (walks := _walks(inner)):
            return forests.walks(walks, images, self.symbols)
        if isinstance(inner, RegularGrammar):
            return self._dfa(nondeterministic.relabelled(inner.automaton.nfa(), images))
        if isinstance(inner, Cfg):
            return forests.relabelled(
                Forest(inner.derivations(), inner.verdict().certain), images, self.symbols
            )
        if isinstance(inner, InterleavedWords):
            return Shuffle(tuple(forests.relabelled(part, images, self.symbols) for part in inner.forests))
        if isinstance(inner, Dyck):
            pairs = [(images[t], images[inner.k + t]) for t in range(inner.k)]
            return forests.brackets(self.symbols, pairs, inner.depth)
        if isinstance(inner, Iid):
            return self._dfa(nondeterministic.star(nondeterministic.one_of(images.values())))
        return None

    # ------------------------------------------------------------ operators

    def _call(self, node: Call) -> Value | Shuffle:
        known: dict[str, Callable[[Call], Value | Shuffle]] = {
            "|": self._union, "union": self._union, "&": self._meet, "~": self._complement,
            "complement": self._complement, "minus": self._minus, "concat": self._concat,
            "repeat": self._repeat, "reverse": self._reverse, "relabel": self._relabel,
            "shuffle": self._shuffle, "avoid": self._avoid, "factor": self._factor,
            "depth": self._depth,
        }  # fmt: skip
        if node.function not in known:
            width = len(node.function)
            help = near(node.function, FUNCTIONS, "there are " + ", ".join(FUNCTIONS))
            raise TextError(f"{node.function} is no operator", FIELD, node.at, width, help)
        return known[node.function](node)

    def _union(self, node: Call) -> Value:
        """The regular parts as one, and of the others what it has not: words in both have one derivation."""
        parts = self._languages(node, 1)
        regular = [part.nfa() for part in parts if isinstance(part, Dfa)]
        others = [part for part in parts if isinstance(part, Forest)]
        if not regular:
            return forests.union(others)
        whole = self._dfa(nondeterministic.union(regular))
        if not others:
            return whole
        kept = [forests.meet(part, deterministic.complement(whole)) for part in others]
        alive = [part for part in kept if part.trees.trimmed()]
        last = forests.right_linear(whole, self.symbols)
        return forests.union([*alive, last], apart=len(alive) <= 1)

    def _concat(self, node: Call) -> Value:
        parts = self._languages(node, 1)
        regular = [part.nfa() for part in parts if isinstance(part, Dfa)]
        if len(regular) == len(parts):
            return self._dfa(nondeterministic.concat(regular))
        return forests.concat([self._forest(part) for part in parts])

    def _meet(self, node: Call) -> Value:
        found, *others = self._weighed_once(node)
        for part, other in zip(node.arguments[1:], others, strict=True):
            found = self._both(found, other, node)
            if not _nonempty(found):
                before, last = self.text[node.at : part.at].rstrip("& ("), self.text[part.at : part.end]
                message = f"{before} and {last} have no word in common, but perhaps the empty one"
                raise fault(message, Call("&", (), node.at, part.end), "loosen one of them")
        return found

    def _weighed_once(self, node: Call) -> list[Value]:
        """The parts of an intersection: rules with their weights, else the first that has any; all others
        without."""
        parts = self._languages(node, 2)
        if not self.weighted:
            return parts
        plain = [self.plain.value(part) for part in node.arguments]
        heavy = [place for place, part in enumerate(plain) if isinstance(part, Forest)]
        heavy += [place for place, part in enumerate(parts) if isinstance(part, Forest)]
        return [
            part if place in heavy[:1] else bare
            for place, (part, bare) in enumerate(zip(parts, plain, strict=True))
        ]

    def _both(self, one: Value, other: Value, node: Call) -> Value:
        match one, other:
            case Dfa(), Dfa():
                return deterministic.both(one, other, self.states)
            case Forest(), Dfa():
                return forests.meet(one, other)
            case Dfa(), Forest():
                return forests.meet(other, one)
            case Forest(), Forest():
                for part, regular in ((one, other), (other, one)):
                    if (found := self._automaton(regular)) is not None:
                        return forests.meet(part, found)
        raise fault("two context-free languages meet in one that may be neither", node, "one must be regular")

    def _complement(self, node: Call) -> Value:
        self._counted(node, 1, 1)
        part = self._automaton(self.plain.value(node.arguments[0]))
        if part is None:
            message = f"{node.function} is for regular languages, and this is not one"
            raise fault(message, node.arguments[0])
        return deterministic.complement(part)

    def _minus(self, node: Call) -> Value:
        self._counted(node, 2, 2)
        one, other = self.value(node.arguments[0]), self._automaton(self.plain.value(node.arguments[1]))
        if other is None:
            raise fault("only a regular language can be taken away", node.arguments[1])
        found = self._both(one, deterministic.complement(other), node)
        if not _nonempty(found):
            raise fault("nothing is left", node)
        return found

    def _repeat(self, node: Call) -> Value:
        if len(node.arguments) != 2 or not isinstance(node.arguments[1], Range):
            raise fault("repeat wants a language and how often", node, FUNCTIONS["repeat"])
        part, times = self.value(node.arguments[0]), node.arguments[1]
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.repeat(part.nfa(), times.least, times.most))
        if times.most is None:
            raise fault("of rules, only so many words can follow each other", times, "as in 1..8")
        return forests.repeat(part, times.least, times.most)

    def _reverse(self, node: Call) -> Value:
        (part,) = self._languages(node, 1, 1)
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.reverse(part.nfa()))
        return forests.reverse(part)

    def _relabel(self, node: Call) -> Value:
        if len(node.arguments) < 2:
            raise fault("relabel wants a language and pairs of tokens", node, FUNCTIONS["relabel"])
        part = self.value(node.arguments[0])
        images, written = {id: id for id in range(len(self.symbols))}, set(used(part))
        for pair in node.arguments[1:]:
            if not (isinstance(pair, Pair) and isinstance(pair.name, Text) and isinstance(pair.value, Text)):
                raise fault("this is no pair of tokens", pair, FUNCTIONS["relabel"])
            (old,), (images[old],) = self._word(pair.name, 1), self._word(pair.value, 1)
            if old not in written:
                raise fault(f"no word here has {self.symbols[old]!r}", pair.name)
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.relabelled(part.nfa(), images))
        own = {code for p in part.trees.productions for code in p.terminals()}
        return forests.relabelled(part, {id: images[id] for id in sorted(own)}, self.symbols)

    def _shuffle(self, node: Call) -> Value | Shuffle:
        """Regular languages by pairs of states; rules with regular languages by rules; more rules side by
        side, unless they share symbols and are regular all the same."""
        self._counted(node, 2)
        parts = [self.plain.whole(argument) for argument in node.arguments]
        rules = [place for place, part in enumerate(parts) if not isinstance(part, Dfa)]
        symbols = [symbol for part in parts for symbol in used(part)]
        if len(rules) > 1 and len(set(symbols)) < len(symbols):
            parts = [part if isinstance(part, Shuffle) else self._automaton(part) or part for part in parts]
            rules = [place for place, part in enumerate(parts) if not isinstance(part, Dfa)]
        if len(rules) > 1 or any(isinstance(part, Shuffle) for part in parts):
            return self._side_by_side(node)
        found = self._interleaved([part for part in parts if isinstance(part, Dfa)])
        if not rules:
            return found
        weighed = self.value(node.arguments[rules[0]]) if self.weighted else parts[rules[0]]
        assert isinstance(weighed, Forest)
        return forests.shuffle(weighed, found, self.states)

    def _interleaved(self, parts: Sequence[Dfa]) -> Dfa:
        found = parts[0]
        for part in parts[1:]:
            found = self._dfa(_shuffled(found, part, self.states))
        return found

    def _side_by_side(self, node: Call) -> Shuffle:
        """TextError where a symbol is in two parts: which of them it belongs to, nobody could tell."""
        parts, of = list[Forest](), dict[int, Node]()
        for argument in node.arguments:
            found = self.whole(argument)
            made = found if isinstance(found, Shuffle) else Shuffle((self._forest(found),))
            if not all(part.trees.trimmed() for part in made.parts):
                raise fault("the language has no words", argument)
            if shared := sorted(made.symbols & of.keys()):
                one, other = (self.text[node.at : node.end] for node in (of[shared[0]], argument))
                symbol = self.symbols[shared[0]]
                message = (
                    f"{symbol!r} is in {one} and in {other}: context-free parts are told by their symbols"
                )
                help = "relabel(a, 'x' = 'y') gives it another; depth(a, max = 8) makes brackets regular"
                raise fault(message, argument, help)
            of.update(dict.fromkeys(made.symbols, argument))
            parts += made.parts
        return Shuffle(tuple(parts))

    def _avoid(self, node: Call) -> Value:
        return deterministic.complement(self._factor(node))

    def _factor(self, node: Call) -> Dfa:
        if len(node.arguments) != 1:
            raise fault(f"{node.function} wants tokens", node, FUNCTIONS[node.function])
        word = self._word(text_of(node, node.arguments[0]))
        anything = nondeterministic.star(nondeterministic.one_of(range(len(self.symbols))))
        return self._dfa(nondeterministic.concat([anything, nondeterministic.word(word), anything]))

    def _matching(self, node: Pattern) -> Value:
        known = {symbol: frozenset({id}) for symbol, id in self.ids.items()}
        read = expression(node)
        return placed(node, lambda: compiled(read, known, len(self.symbols), self.states, FIELD))

    def _depth(self, node: Call) -> Value:
        """At most so many brackets are open: tokens that begin like opening ones, or end like closing
        ones."""
        match node.arguments:
            case (inner, Pair(name=Name(text="max"), value=Range(least=deepest))) if deepest:
                pass
            case _:
                raise fault("depth wants a language and a bound", node, FUNCTIONS["depth"])
        if not all(nesting.sides(self.symbols)):
            raise fault("no token opens or closes a bracket", node, "as ( and ), or open[0] and close[0]")
        bound, found = nesting.at_most(deepest, self.symbols), self.whole(inner)
        if not isinstance(found, Shuffle):
            return self._both(found, bound, node)
        # No part is deeper than all of them together.
        shallow = [self._automaton(forests.meet(part, bound)) for part in found.parts]
        regular = [part for part in shallow if part is not None]
        if len(regular) < len(shallow):
            raise fault("what is this deep at most, of a part, is not regular", inner, "write it in rules")
        return self._both(self._interleaved(regular), bound, node)

    # ------------------------------------------------------------ arguments

    def _languages(self, node: Call, least: int, most: int | None = None) -> list[Value]:
        self._counted(node, least, most)
        return [self.value(argument) for argument in node.arguments]

    def _counted(self, node: Call, least: int, most: int | None = None) -> None:
        if len(node.arguments) < least or (most is not None and len(node.arguments) > most):
            raise fault(
                f"{node.function} has {len(node.arguments)} arguments", node, FUNCTIONS.get(node.function, "")
            )

    def _word(self, text: Text, tokens: int | None = None) -> list[int]:
        found = [self.ids[token] for token in text.text.split()]
        if not found or (tokens is not None and len(found) != tokens):
            raise fault("one token is wanted" if tokens == 1 else "tokens are wanted", text)
        return found

    def _dfa(self, nfa: Nfa) -> Dfa:
        return determinise(nfa, len(self.symbols), self.states)

    def _automaton(self, value: Value) -> Dfa | None:
        """A language as an automaton, of rules too where it is regular."""
        if isinstance(value, Dfa):
            return value
        found = linear.automaton(value, self.states)
        return None if found is None else self._dfa(found)

    def _forest(self, value: Value) -> Forest:
        """Rules for an automaton: a nonterminal a state."""
        if isinstance(value, Forest):
            return value
        return forests.right_linear(value, self.symbols)


def _walks(grammar: object) -> AutomatonProgram | None:
    """The weighted walks of a grammar, if it has any: one without weights is a set of words."""
    if isinstance(grammar, Iid) and grammar.weights != "uniform":
        return grammar.walks()
    if isinstance(grammar, RegularGrammar) and getattr(grammar, "measure", "uniform") != "uniform":
        return grammar.program()
    return None


_OPERANDS = "they know automaton, regex, tomita, parity, hmm, iid, dyck, cfg and expr"


def used(value: Value | Shuffle) -> list[int]:
    """The symbols that words are made of, in order."""
    if isinstance(value, Forest | Shuffle):
        return sorted(value.symbols)
    return sorted({symbol for move in value.moves for atom in move for symbol in value.atoms[atom]})


def _nonempty(value: Value) -> bool:
    return value.nonempty if isinstance(value, Forest) else bool(value.moves[0])


def _shuffled(one: Dfa, other: Dfa, states: int) -> Nfa:
    """Words of two languages, interleaved in every way."""
    rows, columns = len(one.moves), len(other.moves)
    if rows * columns > 10 * states:
        raise TooLarge(f"{rows:,} states and {columns:,} states interleave in more than {10 * states:,}")
    arrows = [
        Arrow(p * columns + q, frozenset(symbols), after * columns + q)
        for p, q in product(range(rows), range(columns))
        for after, symbols in one.arrows(p).items()
    ]
    arrows += [
        Arrow(p * columns + q, frozenset(symbols), p * columns + after)
        for p, q in product(range(rows), range(columns))
        for after, symbols in other.arrows(q).items()
    ]
    accepts = frozenset(p * columns + q for p in one.accepts for q in other.accepts)
    return Nfa(rows * columns, tuple(arrows), accepts)

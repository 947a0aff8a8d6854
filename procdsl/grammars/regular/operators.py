"""What expressions over languages mean: a least automaton where all parts are regular, else rules.

Both are over the one alphabet of the whole expression. Rules meet automata exactly; rules and rules do not
meet, and what comes of their shuffle is no language of rules: it stands outermost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import TypeVar

from procdsl.grammars._expressed import FIELD, InterleavedWords
from procdsl.grammars.base import Grammar
from procdsl.grammars.cfg import Cfg
from procdsl.grammars.dyck import Dyck
from procdsl.grammars.iid import Iid
from procdsl.grammars.regular import deterministic, forests, nesting, nondeterministic
from procdsl.grammars.regular.deterministic import Dfa, TooLarge, determinise
from procdsl.grammars.regular.expressions import Call, Name, Node, Pair, Pattern, Range, Rate, Text, nodes
from procdsl.grammars.regular.forests import Forest, Shuffle
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa
from procdsl.grammars.regular.patterns import Pattern as RegularExpression
from procdsl.grammars.regular.patterns import compiled, named, parse
from procdsl.grammars.regular.texts import TextError, near
from procdsl.programs.automaton import AutomatonProgram

T = TypeVar("T")
Value = Dfa | Forest
# How each function is called.
FUNCTIONS = {
    "concat": "concat(a, b, …)",
    "union": "union(a, b, …)",
    "minus": "minus(a, b)",
    "complement": "complement(a)",
    "shuffle": "shuffle(a, b)",
    "repeat": "repeat(a, 2..5)",
    "reverse": "reverse(a)",
    "relabel": "relabel(a, 'x' = 'y')",
    "avoid": "avoid('x y')",
    "factor": "factor('x y')",
    "regex": "regex('(x y)*')",
    "depth": "depth(a, max = 8)",
    "corrupt": "corrupt(a, substitute = 0.02, swap = 0.01, delete = 0.01)",
}


def alphabet(node: Node, grammars: Mapping[str, Grammar]) -> tuple[str, ...]:
    """All tokens that an expression speaks of, in order of writing."""
    return tuple(dict.fromkeys(token for one in nodes(node) for token in _tokens(one, grammars)))


class PartFault(TextError):
    """A grammar that an expression names has a fault: its own, or that of a `part` that it is made of."""

    def __init__(self, message: str, node: Name, part: Grammar) -> None:
        self.part = part
        super().__init__(message, FIELD, node.at, node.end - node.at)


def unwritten(node: Node, grammars: Mapping[str, Grammar]) -> Iterator[tuple[str, Text]]:
    """The tokens that are avoided, and that no part of the expression writes: often two written as one."""
    parts = list(nodes(node))
    avoids = [one for one in parts if isinstance(one, Call) and one.function == "avoid"]
    texts = [text for one in avoids for text in one.arguments if isinstance(text, Text)]
    known = {token for one in parts if one not in texts for token in _tokens(one, grammars)}
    yield from ((token, text) for text in texts for token in text.text.split() if token not in known)


def _tokens(node: Node, grammars: Mapping[str, Grammar]) -> Iterator[str]:
    """The tokens of a grammar, a text, a pair of texts, or a pattern."""
    if isinstance(node, Name) and node.text in grammars:
        yield from grammars[node.text].alphabet()
    elif isinstance(node, Pair):
        yield from (
            token for part in (node.name, node.value) if isinstance(part, Text) for token in part.text.split()
        )
    elif isinstance(node, Text):
        yield from node.text.split()
    elif isinstance(node, Pattern):
        yield from (name for name, _ in named(_pattern(node)))


def channel(node: Node) -> tuple[Node, dict[str, float]]:
    """What an expression corrupts, and how often each way; nothing, and no ways, where it does not.

    Errors stand outermost: what comes out of them is drawn, but is no language that operators could go on
    with.
    """
    inside = node.arguments if isinstance(node, Call) else ()
    for part in (one for argument in inside for one in nodes(argument)):
        if isinstance(part, Call) and part.function == "corrupt":
            raise _fault("corrupt stands outermost: what it gives is no language", part)
    if not isinstance(node, Call) or node.function != "corrupt":
        return node, {}
    rates = dict[str, float]()
    for argument in node.arguments[1:]:
        match argument:
            case Pair(name=Name(text=("substitute" | "swap" | "delete") as way), value=Rate(value=rate)):
                rates[way] = rate
            case Pair(name=Name(text=("substitute" | "swap" | "delete") as way), value=Range(least=rate)):
                rates[way] = float(rate)
            case _:
                raise _fault("this is no way to corrupt", argument, FUNCTIONS["corrupt"])
    if not node.arguments or isinstance(node.arguments[0], Pair) or not rates:
        raise _fault("corrupt wants a language and how often it errs", node, FUNCTIONS["corrupt"])
    if sum(rates.values()) > 1:
        raise _fault(f"something befalls {sum(rates.values()):g} of the symbols: at most all of them", node)
    return node.arguments[0], rates


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
            raise _fault(message, node, "apply operators to its parts")
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
            raise _fault("this is no language", node)
        try:
            return self._call(node)
        except TooLarge as large:
            raise _fault(str(large), node, "make a part simpler, or give the grammar more `states`") from None

    # ------------------------------------------------------------ grammars

    def _named(self, node: Name) -> Value | Shuffle:
        grammar = self.grammars.get(node.text)
        if grammar is None:
            raise _fault(f"no grammar is called {node.text!r}", node, near(node.text, self.grammars))
        try:
            found = self._grammar(grammar)
        except ValueError as inner:
            part = inner.part if isinstance(inner, PartFault) else grammar
            raise PartFault(f"{node.text} has a fault of its own: {inner}", node, part) from None
        if found is None:
            kind = getattr(grammar, "kind", "this")
            raise _fault(f"{kind!r} is no kind of grammar that operators know", node, _OPERANDS)
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
        parts = self._languages(node, 1)
        if all(isinstance(part, Dfa) for part in parts):
            return self._dfa(nondeterministic.union(part.nfa() for part in parts if isinstance(part, Dfa)))
        return self._disjoint_union(parts)

    def _disjoint_union(self, parts: Sequence[Value]) -> Forest:
        """The regular parts as one, and of the others what it has not: words in both have one derivation."""
        regular = [part for part in parts if isinstance(part, Dfa)]
        others = [part for part in parts if isinstance(part, Forest)]
        if not regular:
            return forests.union(others)
        whole = self._dfa(nondeterministic.union(part.nfa() for part in regular))
        kept = [forests.meet(part, deterministic.complement(whole)) for part in others]
        alive = [part for part in kept if part.trees.trimmed()]
        last = forests.right_linear(whole, self.symbols)
        return forests.union([*alive, last], apart=len(alive) <= 1)

    def _concat(self, node: Call) -> Value:
        parts = self._languages(node, 1)
        if all(isinstance(part, Dfa) for part in parts):
            return self._dfa(nondeterministic.concat(part.nfa() for part in parts if isinstance(part, Dfa)))
        return forests.concat([self._forest(part) for part in parts])

    def _meet(self, node: Call) -> Value:
        found, *others = self._weighed_once(node)
        for part, other in zip(node.arguments[1:], others, strict=True):
            found = self._both(found, other, node)
            if not _nonempty(found):
                before, last = self.text[node.at : part.at].rstrip("& ("), self.text[part.at : part.end]
                message = f"{before} and {last} have no word in common, but perhaps the empty one"
                raise _fault(message, Call("&", (), node.at, part.end), "loosen one of them")
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
        raise _fault(
            "two context-free languages meet in one that may be neither", node, "one must be regular"
        )

    def _complement(self, node: Call) -> Value:
        (part,) = self._regular(node, 1)
        return deterministic.complement(part)

    def _minus(self, node: Call) -> Value:
        self._counted(node, 2, 2)
        one, other = self.value(node.arguments[0]), self.plain.value(node.arguments[1])
        if isinstance(other, Forest):
            raise _fault("only a regular language can be taken away", node.arguments[1])
        found = self._both(one, deterministic.complement(other), node)
        if not _nonempty(found):
            raise _fault("nothing is left", node)
        return found

    def _repeat(self, node: Call) -> Value:
        if len(node.arguments) != 2 or not isinstance(node.arguments[1], Range):
            raise _fault("repeat wants a language and how often", node, FUNCTIONS["repeat"])
        part, times = self.value(node.arguments[0]), node.arguments[1]
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.repeat(part.nfa(), times.least, times.most))
        if times.most is None:
            raise _fault("of rules, only so many words can follow each other", times, "as in 1..8")
        return forests.repeat(part, times.least, times.most)

    def _reverse(self, node: Call) -> Value:
        (part,) = self._languages(node, 1, 1)
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.reverse(part.nfa()))
        return forests.reverse(part)

    def _relabel(self, node: Call) -> Value:
        if len(node.arguments) < 2:
            raise _fault("relabel wants a language and pairs of tokens", node, FUNCTIONS["relabel"])
        part = self.value(node.arguments[0])
        images, written = {id: id for id in range(len(self.symbols))}, set(used(part))
        for pair in node.arguments[1:]:
            if not (isinstance(pair, Pair) and isinstance(pair.name, Text) and isinstance(pair.value, Text)):
                raise _fault("this is no pair of tokens", pair, FUNCTIONS["relabel"])
            (old,), (images[old],) = self._word(pair.name, 1), self._word(pair.value, 1)
            if old not in written:
                raise _fault(f"no word here has {self.symbols[old]!r}", pair.name)
        if isinstance(part, Dfa):
            return self._dfa(nondeterministic.relabelled(part.nfa(), images))
        own = {code for p in part.trees.productions for code in p.terminals()}
        return forests.relabelled(part, {id: images[id] for id in sorted(own)}, self.symbols)

    def _shuffle(self, node: Call) -> Value | Shuffle:
        """Regular languages by pairs of states; rules with regular languages by rules; more rules side by
        side."""
        self._counted(node, 2)
        parts = [self.plain.whole(argument) for argument in node.arguments]
        regular = [part for part in parts if isinstance(part, Dfa)]
        rules = [place for place, part in enumerate(parts) if not isinstance(part, Dfa)]
        if len(rules) > 1 or any(isinstance(part, Shuffle) for part in parts):
            return self._side_by_side(node)
        found = regular[0]
        for part in regular[1:]:
            found = self._dfa(_shuffled(found, part, self.states))
        if not rules:
            return found
        weighed = self.value(node.arguments[rules[0]]) if self.weighted else parts[rules[0]]
        assert isinstance(weighed, Forest)
        return forests.shuffle(weighed, found, self.states)

    def _side_by_side(self, node: Call) -> Shuffle:
        """TextError where a symbol is in two parts: which of them it belongs to, nobody could tell."""
        parts, of = list[Forest](), dict[int, Node]()
        for argument in node.arguments:
            found = self.whole(argument)
            made = found if isinstance(found, Shuffle) else Shuffle((self._forest(found),))
            if not all(part.trees.trimmed() for part in made.parts):
                raise _fault("the language has no words", argument)
            if shared := sorted(made.symbols & of.keys()):
                one, other = (self.text[node.at : node.end] for node in (of[shared[0]], argument))
                symbol = self.symbols[shared[0]]
                message = (
                    f"{symbol!r} is in {one} and in {other}: context-free parts are told by their symbols"
                )
                help = (
                    "relabel(a, 'x' = 'y') gives it another symbol; shuffle regular parts by themselves first"
                )
                raise _fault(message, argument, help)
            of.update(dict.fromkeys(made.symbols, argument))
            parts += made.parts
        return Shuffle(tuple(parts))

    def _avoid(self, node: Call) -> Value:
        return deterministic.complement(self._factor(node))

    def _factor(self, node: Call) -> Dfa:
        if len(node.arguments) != 1:
            raise _fault(f"{node.function} wants tokens", node, FUNCTIONS[node.function])
        word = self._word(_text(node, node.arguments[0]))
        anything = nondeterministic.star(nondeterministic.one_of(range(len(self.symbols))))
        return self._dfa(nondeterministic.concat([anything, nondeterministic.word(word), anything]))

    def _matching(self, node: Pattern) -> Value:
        known = {symbol: frozenset({id}) for symbol, id in self.ids.items()}
        pattern = _pattern(node)
        return _placed(node, lambda: compiled(pattern, known, len(self.symbols), self.states, FIELD))

    def _depth(self, node: Call) -> Value:
        """At most so many brackets are open: tokens that begin like opening ones, or end like closing
        ones."""
        match node.arguments:
            case (inner, Pair(name=Name(text="max"), value=Range(least=deepest))) if deepest:
                pass
            case _:
                raise _fault("depth wants a language and a bound", node, FUNCTIONS["depth"])
        if not all(nesting.sides(self.symbols)):
            raise _fault("no token opens or closes a bracket", node, "as ( and ), or open[0] and close[0]")
        return self._both(self.value(inner), nesting.at_most(deepest, self.symbols), node)

    # ------------------------------------------------------------ arguments

    def _languages(self, node: Call, least: int, most: int | None = None) -> list[Value]:
        self._counted(node, least, most)
        return [self.value(argument) for argument in node.arguments]

    def _counted(self, node: Call, least: int, most: int | None = None) -> None:
        if len(node.arguments) < least or (most is not None and len(node.arguments) > most):
            raise _fault(
                f"{node.function} has {len(node.arguments)} arguments", node, FUNCTIONS.get(node.function, "")
            )

    def _regular(self, node: Call, least: int) -> list[Dfa]:
        self._counted(node, least)
        found = [self.plain.value(argument) for argument in node.arguments]
        for argument, value in zip(node.arguments, found, strict=True):
            if isinstance(value, Forest):
                raise _fault(f"{node.function} is for regular languages, and this is not one", argument)
        return [value for value in found if isinstance(value, Dfa)]

    def _word(self, text: Text, tokens: int | None = None) -> list[int]:
        found = [self.ids[token] for token in text.text.split()]
        if not found or (tokens is not None and len(found) != tokens):
            raise _fault("one token is wanted" if tokens == 1 else "tokens are wanted", text)
        return found

    def _dfa(self, nfa: Nfa) -> Dfa:
        return determinise(nfa, len(self.symbols), self.states)

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


def _text(node: Call, argument: Node) -> Text:
    if not isinstance(argument, Text):
        raise _fault("tokens stand in quotes", argument, FUNCTIONS.get(node.function, ""))
    return argument


def _pattern(node: Pattern) -> RegularExpression:
    return _placed(node, lambda: parse(node.text, FIELD))


def _placed(node: Pattern, read: Callable[[], T]) -> T:
    """What is read of a pattern within the expression: faults are at the expression's characters."""
    try:
        return read()
    except TextError as fault:
        at, width = fault.span
        raise TextError(fault.message, FIELD, node.at + at, width, fault.help) from None


def _fault(message: str, node: Node, help: str = "") -> TextError:
    return TextError(message, FIELD, node.at, max(node.end - node.at, 1), help)

"""From rules as written to productions: names bound, indices multiplied out, repeats and groups made rules.

A nonterminal with an index becomes one nonterminal for each value (``NP[sg]``, ``NP[pl]``); a variable used
twice in a rule means agreement; one that the left-hand side lacks is summed out, each value alike. Token
families without an index stand for any member, by the family's weights, and become a nonterminal of their own
so that a lexicon of thousands is one group of productions, not thousands of rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from procdsl.grammars.rules.families import Family
from procdsl.grammars.rules.trees import FANOUT, Production, Trees, reference
from procdsl.grammars.rules.written import (
    Alternative,
    Group,
    Item,
    Name,
    Number,
    Part,
    Quoted,
    Repeat,
    Rule,
    RuleError,
    RuleErrors,
    Spot,
)

Values = Mapping[str, str]
MOST_PRODUCTIONS = 200_000
_HEAVIEST = 1e100


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules refer to: token families, index domains, parameters, switches, the default of ``* + ?``."""

    families: Mapping[str, Family] = field(default_factory=dict)
    index: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    switches: Mapping[str, int] = field(default_factory=dict)
    repeat: float = 0.5


def expand(
    rules: Sequence[Rule], surroundings: Surroundings, held: frozenset[tuple[int, int]] = frozenset()
) -> Trees:
    """The productions of rules, the first rule's head first, weights normalised for each left-hand side.

    Those of the alternatives `held`, by the numbers of rule and alternative, are marked as that.
    RuleErrors where a name is unbound, an index has no range, or weights sum to nothing: all there are.
    """
    return _Expansion(rules, surroundings, held).trees()


class _Expansion:
    """The state of one expansion: what is interned, what was made so far."""

    def __init__(
        self, rules: Sequence[Rule], surroundings: Surroundings, held: frozenset[tuple[int, int]]
    ) -> None:
        self.rules = rules
        self.around = surroundings
        self.held = held
        self.heads = {rule.head.name: len(rule.head.index) for rule in rules}
        self.names: dict[str, int] = {}
        self.alphabet: dict[str, int] = {}
        self.productions: list[Production] = []
        self.fresh = itertools.count()

    def trees(self) -> Trees:
        faults = list(self._head_faults())
        self._nonterminal(self.rules[0].head.name)
        for number, rule in enumerate(self.rules):
            for place, alternative in enumerate(rule.alternatives):
                try:
                    self._alternative(rule.head, alternative, held=(number, place) in self.held)
                except RuleError as fault:
                    faults.append(fault)
        if faults:
            raise RuleErrors(faults)
        return Trees(tuple(self.names), tuple(self.alphabet), self._normalised())

    def _head_faults(self) -> Iterator[RuleError]:
        start = self.rules[0].head
        if start.index:
            yield RuleError(
                "P372", f"the first rule is the start and takes no index: {start.name}", start.spot
            )
        for head in (rule.head for rule in self.rules):
            if len(head.index) != self.heads[head.name]:
                yield RuleError("P372", f"{head.name} has now more indices, now fewer", head.spot)
            if head.name in self.around.families:
                message = f"{head.name} is a token family and a nonterminal"
                yield RuleError("P371", message, head.spot, "rename one of the two")

    # ------------------------------------------------------------ one alternative, every value of its indices

    def _alternative(self, head: Name, alternative: Alternative, *, held: bool) -> None:
        weight = self._weight(alternative)
        variables = self._variables(head, alternative)
        free = [name for name in variables if name not in head.index]
        choices = 1
        for name in free:
            choices *= len(variables[name])
        for values in _product(variables):
            self._produce(head, alternative, values, weight / choices, held=held)

    def _produce(
        self, head: Name, alternative: Alternative, values: Values, weight: float, *, held: bool
    ) -> None:
        if alternative.yields is None:
            children, string = self._string(alternative, values)
            yields: tuple[tuple[int, ...], ...] = (string,)
        else:
            children = tuple(self._child(item, values) for item in alternative.items)
            yields = tuple(self._component(part, values, len(children)) for part in alternative.yields)
        if len(yields) > FANOUT:
            raise RuleError("P374", f"a yield has at most {FANOUT} components", alternative.spot)
        number = self._nonterminal(_instance(head, values))
        if len(self.productions) >= MOST_PRODUCTIONS:
            raise RuleError(
                "P375", f"the rules come to more than {MOST_PRODUCTIONS:,} productions", head.spot
            )
        self.productions.append(Production(number, children, yields, weight, head.spot.line, held))

    def _string(self, alternative: Alternative, values: Values) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A context-free right-hand side: its nonterminals, and the string with references to them."""
        items = alternative.items
        if alternative.switch is not None and self._switched(alternative.switch):
            items = items[::-1]
        children, string = list[int](), list[int]()
        for item in items:
            terminal = self._terminal(item, values)
            if terminal is None:
                string.append(reference(len(children), 0))
                children.append(self._child(item, values))
            else:
                string.append(terminal)
        return tuple(children), tuple(string)

    def _component(
        self, parts: Sequence[Quoted | Name | Part], values: Values, children: int
    ) -> tuple[int, ...]:
        codes = list[int]()
        for part in parts:
            if isinstance(part, Part):
                if not 1 <= part.child <= children or not 1 <= part.component <= FANOUT:
                    raise RuleError(
                        "P374", f"${part.child}.{part.component}: there are {children} children", part.spot
                    )
                codes.append(reference(part.child - 1, part.component - 1))
            else:
                terminal = self._terminal(part, values)
                if terminal is None:
                    if isinstance(part, Name) and part.name not in {*self.heads, *self.around.families}:
                        raise self._undefined(part)
                    help = "name it before the braces and write $1.1 here"
                    raise RuleError("P374", f"{_shown(part)} is no token", part.spot, help)
                codes.append(terminal)
        return tuple(codes)

    # ------------------------------------------------------------ symbols

    def _terminal(self, item: Item, values: Values) -> int | None:
        """The id of an item that is one certain token, else None."""
        if isinstance(item, Quoted):
            return self._token(item.text)
        if isinstance(item, Name) and item.name in self.around.families and item.index:
            members = self._members(item, values)
            return self._token(members[0]) if len(members) == 1 else None
        return None

    def _child(self, item: Item, values: Values) -> int:
        """The nonterminal that an item is, or that is made for it."""
        if isinstance(item, Name):
            if item.name in self.heads:
                return self._nonterminal(self._used(item, values))
            if item.name in self.around.families:
                return self._lexicon(item, values)
            raise self._undefined(item)
        if isinstance(item, Quoted):
            return self._made([((item,), 1.0)], values)
        if isinstance(item, Group):
            return self._group(item, values)
        return self._repeat(item, values)

    def _group(self, group: Group, values: Values) -> int:
        return self._made([(a.items, self._weight(a)) for a in group.alternatives], values)

    def _repeat(self, repeat: Repeat, values: Values) -> int:
        """``x{m,n}`` evenly one of m .. n times; ``x*`` one more with probability p; ``x?`` once with p."""
        item = repeat.item
        p = self.around.repeat if repeat.p is None else self._number(repeat.p)
        if not 0 < p < 1 and repeat.p is not None:
            raise RuleError("P373", f"a repeat's probability lies between 0 and 1, not {p:g}", repeat.spot)
        if repeat.most is None:
            number = self._anonymous()
            self._add(number, (item,), p, values, then=number)
            self._add(number, (item,) * repeat.least, 1 - p, values)
            return number
        if (repeat.least, repeat.most) == (0, 1):
            return self._made([((item,), p), ((), 1 - p)], values)
        return self._made([((item,) * n, 1.0) for n in range(repeat.least, repeat.most + 1)], values)

    def _made(self, alternatives: Sequence[tuple[tuple[Item, ...], float]], values: Values) -> int:
        number = self._anonymous()
        for items, weight in alternatives:
            self._add(number, items, weight, values)
        return number

    def _add(
        self, head: int, items: tuple[Item, ...], weight: float, values: Values, then: int | None = None
    ) -> None:
        children, string = self._string(Alternative(items, None, None, None, Spot(1, 1)), values)
        if then is not None:
            string = (*string, reference(len(children), 0))
            children = (*children, then)
        self.productions.append(Production(head, children, (string,), weight))

    def _lexicon(self, name: Name, values: Values) -> int:
        """A nonterminal whose words are the family's members, by its weights."""
        label = (
            f"{name.name}[{','.join(values.get(i, i) for i in name.index)}]"
            if name.index
            else f"{name.name}[]"
        )
        if label in self.names:
            return self.names[label]
        members, weights = self._members(name, values), self.around.families[name.name].weights
        if name.index and not self.around.families[name.name].features:
            weights = (1.0,)
        number = self._nonterminal(label)
        for member, weight in zip(members, itertools.cycle(weights), strict=False):
            self.productions.append(Production(number, (), ((self._token(member),),), weight))
        return number

    def _members(self, name: Name, values: Values) -> tuple[str, ...]:
        members = self.around.families[name.name].members
        if not name.index:
            return tuple(itertools.chain.from_iterable(members.values()))
        wanted = tuple(values.get(i, i) for i in name.index)
        if wanted not in members:
            raise RuleError(
                "P372", f"{name.name} has no member {_shown(name)} = [{', '.join(wanted)}]", name.spot
            )
        return members[wanted]

    def _used(self, name: Name, values: Values) -> str:
        if len(name.index) != self.heads[name.name]:
            takes = self.heads[name.name]
            raise RuleError("P372", f"{name.name} takes {takes} indices, not {len(name.index)}", name.spot)
        return _instance(name, values)

    def _undefined(self, name: Name) -> RuleError:
        near = get_close_matches(name.name, [*self.heads, *self.around.families], 1)
        help = f"did you mean {near[0]}?" if near else f'quote it ("{name.name}") if it is a token'
        return RuleError("P371", f"{name.name} is used but never defined", name.spot, help)

    def _token(self, text: str) -> int:
        return self.alphabet.setdefault(text, len(self.alphabet))

    def _nonterminal(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def _anonymous(self) -> int:
        return self._nonterminal(f"({next(self.fresh)})")

    # ------------------------------------------------------------ indices and weights

    def _variables(self, head: Name, alternative: Alternative) -> dict[str, tuple[str, ...]]:
        """The index variables of an alternative, and what each ranges over."""
        used: dict[str, list[Name]] = {}
        for name in (head, *_names(alternative)):
            for variable in name.index:
                if self._is_variable(variable):
                    used.setdefault(variable, []).append(name)
        return {variable: self._domain(variable, names) for variable, names in used.items()}

    def _is_variable(self, text: str) -> bool:
        values = itertools.chain.from_iterable(self.around.index.values())
        return text in self.around.index or not (text.isdigit() or text in set(values))

    def _domain(self, variable: str, names: Sequence[Name]) -> tuple[str, ...]:
        if variable in self.around.index:
            return self.around.index[variable]
        families = [n.name for n in names if n.name in self.around.families]
        sizes = {self.around.families[name].size for name in families}
        if len(sizes) == 1:
            return tuple(str(i) for i in range(sizes.pop()))
        found = (
            ", ".join(f"{name} has {self.around.families[name].size}" for name in families) or "none use it"
        )
        help = "declare it under `index`, or use it on token families of one size"
        raise RuleError("P372", f"index {variable!r} has no range: {found}", names[0].spot, help)

    def _switched(self, switch: Name) -> bool:
        if switch.name not in self.around.switches:
            raise RuleError(
                "P376", f"switch <{switch.name}> is not declared", switch.spot, "declare it under `switch`"
            )
        return bool(self.around.switches[switch.name])

    def _weight(self, alternative: Alternative) -> float:
        if alternative.weight is None:
            return 1.0
        weight = self._number(alternative.weight)
        if not 0 <= weight <= _HEAVIEST:
            bound = "at least 0" if weight < 0 else f"at most {_HEAVIEST:g}"
            message = f"a weight is {bound}, not {weight:g}"
            raise RuleError("P373", message, alternative.weight.spot)
        return weight

    def _number(self, number: Number) -> float:
        match number.operator, number.operands:
            case "number", (value,):
                return float(value)
            case "parameter", (name,):
                return self._parameter(str(name), number.spot)
            case "negative", (value,):
                return -self._number(value)
            case operator, (left, right):
                return _arithmetic(operator, self._number(left), self._number(right), number.spot)
        raise AssertionError(number)

    def _parameter(self, name: str, spot: Spot) -> float:
        if name not in self.around.parameters:
            near = get_close_matches(name, self.around.parameters, 1)
            help = f"did you mean {near[0]}?" if near else f"give it a value beside `rules`: {name} = 0.5"
            raise RuleError("P371", f"parameter {name} has no value", spot, help)
        return self.around.parameters[name]

    def _normalised(self) -> tuple[Production, ...]:
        """The productions with weights that sum to one for each head; equal ones are one."""
        sums: dict[int, float] = {}
        merged: dict[Production, float] = {}
        for production in self.productions:
            sums[production.head] = sums.get(production.head, 0.0) + production.weight
            same = replace(production, weight=0.0, line=0)
            merged[same] = merged.get(same, 0.0) + production.weight
        names = tuple(self.names)
        lines = {p.head: p.line for p in reversed(self.productions)}
        faults = [
            RuleError("P373", f"the weights of {names[head]} sum to 0", Spot(max(lines[head], 1), 1))
            for head, total in sums.items()
            if not total > 0
        ]
        if faults:
            raise RuleErrors(faults)
        shares = ((p, weight / sums[p.head]) for p, weight in merged.items())
        return tuple(replace(p, weight=share) for p, share in shares if share > 0)


def _instance(name: Name, values: Values) -> str:
    return f"{name.name}[{','.join(values.get(i, i) for i in name.index)}]" if name.index else name.name


def _shown(part: Quoted | Name) -> str:
    return part.text if isinstance(part, Quoted) else _instance(part, {})


def _product(variables: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    return (dict(zip(variables, values, strict=True)) for values in itertools.product(*variables.values()))


def _names(alternative: Alternative) -> Iterator[Name]:
    stack: list[Item | Part] = list(alternative.items)
    stack += [part for component in alternative.yields or () for part in component]
    while stack:
        item = stack.pop()
        if isinstance(item, Name):
            yield item
        elif isinstance(item, Group):
            stack += [inner for each in item.alternatives for inner in each.items]
        elif isinstance(item, Repeat):
            stack.append(item.item)


def _arithmetic(operator: str, left: float, right: float, spot: Spot) -> float:
    if operator == "divide" and right == 0:
        raise RuleError("P373", "a weight divides by 0", spot)
    return {"add": left + right, "subtract": left - right, "multiply": left * right}.get(
        operator, left / right if right else 0.0
    )

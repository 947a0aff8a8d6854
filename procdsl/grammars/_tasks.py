"""From a task as it is written to registers and instructions; all its faults at their places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from procdsl.grammars._expressions import (
    Call,
    Expression,
    ExpressionError,
    Name,
    Number,
    Text,
    bound,
    parse,
)
from procdsl.grammars._known import SORTED, TYPES, Known, Pool, fits, result
from procdsl.grammars._words import Words
from procdsl.grammars.base import Grammar
from procdsl.grammars.words import Extent, WordFunction, word_functions
from procdsl.groups import spellings
from procdsl.programs.task import Draw, Instruction

# What one value may take: 4 Mi ids.
ROOM = 2**22
# Numbers that have tokens.
NUMERALS = 65_536
GREATEST = 10**18
_FOLDS = {"add": "sum", "plus": "sum", "max": "max", "min": "min", "compose": "fold_compose"}
_SCANS = {"add": "prefix_sums", "plus": "prefix_sums", "compose": "scan_compose"}
NUMERAL = re.compile(r"0|[1-9][0-9]{0,4}")


@dataclass
class Lowering:
    """Appends an instruction for every node of an expression, arguments first.

    `names`: the registers of what has a name, first of all draws. Ids: the numbers up to `numerals`, then the
    pools of symbols, then tokens in quotes, then what is `added` as it is named: the elements of groups, the
    symbols of the `grammars` that words are drawn from. `greatest` is the greatest number among these.
    """

    names: dict[str, int]
    symbols: dict[str, int]
    numerals: int = 0
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    quoted: tuple[str, ...] = ()
    registers: list[Known] = field(default_factory=list)
    code: list[Instruction] = field(default_factory=list)
    groups: dict[str, Pool] = field(default_factory=dict)
    draws: list[Draw] = field(default_factory=list)
    grammars: Mapping[str, Grammar] = field(default_factory=dict)
    words: dict[int, Words] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    greatest: int = -1

    def __post_init__(self) -> None:
        nothing = Known(Extent(0, 0), shape="nothing")
        self.registers = [nothing] * len(self.names)

    @property
    def inputs(self) -> int:
        """How many registers come before those of instructions."""
        return len(self.registers) - len(self.code)

    def parse(self, text: str) -> Expression:
        """The expression a text spells, with the task's numbers in the place of their names."""
        return bound(parse(text), self.numbers)

    # ------------------------------------------------------------ pools

    def pools(self) -> dict[str, Pool]:
        """The pools that the task declares."""
        found, first = dict[str, Pool](), self.numerals
        for name, count in self.symbols.items():
            found[name] = Pool(first, count)
            first += count
        return found

    def alphabet(self) -> tuple[str, ...]:
        """How ids are spelt."""
        numbers = map(str, range(self.numerals))
        pools = (f"{pool}{i}" for pool, count in self.symbols.items() for i in range(count))
        return (*numbers, *pools, *self.quoted, *self.added)

    def symbol(self, token: str) -> int:
        """The id of a token: quoted or of a pool it has one, a numeral is its number, any other is added."""
        if token in self.quoted:
            return self.numerals + sum(self.symbols.values()) + self.quoted.index(token)
        for name, pool in self.pools().items():
            place = token.removeprefix(name)
            if token.startswith(name) and NUMERAL.fullmatch(place) and int(place) < pool.count:
                return pool.first + int(place)
        if NUMERAL.fullmatch(token):
            self.greatest = max(self.greatest, int(token))
            return int(token)
        return self.added.setdefault(token, self._behind())

    def _behind(self) -> int:
        """The first id that nothing has yet."""
        return self.numerals + sum(self.symbols.values()) + len(self.quoted) + len(self.added)

    def is_pool(self, node: Expression) -> bool:
        """Whether this names what symbols are drawn from, not a word: what means nothing is taken for it."""
        named = node.function.text if isinstance(node, Call) else node.text if isinstance(node, Name) else ""
        return named in self.symbols or (named not in self.names and named not in functions())

    def pool(self, node: Expression) -> Pool:
        """What a draw is from: a pool's name, ``range(0, 5)``, ``group('S5')``."""
        match node:
            case Name(text=text) if text in self.symbols:
                return self.pools()[text]
            case Call(
                function=Name(text="range"), arguments=(Number(value=int(low)), Number(value=int(high)))
            ):
                if low >= high:
                    raise ExpressionError(f"no number is at least {low} and under {high}", node.at, 5)
                return Pool(low, high - low, "number")
            case Call(function=Name(text="group"), arguments=(Text(value=name, at=at),)):
                return self._group(name, at)
        raise meant(
            node,
            (*self.symbols, "range", "group"),
            "pool of symbols",
            "declare it in `symbols`, or draw it before",
        )

    def _group(self, name: str, at: int) -> Pool:
        spelt = name.replace(" ", "")
        if spelt not in self.groups:
            try:
                elements = spellings(name)
            except ValueError as fault:
                raise ExpressionError(str(fault), at, len(name) + 2) from None
            self.groups[spelt] = Pool(self._behind(), len(elements), group=name)
            for element in elements:
                self.added[f"{spelt}[{element}]"] = self._behind()
        return self.groups[spelt]

    # ------------------------------------------------------------ expressions

    def value(self, node: Expression) -> int:
        """The register that holds the value of a node."""
        match node:
            case Number(value=int(number)):
                return self.add(
                    Instruction(function="number", number=number),
                    Known(Extent(1, 1, number, number), "word", "number"),
                )
            case Name(text=text) if (
                self.registers[self.names.get(text, 0)].shape != "nothing" and text in self.names
            ):
                return self.names[text]
            case Text(value=text, at=at) if text in self.quoted:
                if text.split() != [text]:
                    one = "_".join(text.split()) or "."
                    raise ExpressionError("what stands in quotes is one token", at, len(text) + 2, f"'{one}'")
                id = self.symbol(text)
                return self.add(Instruction(function="number", number=id), Known(Extent(1, 1, id, id)))
            case Name() | Number() | Text():
                drawn = tuple(name for name, r in self.names.items() if self.registers[r].shape != "nothing")
                shown = [name for name in drawn if name.strip()]
                late = not shown or (isinstance(node, Name) and node.text in self.names)
                order = "inputs are named in `input`, in the order they are drawn"
                raise meant(node, drawn, "input", order if late else f"there are {', '.join(shown)}")
        return self._call(node)

    def _call(self, node: Call, hole: int | None = None) -> int:
        """A function of its arguments; of the value in `hole` besides, inside map(...)."""
        if node.named and node.function.text in functions():
            name = node.named[0][0]
            raise ExpressionError(f"{node.function.text} takes no {name.text!r}", name.at, len(name.text))
        if node.function.text == "map":
            return self._map(node, hole)
        if node.function.text in ("scan", "fold"):
            return self._over(node, hole)
        function = word_functions().get(node.function.text)
        if function is None:
            help = "`procdsl kinds` lists them; what is drawn has a name of its own, in `let` or `input`"
            raise meant(node.function, functions(), "word function", help)
        arguments = self._arguments(node, hole)
        self._check(node, function, arguments)
        if function.signs:
            # Ids under 10 are digits to it, and nothing else.
            self.greatest = max(self.greatest, 9)
            known = {*self.quoted, *self.added}
            arguments.append(
                self.constants([self.symbol(sign) if sign in known else -1 for sign in function.signs])
            )
        return self.apply(function, arguments, node.at)

    def _arguments(self, node: Call, hole: int | None) -> list[int]:
        if hole is None:
            return [self.value(argument) for argument in node.arguments]
        if node.piped:
            return [self._step(node.arguments[0], hole), *map(self.value, node.arguments[1:])]
        return [hole, *map(self.value, node.arguments)]

    def _step(self, node: Expression, hole: int) -> int:
        """A function, or several joined by pipes, of the value in a register."""
        if isinstance(node, Name):
            return self._call(Call(node, ()), hole)
        if isinstance(node, Call):
            return self._call(node, hole)
        raise ExpressionError("a function is missing here, as in map(sort)", node.at)

    def apply(self, function: WordFunction, arguments: list[int], at: int = 0) -> int:
        """The register of a function's value; what it can hold follows from its arguments."""
        known = [self.registers[a] for a in arguments]
        extent = function.bounds(*(one.extent for one in known))
        found = result(function, known, extent)
        longest = extent.most * {"mapping": 2, "words": 3}.get(found.shape, 1)
        if longest > ROOM or extent.high > GREATEST:
            raise ExpressionError(
                f"the value of {function.name} can be {longest:,} long, and up to {extent.high:,}", at
            )
        group = known[0].pool.group if function.result == "elements" and known[0].pool else ""
        return self.add(
            Instruction(
                function=function.name,
                arguments=tuple(arguments),
                number=known[0].pool.first if group and known[0].pool else 0,
                longest=longest,
                group=group,
            ),
            found,
        )

    def constants(self, ids: Sequence[int]) -> int:
        """A register that always holds these ids."""
        held = [self.value(Number(id, 0)) for id in ids]
        return self.apply(word_functions()["concat"], held)

    def add(self, instruction: Instruction, known: Known) -> int:
        self.code.append(instruction)
        self.registers.append(known)
        return len(self.registers) - 1

    def _over(self, node: Call, hole: int | None) -> int:
        """``scan(compose)``, ``fold(add)``: the value up to each symbol, or of all of them."""
        table = _SCANS if node.function.text == "scan" else _FOLDS
        *words, by = node.arguments or [Name("", node.at)]
        if not isinstance(by, Name) or by.text not in table or len(words) != (hole is None or node.piped):
            known = ", ".join(table)
            raise ExpressionError(f"{node.function.text} takes one of {known}", by.at, 1)
        return self._call(replace(node, function=Name(table[by.text], node.at), arguments=tuple(words)), hole)

    def _map(self, node: Call, hole: int | None) -> int:
        """What a function makes of each word of a word of words, or of each symbol of a word."""
        if len(node.arguments) != (2 if hole is None or node.piped else 1):
            raise ExpressionError("map takes one function, as in map(sort)", node.at, 3)
        outer = replace(node, function=Name("identity", node.at), arguments=node.arguments[:-1])
        source = self._arguments(outer, hole)[0]
        of = self.registers[source]
        if of.shape not in ("word", "words"):
            raise ExpressionError(f"map goes through words, not {of}", node.at, 3)
        nested = of.shape == "words"
        inner = Extent(*of.extent.inner, *of.extent[2:4]) if nested else of.extent._replace(least=1, most=1)
        place = len(self.code)
        item = self.add(
            Instruction(function="each_word" if nested else "each_symbol", arguments=(source,), longest=0),
            replace(of, shape="word", extent=inner),
        )
        last = self._step(node.arguments[-1], item)
        return self._collect(place, source, item, last, node.at)

    def _collect(self, place: int, source: int, item: int, last: int, at: int) -> int:
        of, made = self.registers[source].extent, self.registers[last]
        if made.shape != "word":
            raise ExpressionError(f"map makes words of words, not of {made}", at, 3)
        self.code[place] = self.code[place].model_copy(update={"number": len(self.registers)})
        words = not made.one
        inner = (made.extent.least, made.extent.most)
        extent = Extent(of.least, of.most, made.extent.low, made.extent.high, inner if words else (0, 0))
        longest = of.most * (1 + made.extent.most) if words else of.most
        if longest > ROOM:
            raise ExpressionError(f"the value of map can be {longest:,} long", at, 3)
        collect = Instruction(
            function="collect_words" if words else "collect_symbols",
            arguments=(last, source),
            number=item,
            longest=longest,
            room=of.most,
        )
        return self.add(collect, replace(made, shape="words" if words else "word", extent=extent))

    def _check(self, node: Call, function: WordFunction, arguments: list[int]) -> None:
        wanted = list(function.parameters)
        if function.repeats:
            wanted += [wanted[-1]] * (len(arguments) - len(wanted))
        width = len(function.name)
        if len(wanted) != len(arguments):
            counted = f"takes {len(wanted)} arguments, not {len(arguments)}"
            raise ExpressionError(f"{node.function.text} {counted}", node.at, width, function.signature)
        ats = [argument.at for argument in node.arguments]
        ats = [node.at] * (len(wanted) - len(ats)) + ats
        sort: Known | None = None
        for place, (type, register) in enumerate(zip(wanted, arguments, strict=True), 1):
            known = self.registers[register]
            if not fits(type, known):
                found = f"argument {place} of {node.function.text} is {known}, not {TYPES[type]}"
                raise ExpressionError(found, ats[place - 1], 1, function.signature)
            if type in SORTED:
                sort = sort or known
                lists = type == "list" and (sort.shape == "words") != (known.shape == "words")
                if sort.element != known.element or lists:
                    found = f"argument {place} of {node.function.text} is {known}, the first is {sort}"
                    raise ExpressionError(found, ats[place - 1], 1, function.signature)


def functions() -> tuple[str, ...]:
    """What stands before a parenthesis in an expression."""
    return (*word_functions(), "map", "scan", "fold")


def meant(node: Expression, known: tuple[str, ...], noun: str, help: str) -> ExpressionError:
    """What to say of a name that means nothing here."""
    if isinstance(node, Number | Text):
        return ExpressionError(f"a {type(node).__name__.lower()} is no {noun}", node.at, 1, help)
    text = node.text if isinstance(node, Name) else node.function.text
    near = get_close_matches(text, known, 1)
    return ExpressionError(
        f"{text} is no {noun}", node.at, len(text), f"did you mean {near[0]}?" if near else help
    )

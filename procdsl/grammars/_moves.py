"""The instructions of machines, from a line of text to a move; faults at their characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, NamedTuple

from procdsl.grammars._expressions import ExpressionError
from procdsl.grammars._formulas import formula
from procdsl.grammars._known import Known, Pool
from procdsl.grammars.words import Extent
from procdsl.programs.machine import Move, Taken
from procdsl.programs.task import Formula

Kind = Literal["stack", "queue", "set", "counter", "register", "map"]
# What each memory does, and with how many symbols.
_VERBS: Mapping[str, Mapping[str, int]] = {
    "stack": {"push": 1, "pop": 0, "remove": 1},
    "queue": {"push": 1, "pop": 0, "remove": 1},
    "set": {"push": 1, "pop": 0, "remove": 1},
    "counter": {"add": 0},
    "register": {"set": 1, "pop": 0, "swap": 1},
    "map": {"put": 2, "remove": 1},
}
_LINE = re.compile(
    r"\s*(?P<name>[a-z_]\w*)(?P<symbols>(?:\s+[a-z]\w*)*)\s*:\s*"
    r"(?:(?P<none>pass)|(?P<memory>\w+)\s*(?:\.(?P<does>push|pop|remove|set|swap|put)\((?P<operands>[\w\s,]*)\)|"
    r"(?P<sign>[+-])=\s*(?P<amount>\d{1,9})))\s*"
    r"(?:\[(?P<weight>[^\]]*)\])?\s*(?:for\s+(?P<taken>\w+\s+in\s+\w+(?:\s*,\s*\w+\s+in\s+\w+)*))?\s*"
    r"(?:if\s+(?P<guard>.*?))?\s*",
    re.ASCII,
)
_MEMBER = re.compile(r"\s*(\w+)\s+(not\s+)?in\s+(\w+)\s*", re.ASCII)


class Instruction(NamedTuple):
    """A line of the instructions: its name, the symbols it names, and what it does."""

    name: str
    symbols: tuple[str, ...]
    move: Move


@dataclass
class Reading:
    """Reads lines; a token counts among the `literals`, which grow, each once."""

    memory: Mapping[str, Kind]
    pools: Mapping[str, Pool]
    encode: Mapping[str, str]
    literals: list[str] = field(default_factory=list)

    def instruction(self, at: int, line: str) -> Instruction:
        """The instruction on a line that begins at a place of the text. ExpressionError if it is none."""
        match = _LINE.fullmatch(line)
        if match is None:
            message = "an instruction is: name symbol : s.push(x) [weight] for x in pool if guard"
            raise ExpressionError(message, at + len(line) - len(line.lstrip()), len(line.strip()))
        symbols = tuple(match["symbols"].split())
        does, memory, operands = self._does(match, at, symbols)
        guard, takes = self._guarded(match, at, symbols, self._pools(match, at, symbols))
        weighed = match["weight"]
        weight: Formula = formula(weighed, [*self.memory], at + match.start("weight")) if weighed else ()
        first = takes[0] if takes else None
        move = Move(
            token=self._token(match["name"], symbols, at),
            first=first.first if first else 0,
            count=first.count if first else 0,
            inside=first.inside if first else (),
            outside=first.outside if first else (),
            guard=guard,
            weight=weight,
            does=does,
            memory=memory,
            amount=int(match["amount"] or 0) * (-1 if match["sign"] == "-" else 1),
            more=tuple(takes[1:]),
            operands=operands or (0,),
        )
        return Instruction(match["name"], symbols, move)

    def _does(
        self, match: re.Match[str], at: int, symbols: Sequence[str]
    ) -> tuple[str, int, tuple[int, ...]]:
        """What is done, with which memory, and the places of what it is done with."""
        if match["none"]:
            return "pass", 0, ()
        name, does = match["memory"], match["does"] or "add"
        start = at + match.start("memory")
        if name not in self.memory:
            raise ExpressionError(f"{name} is no memory", start, len(name), near(name, self.memory))
        verbs = _VERBS[self.memory[name]]
        operands = [one.strip() for one in (match["operands"] or "").split(",")] if match["operands"] else []
        if verbs.get(does) != len(operands):
            help = f"it does {', '.join(map(_shown, verbs.items()))}"
            raise ExpressionError(f"a {self.memory[name]} cannot do this", start, len(name), help)
        place = [*self.memory].index(name)
        return does, place, tuple(self._operand(one, match, at, symbols) for one in operands)

    def _operand(self, name: str, match: re.Match[str], at: int, symbols: Sequence[str]) -> int:
        """The place of a symbol among those taken, or that of a register below -1."""
        if name in symbols and match["does"] != "swap":
            return symbols.index(name)
        if self.memory.get(name) == "register":
            return -1 - [*self.memory].index(name)
        wanted = (
            "register" if match["does"] == "swap" else "symbol that this instruction takes, nor a register"
        )
        raise ExpressionError(
            f"{name or 'nothing'} is no {wanted}", at + match.start("operands"), max(len(name), 1)
        )

    def _pools(self, match: re.Match[str], at: int, symbols: Sequence[str]) -> list[Pool]:
        """The pool of each symbol, in their order."""
        start = at + match.start("name")
        said = [one.split() for one in (match["taken"] or "").split(",") if one]
        names = {name: pool for name, _, pool in said}
        for pool in names.values():
            if pool not in self.pools:
                place = at + match.start("taken") + match["taken"].index(pool)
                raise ExpressionError(
                    f"{pool} is no pool of symbols", place, len(pool), near(pool, self.pools)
                )
        for name in (*symbols, *names):
            if name not in names or name not in symbols:
                raise ExpressionError(f"nothing says what {name} is: for {name} in pool", start)
        if len(said) != len(symbols) or len(names) != len(symbols):
            raise ExpressionError("each symbol is named once, and is in one pool", start)
        return [self.pools[names[name]] for name in symbols]

    def _guarded(
        self, match: re.Match[str], at: int, symbols: Sequence[str], pools: Sequence[Pool]
    ) -> tuple[Formula, list[Taken]]:
        """The part of the guard that is a formula, and the symbols with the memories that they ask for."""
        rest, memories = list[str](), [*self.memory]
        asked: list[tuple[list[int], list[int]]] = [([], []) for _ in symbols]
        for part in (match["guard"] or "").split(" and "):
            member = _MEMBER.fullmatch(part)
            if member and member[1] in symbols and member[3] in memories:
                if self.memory[member[3]] == "counter":
                    place = at + match.start("guard")
                    raise ExpressionError(f"{member[3]} is a counter: it holds no symbols", place)
                asked[symbols.index(member[1])][bool(member[2])].append(memories.index(member[3]))
            elif part.strip():
                rest.append(part)
        made = formula(" and ".join(rest), memories, at + match.start("guard")) if rest else ()
        return made, [
            Taken(first=pool.first, count=pool.count, inside=tuple(inside), outside=tuple(outside))
            for pool, (inside, outside) in zip(pools, asked, strict=True)
        ]

    def _token(self, name: str, symbols: Sequence[str], at: int) -> int | None:
        """The place among the literals of what an instruction writes before its symbols."""
        marked = [f"{{{symbol}}}" for symbol in symbols]
        text = self.encode.get(name, " ".join((name, *marked)))
        parts = text.split()
        before = parts[: len(parts) - len(marked)]
        if parts[len(before) :] != marked or len(before) > 1 or not parts:
            wanted = "a token, its symbol in braces, or both in this order"
            if len(symbols) > 1:
                wanted = f"a token, {' '.join(marked)}, or both in this order"
            raise ExpressionError(f"{name} is written {text!r}: {wanted}", at)
        if not before:
            return None
        if before[0] not in self.literals:
            self.literals.append(before[0])
        return self.literals.index(before[0])


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, each with its place."""
    at = 0
    for line in text.split("\n"):
        if line.strip() and not line.strip().startswith("#"):
            yield at, line.rstrip()
        at += len(line) + 1


def near(name: str, known: Iterable[str]) -> str:
    """What to say where a name means nothing here."""
    found = get_close_matches(name, [*known], 1)
    return f"did you mean {found[0]}?" if found else f"there are {', '.join(known)}"


def _shown(verb: tuple[str, int]) -> str:
    name, operands = verb
    return "+= 1, -= 1" if name == "add" else f"{name}({', '.join('xyz'[:operands])})"


# ---------------------------------------------------------------- what memories come to hold


def known(kinds: Sequence[Kind], moves: Sequence[Move], steps: int) -> list[Known]:
    """What is known of each memory after at most so many steps."""
    found = _spans(kinds, moves)
    return [_known(kind, place, found, moves, steps) for place, kind in enumerate(kinds)]


def _known(
    kind: Kind,
    place: int,
    found: Mapping[tuple[int, int], tuple[int, int]],
    moves: Sequence[Move],
    steps: int,
) -> Known:
    low, high = found.get((place, 0), (0, 0))
    match kind:
        case "counter":
            most = max((m.amount for m in moves if m.memory == place and m.does == "add"), default=1)
            return Known(Extent(1, 1, 0, max(most, 1) * steps), "word", "number")
        case "register":
            return Known(Extent(0, 1, low, high))
        case "map":
            most = min(steps, high - low + 1)
            return Known(Extent(0, most, low, high, found.get((place, 1), (0, 0))), "mapping")
    return Known(Extent(0, steps, low, high))


def _spans(kinds: Sequence[Kind], moves: Sequence[Move]) -> dict[tuple[int, int], tuple[int, int]]:
    """First and last id that get into a memory; of a map as keys (0) and as values (1)."""
    found = dict[tuple[int, int], tuple[int, int]]()
    before = None
    while before != found:
        before = dict(found)
        for move in moves:
            for into, span in _flows(move, found):
                old = found.get(into, span)
                found[into] = min(old[0], span[0]), max(old[1], span[1])
    return found


def _flows(
    move: Move, found: Mapping[tuple[int, int], tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """What a move puts where, by what registers are known to hold."""
    if move.does not in ("push", "set", "put", "swap"):
        return
    for part, operand in enumerate(move.operands):
        if operand >= 0:
            taken = move.takes[operand]
            yield (move.memory, part), (taken.first, taken.first + taken.count - 1)
        elif span := found.get((-1 - operand, 0)):
            yield (move.memory, part), span
        if move.does == "swap" and (span := found.get((move.memory, 0))):
            yield (-1 - operand, 0), span

"""From a task as it is written to registers, instructions and pieces; all its faults at their places."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from procdsl.grammars._expressions import Call, Expression, ExpressionError, Name, Number, parse
from procdsl.grammars._lengths import UniformLength, law
from procdsl.grammars.words import Bounds, Type, WordFunction, word_functions
from procdsl.programs import LONGEST, Draw, Instruction

_DRAWS = ("uniform", "permutation")


@dataclass(frozen=True)
class Register:
    """What is known of a value before it is there: its type, and its length (of a number: its value)."""

    type: Type
    bounds: Bounds


def draw(text: str, pools: dict[str, tuple[int, int]]) -> Draw:
    """A random input: ``uniform(pool, length=64)``, ``permutation(pool)``. ExpressionError otherwise."""
    call = parse(text)
    if not isinstance(call, Call) or call.function.text not in _DRAWS:
        raise _meant(call, _DRAWS, "way to draw an input", 'as in "uniform(sym, length=8)"')
    if len(call.arguments) != 1 or not isinstance(call.arguments[0], Name):
        raise ExpressionError(f"{call.function.text} draws from one pool", call.at, len(call.function.text))
    pool = call.arguments[0]
    if pool.text not in pools:
        raise _meant(pool, tuple(pools), "pool of symbols", "pools are declared in `symbols`")
    first, count = pools[pool.text]
    kind: Any = call.function.text
    lengths = law(_length(call, count if kind == "permutation" else None), None)
    if kind == "permutation" and lengths.values[-1] > count:
        raise ExpressionError(
            f"no {lengths.values[-1]} of {count} symbols are all different", pool.at, len(pool.text)
        )
    return Draw(kind=kind, first=first, count=count, lengths=lengths)


def lower(text: str, inputs: dict[str, Register]) -> tuple[list[Instruction], list[Register]]:
    """The instructions of an expression over inputs in registers 0, 1, …, and what all registers hold."""
    lowering = _Lowering(inputs)
    last = lowering.value(parse(text))
    if last != len(lowering.registers) - 1 or not lowering.code:
        lowering.apply(word_functions()["identity"], [last])
    if lowering.registers[-1].type != "word":
        raise ExpressionError("the output is a number, not a word", 0, len(text))
    return lowering.code, lowering.registers


class _Lowering:
    """Appends an instruction for every node of an expression, arguments first."""

    def __init__(self, inputs: dict[str, Register]) -> None:
        self.names = {name: place for place, name in enumerate(inputs)}
        self.registers = list(inputs.values())
        self.code = list[Instruction]()

    def value(self, node: Expression) -> int:
        """The register that holds the value of a node."""
        if isinstance(node, Number):
            self.code.append(Instruction(function="number", number=node.value))
            self.registers.append(Register("number", (node.value, node.value)))
            return len(self.registers) - 1
        if isinstance(node, Name):
            if node.text not in self.names:
                raise _meant(node, tuple(self.names), "input", "inputs are named in `input`")
            return self.names[node.text]
        function = word_functions().get(node.function.text)
        if function is None:
            raise _meant(
                node.function, tuple(word_functions()), "word function", "`procdsl kinds` lists them"
            )
        if node.named:
            name = node.named[0][0]
            raise ExpressionError(f"{function.name} takes no {name.text!r}", name.at, len(name.text))
        arguments = [self.value(argument) for argument in node.arguments]
        self._check(node, function, arguments)
        return self.apply(function, arguments)

    def apply(self, function: WordFunction, arguments: list[int]) -> int:
        bounds = function.bounds(*(self.registers[a].bounds for a in arguments))
        longest = bounds[1] if function.result == "word" else 1
        self.code.append(Instruction(function=function.name, arguments=tuple(arguments), longest=longest))
        self.registers.append(Register(function.result, bounds))
        return len(self.registers) - 1

    def _check(self, node: Call, function: WordFunction, arguments: list[int]) -> None:
        wanted = list(function.parameters)
        if function.repeats:
            wanted += [wanted[-1]] * (len(arguments) - len(wanted))
        width = len(function.name)
        if len(wanted) != len(arguments):
            counted = f"takes {len(wanted)} arguments, not {len(arguments)}"
            raise ExpressionError(f"{function.name} {counted}", node.at, width, _signature(function))
        for place, (type, register) in enumerate(zip(wanted, arguments, strict=True), 1):
            if self.registers[register].type != type:
                found = (
                    f"argument {place} of {function.name} is a {self.registers[register].type}, not a {type}"
                )
                raise ExpressionError(found, node.arguments[place - 1].at, 1, _signature(function))


def _length(call: Call, default: int | None) -> Any:
    """What ``length=`` says: a number, or ``uniform(a, b)``."""
    named = {name.text: (name, value) for name, value in call.named}
    value = named.pop("length")[1] if "length" in named else None
    if named:
        name = next(iter(named.values()))[0]
        raise ExpressionError(f"{call.function.text} takes no {name.text!r}", name.at, len(name.text))
    if value is None and default is not None:
        return default
    if isinstance(value, Number) and 1 <= value.value <= LONGEST:
        return value.value
    if isinstance(value, Call) and value.function.text == "uniform" and len(value.arguments) == 2:
        match value.arguments:
            case (Number(value=least), Number(value=most)) if 1 <= least <= most <= LONGEST:
                return UniformLength(uniform=(least, most))
    at = value.at if value else call.at
    raise ExpressionError(f"a length is 1 to {LONGEST:,}: length=8, length=uniform(1, 8)", at)


def _signature(function: WordFunction) -> str:
    dots = "..." if function.repeats else ""
    return f"{function.name} : {', '.join(function.parameters)}{dots} -> {function.result}"


def _meant(node: Expression, known: tuple[str, ...], noun: str, help: str) -> ExpressionError:
    text = (
        node.text if isinstance(node, Name) else node.function.text if isinstance(node, Call) else "a number"
    )
    near = get_close_matches(text, known, 1)
    return ExpressionError(
        f"{text} is no {noun}", node.at, len(text), f"did you mean {near[0]}?" if near else help
    )

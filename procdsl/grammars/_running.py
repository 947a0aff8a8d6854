"""Instructions of tasks, carried out in plain Python: what they mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from procdsl.grammars._formulas import evaluate
from procdsl.grammars.words import word_functions
from procdsl.groups import products
from procdsl.programs.task import Draw, Instruction

Registers = list[Any]
# Draws that are made of a register.
OF = frozenset({"choice", "part", "among", "shuffle"})


def hidden(
    draws: Sequence[Draw], code: Sequence[Instruction], register: int, known: Collection[int]
) -> frozenset[int]:
    """The draws that a register's value hangs on besides the registers that are known."""
    found = dict.fromkeys(known, frozenset[int]())

    def of(register: int) -> frozenset[int]:
        if register not in found:
            draw = draws[register] if register < len(draws) else None
            own = frozenset() if draw is None else frozenset({register})
            needs = () if draw else code[register - len(draws)].arguments
            needs = (draw.of,) if draw and draw.kind in OF else needs
            found[register] = own.union(*map(of, needs))
        return found[register]

    return of(register)


def told(draws: Sequence[Draw], code: Sequence[Instruction], register: int) -> set[int]:
    """The registers that have the value of this one."""
    if register < len(draws) or code[register - len(draws)].function != "identity":
        return {register}
    return {register, code[register - len(draws)].arguments[0]}


def settle(code: Sequence[Instruction], values: Registers, *, register: int | None = None) -> None:
    """Fills the registers that follow from those that are filled; or this one again, if it does."""
    draws, at = len(values) - len(code), 0
    while at < len(code):
        end = code[at].number - draws + 1 if code[at].function.startswith("each") else at + 1
        here = range(draws + at, draws + end)
        needs = {a for one in code[at:end] for a in one.arguments if a not in here}
        asked = values[here[-1]] is None if register is None else register == here[-1]
        if asked and all(values[need] is not None for need in needs):
            run(code, values, at, end)
        at = end


def run(code: Sequence[Instruction], values: Registers, start: int = 0, stop: int | None = None) -> None:
    """Carries out instructions start .. stop - 1 on the registers: the draws', then one an instruction."""
    draws, at = len(values) - len(code), start
    turns = dict[int, int]()
    while at < (len(code) if stop is None else stop):
        one, register = code[at], draws + at
        if one.function.startswith("each"):
            values[one.number], turns[register] = [], 0
            items = values[one.arguments[0]]
            if items:
                values[register] = _item(one.function, items[0])
            else:
                at = one.number - draws
        elif one.function.startswith("collect"):
            result, source = (values[a] for a in one.arguments)
            each = one.number
            values[register] += [result] if one.function == "collect_words" else result
            turns[each] += 1
            if turns[each] < len(source):
                values[each] = _item(code[each - draws].function, source[turns[each]])
                at = each - draws
        else:
            values[register] = _value(one, [values[a] for a in one.arguments])
        at += 1


def _item(function: str, item: Any) -> list[int]:
    return item if function == "each_word" else [item]


def _value(one: Instruction, arguments: list[Any]) -> Any:
    if one.function == "number":
        return [one.number]
    if one.formula:
        return [int(evaluate(one.formula, 0, 0, [argument[0] for argument in arguments]))]
    function = word_functions()[one.function]
    if not one.group:
        return function(*arguments)
    elements = [symbol - one.number for symbol in arguments[0]]
    return [one.number + element for element in function(elements, products(one.group))]

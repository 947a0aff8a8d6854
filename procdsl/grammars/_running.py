"""Instructions of tasks, carried out in plain Python: what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from procdsl.grammars.words import word_functions
from procdsl.groups import products
from procdsl.programs import Instruction

Registers = list[Any]


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
    function = word_functions()[one.function]
    if not one.group:
        return function(*arguments)
    elements = [symbol - one.number for symbol in arguments[0]]
    return [one.number + element for element in function(elements, products(one.group))]

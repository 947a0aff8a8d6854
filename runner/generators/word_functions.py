"""Word functions on arrays: the kernels of `procdsl.grammars.words`, under the same names.

Each takes the registers of its arguments and where to write, and returns the length of its value. A number
is a word of one. `apply` chooses by place in `NAMES`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from runner.generators.compiling import kernel

NAMES = ("number", "identity", "reverse", "sort", "unique", "concat", "take", "drop")


class Registers(NamedTuple):
    """Values in `memory` (int64), each from its `first` on, `length` long. `seen`: marks by id."""

    memory: Any
    first: Any
    length: Any
    seen: Any


@kernel
def value(registers, register):
    """The word in a register."""
    first = registers.first[register]
    return registers.memory[first : first + registers.length[register]]


@kernel
def apply(function, number, registers, arguments, out):
    """Applies the function to the arguments' registers, writes to `out`, and says how long that is."""
    if function == 0:
        out[0] = number
        return 1
    word = value(registers, arguments[0])
    if function == 1:
        out[: word.size] = word
        return word.size
    if function == 2:
        out[: word.size] = word[::-1]
        return word.size
    if function == 3:
        return _sort(word, out)
    if function == 4:
        return _unique(word, registers.seen, out)
    if function == 5:
        return _concat(registers, arguments, out)
    if function == 6:
        size = min(word.size, value(registers, arguments[1])[0])
        out[:size] = word[:size]
        return size
    count = min(word.size, value(registers, arguments[1])[0])
    out[: word.size - count] = word[count:]
    return word.size - count


@kernel
def _sort(word, out):
    """By insertion while that is quickest."""
    if word.size > 64:
        out[: word.size] = np.sort(word)
        return word.size
    for place in range(word.size):
        symbol, at = word[place], place
        while at > 0 and out[at - 1] > symbol:
            out[at] = out[at - 1]
            at -= 1
        out[at] = symbol
    return word.size


@kernel
def _unique(word, seen, out):
    size = 0
    for symbol in word:
        if not seen[symbol]:
            seen[symbol] = True
            out[size] = symbol
            size += 1
    for symbol in word:
        seen[symbol] = False
    return size


@kernel
def _concat(registers, arguments, out):
    size = 0
    for argument in arguments:
        word = value(registers, argument)
        out[size : size + word.size] = word
        size += word.size
    return size

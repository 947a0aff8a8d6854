"""Word functions on arrays: the kernels of `procdsl.grammars.words`, under the same names.

Each takes its arguments' words and where to write, and returns the length of its value. A number is a word
of one; a word of words is a word of handles, each of which says where in the memory a word lies. `apply`
chooses by place in `NAMES`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from runner.generators import word_comparisons as comparing
from runner.generators import word_numbers as numbers
from runner.generators.compiling import inlined, kernel

# fmt: off
SEQUENCES = (
    "identity", "reverse", "concat", "take", "drop", "rotate", "repeat", "duplicate", "interleave",
    "odds_first", "every_other", "permute", "first", "last", "nth", "chunk", "zip", "flatten",
    "longest_word", "keys", "values", "lookup", "substitute", "length", "cut", "split", "words", "places",
    "put", "pick", "rewrite", "holding",
)
COMPARING = (
    "sort", "unique", "union", "intersect", "difference", "filter", "dedup_runs", "run_length",
    "delete_first", "delete_all", "replace", "search", "delete_part", "count", "majority", "max", "min",
    "compare", "shortest_path", "sort_by", "find", "delete_parts",
)
NUMBERS = (
    "number", "sum", "prefix_sums", "mod", "parity", "plus", "minus", "times", "digits", "add",
    "subtract", "multiply", "scan_compose", "fold_compose", "inverse", "value",
)
# fmt: on
NAMES = (*SEQUENCES, *COMPARING, *NUMBERS)
LOOPS = ("each_word", "each_symbol", "collect_words", "collect_symbols")
_LONGEST = 24
_BEHIND_SEQUENCES, _BEHIND_COMPARING = len(SEQUENCES), len(SEQUENCES) + len(COMPARING)


class Registers(NamedTuple):
    """Values in `memory` (int64), each from its `first` on, `length` long.

    `marks`: a number for each id, 0 but while a function uses them. `turn`: how often a loop has gone round.
    `groups`: the products of groups.
    """

    memory: Any
    first: Any
    length: Any
    marks: Any
    turn: Any
    groups: Any


@inlined
def value(registers, register):
    """The word in a register."""
    first = registers.first[register]
    return registers.memory[first : first + registers.length[register]]


@inlined
def handle(first, length):
    """Where in the memory a word lies."""
    return first << _LONGEST | length


@inlined
def begins(held):
    """Where the word of a handle begins."""
    return held >> _LONGEST


@inlined
def size_of(held):
    """How long the word of a handle is."""
    return held & ((1 << _LONGEST) - 1)


@kernel
def apply(function, number, group, registers, arguments, at):
    """Applies a function to the arguments' registers, writes to the memory, and says how long that is."""
    out = registers.memory[at:]
    if function < _BEHIND_SEQUENCES:
        return _sequences(function, registers, arguments, out, at)
    a = registers.memory[:0]
    b, c = a, a
    if arguments.size > 0:
        a = value(registers, arguments[0])
    if arguments.size > 1:
        b = value(registers, arguments[1])
    if arguments.size > 2:
        c = value(registers, arguments[2])
    if function == _BEHIND_SEQUENCES + 2:
        return comparing.unique(out[: _concat(registers, arguments, out)], registers.marks, out)
    if function < _BEHIND_COMPARING:
        return comparing.apply(function - _BEHIND_SEQUENCES, a, b, c, registers.marks, out)
    return numbers.apply(function - _BEHIND_COMPARING, number, group, registers.groups, a, b, c, out)


@kernel
def copied(word, out):
    """One loop compiled once: slices assigned to slices are compiled at every place."""
    for place in range(word.size):
        out[place] = word[place]
    return word.size


@kernel
def _stepped(word, first, step, count, out):
    for place in range(count):
        out[place] = word[first + step * place]
    return count


@kernel
def _sequences(function, registers, arguments, out, at):
    a = value(registers, arguments[0])
    b = value(registers, arguments[1]) if arguments.size > 1 else a
    n = a.size
    if function == 0:
        return copied(a, out)
    if function == 1:
        return _stepped(a, n - 1, -1, n, out)
    if function == 2:
        return _concat(registers, arguments, out)
    if function == 3:
        return copied(a[: min(n, b[0])], out)
    if function == 4:
        return copied(a[min(n, b[0]) :], out)
    if function == 5:
        return _rotate(a, b[0], out)
    if function == 6:
        for place in range(n * b[0]):
            out[place] = a[place % n]
        return n * b[0]
    if function == 7:
        for place in range(n * b[0]):
            out[place] = a[place // b[0]]
        return n * b[0]
    if function == 8:
        return _interleave(a, b, out)
    if function == 9:
        half = _stepped(a, 0, 2, (n + 1) // 2, out)
        return half + _stepped(a, 1, 2, n // 2, out[half:])
    if function == 10:
        return _stepped(a, 0, 2, (n + 1) // 2, out)
    if function == 11:
        return _permute(a, b, out)
    if function == 12:
        return copied(a[:1], out)
    if function == 13:
        return copied(a[n - min(n, 1) :], out)
    if function == 14:
        return copied(a[b[0] : b[0] + 1] if b[0] < n else a[:0], out)
    if function == 15:
        return _chunk(registers.first[arguments[0]], n, max(b[0], 1), out)
    if function == 16:
        return _zip(a, b, out, at)
    if function == 17:
        return _flatten(registers.memory, a, out)
    if function == 18:
        return _longest_word(registers.memory, a, out)
    if function == 19:
        return _stepped(a, 0, 2, n // 2, out)
    if function == 20:
        return _stepped(a, 1, 2, n // 2, out)
    if function == 21:
        return _lookup(a, b, out)
    if function == 22:
        return _substitute(a, b, out)
    if function == 23:
        out[0] = n
        return 1
    return _of_words(function, registers, arguments, a, b, out)


@kernel
def _of_words(function, registers, arguments, a, b, out):
    first = registers.first[arguments[0]]
    if function == 24:
        return _cut(first, a.size, b, out)
    if function == 25:
        return _split(first, a, b[0], out)
    if function == 26:
        for place in range(arguments.size):
            out[place] = handle(registers.first[arguments[place]], registers.length[arguments[place]])
        return arguments.size
    if function == 27:
        for place in range(a.size):
            out[place] = place
        return a.size
    if function == 28:
        return _put(a, b, value(registers, arguments[2]), out)
    if function == 29:
        return _pick(registers, a, arguments, out)
    if function == 30:
        return _rewrite(registers.memory, a, b, value(registers, arguments[2]), out)
    return _holding(registers.memory, a, b, out)


@kernel
def _concat(registers, arguments, out):
    size = 0
    for argument in arguments:
        size += copied(value(registers, argument), out[size:])
    return size


@kernel
def _rotate(word, count, out):
    n = word.size
    cut = count % n if n else 0
    copied(word[:cut], out[n - cut :])
    copied(word[cut:], out)
    return n


@kernel
def _interleave(a, b, out):
    shorter, size = min(a.size, b.size), a.size + b.size
    for place in range(shorter):
        out[2 * place], out[2 * place + 1] = a[place], b[place]
    copied(a[shorter:] if a.size > shorter else b[shorter:], out[2 * shorter :])
    return size


@kernel
def _permute(word, order, out):
    size = 0
    for place in order:
        if place < word.size:
            out[size] = word[place]
            size += 1
    return size


@kernel
def _chunk(first, length, step, out):
    size = 0
    for at in range(0, length, step):
        out[size] = handle(first + at, min(step, length - at))
        size += 1
    return size


@kernel
def _zip(a, b, out, at):
    """Handles first, then what they point to."""
    size = min(a.size, b.size)
    for place in range(size):
        behind = size + 2 * place
        out[place] = handle(at + behind, 2)
        out[behind], out[behind + 1] = a[place], b[place]
    return size


@kernel
def _flatten(memory, words, out):
    size = 0
    for held in words:
        first = begins(held)
        size += copied(memory[first : first + size_of(held)], out[size:])
    return size


@kernel
def _longest_word(memory, words, out):
    first, length = 0, 0
    for held in words:
        if size_of(held) > length:
            first, length = begins(held), size_of(held)
    return copied(memory[first : first + length], out)


@kernel
def _place(mapping, symbol):
    """Where in the mapping the symbol's value stands, or -1."""
    for at in range(0, mapping.size, 2):
        if mapping[at] == symbol:
            return at + 1
    return -1


@kernel
def _lookup(mapping, asked, out):
    size = 0
    for symbol in asked:
        at = _place(mapping, symbol)
        if at >= 0:
            out[size] = mapping[at]
            size += 1
    return size


@kernel
def _substitute(word, mapping, out):
    for place in range(word.size):
        at = _place(mapping, word[place])
        out[place] = word[place] if at < 0 else mapping[at]
    return word.size


@kernel
def _cut(first, length, sizes, out):
    at = 0
    for place in range(sizes.size):
        # As slices do: nothing is left behind the end.
        out[place] = handle(first + min(at, length), max(min(sizes[place], length - at), 0))
        at += sizes[place]
    return sizes.size


@kernel
def _split(first, word, mark, out):
    size, begun = 0, 0
    for place in range(word.size):
        if word[place] == mark:
            out[size], begun = handle(first + begun, place - begun), place + 1
            size += 1
    if begun < word.size:
        out[size] = handle(first + begun, word.size - begun)
        size += 1
    return size


@kernel
def _put(word, places, new, out):
    copied(word, out)
    for turn in range(min(places.size, new.size)):
        if places[turn] < word.size:
            out[places[turn]] = new[turn]
    return word.size


@kernel
def _pick(registers, order, arguments, out):
    size = 0
    for place in range(order.size):
        if order[place] + 1 < arguments.size:
            word = value(registers, arguments[order[place] + 1])
            if place < word.size:
                out[size] = word[place]
                size += 1
    return size


@kernel
def _rewrite(memory, word, names, words, out):
    size = 0
    for symbol in word:
        at = 0
        while at < min(names.size, words.size) and names[at] != symbol:
            at += 1
        if at < min(names.size, words.size):
            first = begins(words[at])
            size += copied(memory[first : first + size_of(words[at])], out[size:])
        else:
            out[size] = symbol
            size += 1
    return size


@kernel
def _holding(memory, wanted, words, out):
    size = 0
    for held in words:
        first = begins(held)
        if comparing.meet(memory[first : first + size_of(held)], wanted):
            out[size] = held
            size += 1
    return size

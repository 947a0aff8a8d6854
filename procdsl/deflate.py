"""How small `gzip -9` makes something, to the byte: zlib's own choices, without zlib.

What is filtered by its size must be so on every machine, and zlib's forks choose otherwise. This counts
bits and writes none: repeats are found as zlib finds them (the longest, with one place of patience), codes
are built in its order of ties, and the cheapest of its three sorts of block is taken. Exact for one block, of
up to `MOST` bytes. Kernels compile these very lines; they allocate lists and nothing else.
"""

from __future__ import annotations

from typing import Any

# Behind so many symbols zlib begins another block.
MOST = 16_382
# The file's head and its checksum.
_AROUND = 18
_END, _LITERALS, _DISTANCES, _RUNS = 256, 286, 30, 19
_SHORTEST, _LONGEST = 3, 258
# Of level 9: a repeat of three is not looked at from further away; a good one ends the search earlier.
_TOO_FAR, _CHAIN, _GOOD = 4096, 4096, 32
# In what order the lengths of the lengths' own codes are written.
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def gzipped(data: Any) -> int:
    """The bytes that these bytes are, compressed.

    >>> gzipped([0] * 1440), gzipped(list(range(256)))
    (32, 279)
    """
    literals, distances = [0] * _LITERALS, [0] * _DISTANCES
    further = parsed(data, literals, distances)
    literals[_END] = 1
    fixed = further + 5 * sum(distances)
    for symbol in range(_LITERALS):
        fixed += literals[symbol] * (9 if 143 < symbol < 256 else 7 if 255 < symbol < 280 else 8)
    runs, symbols, places = [0] * _RUNS, [0] * _LITERALS, [0] * _DISTANCES
    count_runs(symbols, code_lengths(literals, 15, symbols), runs)
    count_runs(places, code_lengths(distances, 15, places), runs)
    own = further + 2 * runs[16] + 3 * runs[17] + 7 * runs[18]
    widths = [0] * _RUNS
    code_lengths(runs, 7, widths)
    for symbol in range(_LITERALS):
        own += literals[symbol] * symbols[symbol]
    for symbol in range(_DISTANCES):
        own += distances[symbol] * places[symbol]
    for symbol in range(_RUNS):
        own += runs[symbol] * widths[symbol]
    written = _RUNS
    while written > 4 and widths[_ORDER[written - 1]] == 0:
        written -= 1
    own += 14 + 3 * written
    coded = (min(own, fixed) + 3 + 7) // 8
    return _AROUND + (len(data) + 5 if len(data) + 4 <= coded else coded)


def parsed(data: Any, literals: list[int], distances: list[int]) -> int:
    """Counts literals and repeats' lengths, and distances, by their codes; the bits behind codes.

    A repeat waits for one place: if a longer one begins there, the first of its bytes is a literal.
    """
    size, further = len(data), 0
    heads, before = [0] * 32_768, [0] * len(data)
    length, start, waiting, at = _SHORTEST - 1, 0, False, 0
    while at < size:
        head = entered(data, at, heads, before) if at <= size - _SHORTEST else 0
        last, origin = length, start
        length = _SHORTEST - 1
        if head and last < _LONGEST:
            length, start = longest(data, before, head, at, last, start)
            if length == _SHORTEST and at - start > _TOO_FAR:
                length = _SHORTEST - 1
        if last >= _SHORTEST and length <= last:
            more, back, bits = last - _SHORTEST, at - origin - 2, 0
            while more >> bits >= 8:
                bits += 1
            if last == _LONGEST:
                literals[_LITERALS - 1] += 1
                bits = 0
            else:
                literals[_END + 1 + 4 * bits + (more >> bits)] += 1
            further += bits
            bits = 0
            while back >> bits >= 4:
                bits += 1
            distances[2 * bits + (back >> bits)] += 1
            further += bits
            for place in range(at + 1, min(at + last - 1, size - _SHORTEST + 1)):
                entered(data, place, heads, before)
            at += last - 1
            waiting, length = False, _SHORTEST - 1
        else:
            if waiting:
                literals[data[at - 1]] += 1
            waiting = True
            at += 1
    if waiting:
        literals[data[size - 1]] += 1
    return further


def entered(data: Any, at: int, heads: list[int], before: list[int]) -> int:
    """Enters a place under the hash of its three bytes; the last one before it (0, which is none, for 0)."""
    code = (int(data[at]) << 10 ^ int(data[at + 1]) << 5 ^ int(data[at + 2])) & 32_767
    head = heads[code]
    before[at], heads[code] = head, at
    return head


def longest(data: Any, before: list[int], head: int, at: int, last: int, start: int) -> tuple[int, int]:
    """The longest repeat that begins at a place, if longer than `last`, and where it stood, nearest first."""
    room = len(data) - at
    best, enough, chain = last, min(_LONGEST, room), _CHAIN // 4 if last >= _GOOD else _CHAIN
    while best < enough and head and chain:
        length = 0
        if data[head + best] == data[at + best]:
            while length < enough and data[head + length] == data[at + length]:
                length += 1
        if length > best:
            best, start = length, head
        head = before[head]
        chain -= 1
    return min(best, room), start


def code_lengths(weights: list[int], most: int, lengths: list[int]) -> int:
    """A Huffman code of at most so many bits, in zlib's order of ties; the symbols it goes up to.

    At least two symbols get a code, whether they occur or not.
    """
    size, held, last = len(weights), 0, -1
    heap, weight, depth, parent = [0] * (size + 2), [0] * 2 * size, [0] * 2 * size, [0] * 2 * size
    for symbol in range(size):
        weight[symbol] = weights[symbol]
        if weights[symbol]:
            held, last = held + 1, symbol
            heap[held] = symbol
    while held < 2:
        symbol = last + 1 if last < 2 else 0
        held, last, weight[symbol] = held + 1, max(last, symbol), 1
        heap[held] = symbol
    for place in range(held // 2, 0, -1):
        sift(heap, place, held, weight, depth)
    order, node = [0] * 2 * size, size
    while held > 1:
        one = heap[1]
        heap[1] = heap[held]
        held -= 1
        sift(heap, 1, held, weight, depth)
        other = heap[1]
        order[2 * (node - size)], order[2 * (node - size) + 1] = one, other
        weight[node] = weight[one] + weight[other]
        depth[node] = max(depth[one], depth[other]) + 1
        parent[one], parent[other], heap[1] = node, node, node
        node += 1
        sift(heap, 1, held, weight, depth)
    shorten(order, 2 * (node - size), parent, most, lengths)
    return last + 1


def sift(heap: list[int], place: int, held: int, weight: list[int], depth: list[int]) -> None:
    """Lets a node sink to where it is lighter, or as light and no deeper, than what hangs on it."""
    node, below = heap[place], 2 * place
    while below <= held:
        if below < held:
            one, other = heap[below + 1], heap[below]
            if weight[one] < weight[other] or (weight[one] == weight[other] and depth[one] <= depth[other]):
                below += 1
        child = heap[below]
        if weight[node] < weight[child] or (weight[node] == weight[child] and depth[node] <= depth[child]):
            break
        heap[place] = child
        place, below = below, 2 * below
    heap[place] = node


def shorten(order: list[int], count: int, parent: list[int], most: int, lengths: list[int]) -> None:
    """The lengths of codes, nodes in the order in which they were joined, none of them above `most`."""
    size, deep, counts, over = len(lengths), [0] * len(parent), [0] * (most + 1), 0
    for symbol in range(size):
        lengths[symbol] = 0
    for place in range(count - 1, -1, -1):
        node = order[place]
        deep[node] = deep[parent[node]] + 1
        if deep[node] > most:
            deep[node] = most
            over += 1
        if node < size:
            lengths[node] = deep[node]
            counts[deep[node]] += 1
    if over == 0:
        return
    while over > 0:
        bits = most - 1
        while counts[bits] == 0:
            bits -= 1
        counts[bits] -= 1
        counts[bits + 1] += 2
        counts[most] -= 1
        over -= 2
    place = 0
    for bits in range(most, 0, -1):
        left = counts[bits]
        while left:
            if order[place] < size:
                lengths[order[place]] = bits
                left -= 1
            place += 1


def count_runs(lengths: list[int], count: int, runs: list[int]) -> None:
    """Counts how code lengths are written: by themselves, 16 for a repeat, 17 and 18 for zeros."""
    last, length, at = -1, 0, 0
    while at < count:
        length, run = lengths[at], 1
        most = 138 if length == 0 else 6 if length == last else 7
        while run < most and at + run < count and lengths[at + run] == length:
            run += 1
        if run < (3 if length in (0, last) else 4):
            runs[length] += run
        elif length:
            runs[length] += length != last
            runs[16] += 1
        else:
            runs[17 if run <= 10 else 18] += 1
        last = length
        at += run


# What `gzipped` is made of, for those who compile it.
PARTS = (entered, longest, parsed, sift, shorten, code_lengths, count_runs)

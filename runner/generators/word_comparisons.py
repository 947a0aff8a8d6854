"""The word functions that compare symbols, on arrays."""

from __future__ import annotations

import numpy as np

from runner.generators.compiling import kernel


@kernel
def apply(function, a, b, c, seen, out):
    """The function at this place among `word_functions.COMPARING`; `union` is made by its caller."""
    if function == 0:
        return _sort(a, out)
    if function == 1:
        return unique(a, seen, out)
    if function in (3, 4):
        return unique(out[: _kept(a, b, function == 3, out)], seen, out)
    if function == 5:
        return _kept(a, b, True, out)
    if function == 6:
        return _dedup_runs(a, out)
    if function == 7:
        return _run_length(a, out)
    if function == 8:
        return _delete(a, _first(a, b), 1, out)
    if function == 9:
        return _kept(a, b, False, out)
    if function == 10:
        for place in range(a.size):
            out[place] = c[0] if a[place] == b[0] else a[place]
        return a.size
    if function == 11:
        out[0] = _first(a, b) < a.size or b.size == 0
        return 1
    if function == 12:
        return _delete(a, _first(a, b), b.size, out)
    if function == 13:
        out[0] = 0
        for symbol in a:
            out[0] += symbol == b[0]
        return 1
    if function == 14:
        return _majority(a, out)
    if function == 17:
        out[0] = _compare(a, b)
        return 1
    if function == 18:
        return _shortest_path(a, b[0], c[0], out)
    if function == 19:
        return _sort_by(a, b, out)
    if function == 20:
        out[0] = _first(a, b)
        return 1
    if function == 21:
        return _delete_parts(a, b, out)
    if a.size:
        out[0] = a.max() if function == 15 else a.min()
    return min(a.size, 1)


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
def unique(word, seen, out):
    """Marks where ids are few enough to be marked; numbers may be larger. `out` may be the word itself."""
    if word.size and word.max() >= seen.size:
        return _unique_of_any(word, out)
    size = 0
    for place in range(word.size):
        symbol = word[place]
        if not seen[symbol]:
            seen[symbol] = True
            out[size] = symbol
            size += 1
    for symbol in out[:size]:
        seen[symbol] = False
    return size


@kernel
def _unique_of_any(word, out):
    size = 0
    for place in range(word.size):
        symbol = word[place]
        if not _has(out[:size], symbol):
            out[size] = symbol
            size += 1
    return size


@kernel
def _has(word, symbol):
    for other in word:  # noqa: SIM110 - no generators in kernels
        if other == symbol:
            return True
    return False


@kernel
def meet(word, other):
    """Whether two words have a symbol in common."""
    for symbol in word:  # noqa: SIM110 - no generators in kernels
        if _has(other, symbol):
            return True
    return False


@kernel
def _sort_by(word, order, out):
    size = 0
    for place in range(order.size):
        if _has(order[:place], order[place]):
            continue
        for symbol in word:
            if symbol == order[place]:
                out[size] = symbol
                size += 1
    return size + _kept(word, order, False, out[size:])


@kernel
def _kept(word, other, wanted, out):
    """The symbols that the other word has, or has not."""
    size = 0
    for symbol in word:
        if _has(other, symbol) == wanted:
            out[size] = symbol
            size += 1
    return size


@kernel
def _dedup_runs(word, out):
    size = 0
    for symbol in word:
        if size == 0 or out[size - 1] != symbol:
            out[size] = symbol
            size += 1
    return size


@kernel
def _run_length(word, out):
    size = 0
    for symbol in word:
        if size and out[size - 2] == symbol:
            out[size - 1] += 1
        else:
            out[size], out[size + 1] = symbol, 1
            size += 2
    return size


@kernel
def _delete_parts(word, part, out):
    size = _delete(word, word.size, 0, out)
    at = _first(out[:size], part)
    while at < size and part.size > 0:
        size = _delete(out[:size], at, part.size, out)
        at = _first(out[:size], part)
    return size


@kernel
def _first(word, part):
    """Where the other word first stands in the word; its length if nowhere."""
    for at in range(word.size - part.size + 1):
        place = 0
        while place < part.size and word[at + place] == part[place]:
            place += 1
        if place == part.size:
            return at
    return word.size


@kernel
def _delete(word, at, count, out):
    """The word without `count` symbols from a place on; without none where the place is its end."""
    if at == word.size:
        out[: word.size] = word
        return word.size
    out[:at] = word[:at]
    out[at : word.size - count] = word[at + count :]
    return word.size - count


@kernel
def _majority(word, out):
    best = 0
    for place in range(word.size):
        if _has(word[:place], word[place]):
            continue
        count = 0
        for symbol in word[place:]:
            count += symbol == word[place]
        if count > best:
            best, out[0] = count, word[place]
    return min(word.size, 1)


@kernel
def _compare(a, b):
    if a.size != b.size:
        return 2 if a.size > b.size else 0
    for place in range(a.size):
        if a[place] != b[place]:
            return 2 if a[place] > b[place] else 0
    return 1


@kernel
def _shortest_path(edges, start, goal, out):
    """A search in breadth; `back` says which place of the queue found each."""
    queue, back = np.empty(edges.size + 1, np.int64), np.empty(edges.size + 1, np.int64)
    queue[0], back[0], size, done = start, -1, 1, 0
    while done < size and queue[done] != goal:
        node = queue[done]
        for t in range(0, edges.size - 1, 2):
            after = node
            if edges[t] == node:
                after = edges[t + 1]
            elif edges[t + 1] == node:
                after = edges[t]
            if not (queue[:size] == after).any():
                queue[size], back[size] = after, done
                size += 1
        done += 1
    if done == size:
        return 0
    count, place = 0, done
    while place >= 0:
        count, place = count + 1, back[place]
    place = done
    for at in range(count - 1, -1, -1):
        out[at], place = queue[place], back[place]
    return count

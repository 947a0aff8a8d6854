"""The word functions that compare symbols, on arrays."""

from __future__ import annotations

import numpy as np

from runner.generators.compiling import allocating, kernel


@kernel
def apply(function, a, b, c, marks, out):
    """The function at this place among `word_functions.COMPARING`; `union` is made by its caller."""
    if function == 0:
        return _sort(a, marks, out)
    if function == 1:
        return unique(a, marks, out)
    if function in (3, 4):
        return unique(out[: _kept(a, b, function == 3, marks, out)], marks, out)
    if function == 5:
        return _kept(a, b, True, marks, out)
    if function == 6:
        return _dedup_runs(a, out)
    if function == 7:
        return _run_length(a, out)
    if function == 8:
        return _delete(a, first_of(a, b), 1, out)
    if function == 9:
        return _kept(a, b, False, marks, out)
    if function == 10:
        old, new = b[0], c[0]
        for place in range(a.size):
            out[place] = new if a[place] == old else a[place]
        return a.size
    if function == 11:
        out[0] = first_of(a, b) < a.size or b.size == 0
        return 1
    if function == 12:
        return _delete(a, first_of(a, b), b.size, out)
    if function == 13:
        wanted, count = b[0], 0
        for symbol in a:
            count += symbol == wanted
        out[0] = count
        return 1
    if function == 14:
        return _majority(a, out)
    if function == 17:
        out[0] = _compare(a, b)
        return 1
    if function == 18:
        return _shortest_path(a, b[0], c[0], out)
    if function == 19:
        return _sort_by(a, b, marks, out)
    if function == 20:
        out[0] = first_of(a, b)
        return 1
    if function == 21:
        return _delete_parts(a, b, out)
    if a.size:
        out[0] = largest(a) if function == 15 else _least(a)
    return min(a.size, 1)


@kernel
def markable(word, marks):
    """Whether all symbols are ids: numbers may be larger."""
    return word.size == 0 or largest(word) < marks.size


@kernel
def _sort(word, marks, out):
    """By counting, or by insertion where the ids are many and the word is short."""
    if marks.size <= 16 * word.size and markable(word, marks):
        return _sort_ids(word, marks, out)
    if word.size > 64:
        return _sort_many(word, out)
    for place in range(word.size):
        symbol, at = word[place], place
        while at > 0 and out[at - 1] > symbol:
            out[at] = out[at - 1]
            at -= 1
        out[at] = symbol
    return word.size


@kernel
def _sort_ids(word, marks, out):
    """Without a branch: how many there are of each, then where each begins."""
    for symbol in word:
        marks[symbol] += 1
    at = 0
    for id in range(marks.size):
        count = marks[id]
        marks[id] = at
        at += count
    for symbol in word:
        out[marks[symbol]] = symbol
        marks[symbol] += 1
    marks[:] = 0
    return word.size


@allocating
def _sort_many(word, out):
    out[: word.size] = np.sort(word)
    return word.size


@kernel
def unique(word, marks, out):
    """Without a branch: what is not new is written over. `out` may be the word itself."""
    if not markable(word, marks):
        return _unique_of_any(word, out)
    size = 0
    for place in range(word.size):
        symbol = word[place]
        out[size] = symbol
        size += 1 - marks[symbol]
        marks[symbol] = 1
    for symbol in out[:size]:
        marks[symbol] = 0
    return size


@kernel
def _unique_of_any(word, out):
    size = 0
    for place in range(word.size):
        symbol = word[place]
        if not has(out[:size], symbol):
            out[size] = symbol
            size += 1
    return size


@kernel
def has(word, symbol):
    for other in word:  # noqa: SIM110 - no generators in kernels
        if other == symbol:
            return True
    return False


@kernel
def largest(word):
    """The largest of a word that has any."""
    found = word[0]
    for symbol in word:
        found = max(found, symbol)
    return found


@kernel
def _least(word):
    found = word[0]
    for symbol in word:
        found = min(found, symbol)
    return found


@kernel
def meet(word, other):
    """Whether two words have a symbol in common."""
    for symbol in word:  # noqa: SIM110 - no generators in kernels
        if has(other, symbol):
            return True
    return False


@kernel
def _sort_by(word, order, marks, out):
    size = 0
    for place in range(order.size):
        if has(order[:place], order[place]):
            continue
        for symbol in word:
            if symbol == order[place]:
                out[size] = symbol
                size += 1
    return size + _kept(word, order, False, marks, out[size:])


@kernel
def _kept(word, other, wanted, marks, out):
    """The symbols that the other word has, or has not."""
    size = 0
    if not (markable(word, marks) and markable(other, marks)):
        for symbol in word:
            out[size] = symbol
            size += has(other, symbol) == wanted
        return size
    for symbol in other:
        marks[symbol] = 1
    for symbol in word:
        out[size] = symbol
        size += marks[symbol] == wanted
    for symbol in other:
        marks[symbol] = 0
    return size


@kernel
def _dedup_runs(word, out):
    """The last of each run."""
    size, last = 0, word.size - 1
    for place in range(word.size):
        out[size] = word[place]
        size += place == last or word[place + 1] != word[place]
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
    at = first_of(out[:size], part)
    while at < size and part.size > 0:
        size = _delete(out[:size], at, part.size, out)
        at = first_of(out[:size], part)
    return size


@kernel
def first_of(word, part):
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
        count = 0
    for place in range(at):
        out[place] = word[place]
    for place in range(at + count, word.size):
        out[place - count] = word[place]
    return word.size - count


@kernel
def _majority(word, out):
    best = 0
    for place in range(word.size):
        if has(word[:place], word[place]):
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


@allocating
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

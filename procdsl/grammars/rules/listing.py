"""The words of a length, all of them, by what their parts derive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from procdsl.grammars.rules.counting import Shapes, possible
from procdsl.grammars.rules.trees import referred

Word = tuple[int, ...]


def words(shapes: Shapes, length: int) -> tuple[Word, ...]:
    """Each once, however often it is derived. No symbol derives itself alone, or nothing endlessly."""
    lengths = possible(shapes, length)

    # What is asked for here stands in some word of the length, so that there are never more of it.
    @cache
    def yields(head: int, size: int) -> tuple[tuple[Word, ...], ...]:
        found = dict[tuple[Word, ...], None]()
        for shape in (shape for shape in shapes if shape.head == head):
            for sizes in _shared(shape.children, size - len(shape.members[0]), lengths):
                parts = (yields(child, part) for child, part in zip(shape.children, sizes, strict=True))
                for children, member in product(product(*parts), shape.members):
                    found[tuple(_spelt(codes, member, children) for codes in shape.yields)] = None
        return tuple(found)

    return tuple(component for (component,) in yields(0, length))


def _shared(children: Sequence[int], size: int, lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """How children can share so many symbols."""
    if size < 0 or not children:
        yield from [()] if size == 0 and not children else []
        return
    first, *rest = children
    for own in range(size + 1):
        if lengths[first] >> own & 1:
            yield from ((own, *others) for others in _shared(rest, size - own, lengths))


def _spelt(codes: Sequence[int], member: Word, children: Sequence[tuple[Word, ...]]) -> Word:
    """A component of a yield, written out."""
    word = list[int]()
    for code in codes:
        if code >= 0:
            word.append(member[code])
        else:
            child, component = referred(code)
            word += children[child][component]
    return tuple(word)

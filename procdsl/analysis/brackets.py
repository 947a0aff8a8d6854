"""Brackets in an alphabet: which open and which close, how deep they nest, how far a pair is apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("⟨", "⟩"), ("<", ">"))
_PREFIXES = (("open", "close"), ("push", "pop"), ("begin", "end"), ("l", "r"))
Brackets = dict[str, tuple[str, bool]]


def brackets(alphabet: Iterable[str]) -> Brackets:
    """Each bracket's type, and whether it opens. Pairs are known by their spelling, both sides present.

    >>> brackets(["(0", "0)", "open[1]", "close[1]", "[", "x"])
    {'(0': ('(0', True), '0)': ('(0', False), 'open[1]': ('open[1]', True), 'close[1]': ('open[1]', False)}
    """
    there = dict.fromkeys(alphabet)
    found: Brackets = {}
    for token in there:
        for other in _closing(token):
            if other in there and other not in found:
                found[token], found[other] = (token, True), (token, False)
                break
    return found


def _closing(token: str) -> list[str]:
    """How the bracket that closes this one may be spelt."""
    found = [shuts for opens, shuts in _PAIRS if token == opens]
    if len(token) > 1 and token[0] == "(":
        found.append(f"{token[1:]})")
    for opens, shuts in _PREFIXES:
        rest = token.removeprefix(opens)
        if rest != token and (len(opens) > 1 or rest[:1] == "["):
            found.append(shuts + rest)
    return found


def nesting(word: Sequence[str], known: Brackets) -> tuple[int, ...] | None:
    """How many brackets are open at each token, itself included; None where one closes that is not open.

    >>> nesting(["(", "x", ")"], brackets("()"))
    (1, 1, 1)
    """
    found, depth = list[int](), 0
    for token in word:
        opens = known.get(token, ("", None))[1]
        depth += opens is True
        found.append(depth)
        depth -= opens is False
    return None if min((*found, depth), default=0) < 0 else tuple(found)


def spans(word: Sequence[str], known: Brackets) -> list[int]:
    """How far each bracket is from the one that closes it; those of a type nest among themselves.

    >>> spans("(()[)]", brackets("()[]"))
    [1, 4, 2]
    """
    open_: dict[str, list[int]] = {}
    found = list[int]()
    for place, token in enumerate(word):
        if token in known:
            kind, opens = known[token]
            if opens:
                open_.setdefault(kind, []).append(place)
            elif open_.get(kind):
                found.append(place - open_[kind].pop())
    return found

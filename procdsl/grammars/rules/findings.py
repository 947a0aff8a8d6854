"""What can be said of rules before anything is drawn from them.

P370 cannot be read           P376 a switch nobody declared     P382 words have several derivations
P371 an undefined name        P377 no word at all               P383 tables that fit no memory
P372 an index                 P378 a symbol that no word needs  P384 a finite language
P373 a weight                 P379 endlessly many derivations   P385 too unlikely for tables
P374 a yield                  P380 lengths without end          P386 declared and never used
P375 too many productions     P381 uniform, but ambiguous       P387 two tokens of one spelling, blanks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from procdsl.errors import Severity
from procdsl.grammars.base import Problem
from procdsl.grammars.rules.trees import Trees
from procdsl.grammars.rules.written import Name, Rule, RuleError, Spot, names
from procdsl.programs.tree import TreeShape
from procdsl.silent import components

Path = tuple[str | int, ...]
_RULES: Path = ("rules",)


def placed(text: str, fault: RuleError, severity: Severity = Severity.ERROR) -> Problem:
    """A fault of the rules as a problem, at its characters of their text."""
    return Problem(fault.code, str(fault.message), _RULES, fault.help, severity, span(text, fault.spot))


def span(text: str, spot: Spot) -> tuple[int, int]:
    """The characters at a line and column: the first, and how many.

    >>> span("S -> a\\nT -> b", Spot(2, 6))
    (12, 1)
    """
    lines = text.split("\n")
    before = sum(len(line) + 1 for line in lines[: spot.line - 1])
    return before + spot.column - 1, spot.width


def useless(text: str, rules: Sequence[Rule], trees: Trees) -> Iterator[Problem]:
    """P377, P378: symbols that derive nothing, and symbols that nothing derives."""
    heads: dict[str, Name] = {}
    for rule in rules:
        heads.setdefault(rule.head.name, rule.head)
    good, reached = trees.productive(), trees.reachable()
    if 0 not in good:
        message = f"no word at all: {_endless(trees, good)}"
        help = "give one of them an alternative that ends"
        yield placed(text, RuleError("P377", message, rules[0].head.spot, help))
        return
    for number, name in enumerate(trees.names):
        head = heads.get(name.partition("[")[0])
        if head is None or (number in good and number in reached):
            continue
        why = "is reached by no rule from the start" if number in good else "derives no word"
        help = "drop it, or use it" if number in good else "give it an alternative that ends"
        fault = RuleError("P378", f"{name} {why}", head.spot, help)
        yield placed(text, fault, Severity.WARNING)


def _endless(trees: Trees, good: frozenset[int]) -> str:
    """Which nonterminals need each other before they end."""
    bad = [name for number, name in enumerate(trees.names) if number not in good and name[0] != "("]
    defined = {trees.names[p.head] for p in trees.productions}
    missing = [name for name in bad if name not in defined]
    if missing:
        return f"{', '.join(missing[:5])} has no rule"
    return f"every alternative of {', '.join(bad[:5])} needs one of them again"


def unused(
    rules: Sequence[Rule],
    families: Mapping[str, object],
    index: Mapping[str, object],
    switch: Mapping[str, int],
) -> Iterator[Problem]:
    """P386: what is declared and never named by a rule."""
    used = names(rules)
    for key, declared in (("tokens", families), ("index", index), ("switch", switch)):
        for name in declared:
            if name not in used and not (key == "index" and _featured(name, families)):
                message = f"no rule uses {name}"
                yield Problem("P386", message, (key, name), "leave it out", Severity.WARNING)


def _featured(name: str, families: Mapping[str, object]) -> bool:
    return any(name in getattr(family, "features", ()) for family in families.values())


def spelling(families: Mapping[str, object], alphabet: Sequence[str]) -> Iterator[Problem]:
    """P387: tokens are told apart by their spelling, and words are read with blanks between them."""
    for name, written in families.items():
        listed = written if isinstance(written, tuple) else ()
        for place, token in enumerate(listed):
            if token in listed[:place]:
                message = f'{name} spells two of its tokens "{token}"'
                yield Problem("P387", message, ("tokens", name, place), "rename one of them")
    for token in alphabet:
        if token.split() != [token]:
            help = "write several tokens side by side"
            yield Problem("P387", f'the token "{token}" holds a blank', _RULES, help)


def longest_word(shapes: Sequence[TreeShape]) -> int | None:
    """The length of the longest word; None where words grow without bound.

    A language is finite where no symbol can derive itself with something beside it.
    """
    parts = together(shapes)
    part_of = {a: number for number, part in enumerate(parts) for a in part}
    writes = writing(shapes, parts)
    for shape in shapes:
        for i, child in enumerate(shape.children):
            beside = any(c in writes for j, c in enumerate(shape.children) if j != i)
            if part_of[child] == part_of[shape.head] and (shape.members[0] or beside):
                return None
    return _longest(shapes, parts)[0]


def together(shapes: Sequence[TreeShape]) -> list[list[int]]:
    """The nonterminals in parts that derive each other, those that others need first."""
    count = 1 + max(max((shape.head, *shape.children)) for shape in shapes)
    edges: list[dict[int, float]] = [{} for _ in range(count)]
    for shape in shapes:
        edges[shape.head].update(dict.fromkeys(shape.children, 1.0))
    return components(count, edges)


def writing(shapes: Sequence[TreeShape], parts: Sequence[Sequence[int]]) -> set[int]:
    """The nonterminals that derive some symbol; `parts` are those `together`."""
    found = {shape.head for shape in shapes if shape.members[0]}
    own: dict[int, set[int]] = {}
    for shape in shapes:
        own.setdefault(shape.head, set()).update(shape.children)
    for part in parts:
        if any(a in found or own[a] & found for a in part):
            found.update(part)
    return found


def _longest(shapes: Sequence[TreeShape], parts: Sequence[list[int]]) -> list[int]:
    """The longest word of each nonterminal, those that others need first."""
    own: dict[int, list[TreeShape]] = {}
    for shape in shapes:
        own.setdefault(shape.head, []).append(shape)
    longest = [0] * sum(map(len, parts))
    for part in parts:
        for _ in part:
            for a in part:
                words = (len(s.members[0]) + sum(longest[c] for c in s.children) for s in own[a])
                longest[a] = max(words)
    return longest

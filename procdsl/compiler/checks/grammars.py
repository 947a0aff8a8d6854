"""What grammars and sources say of themselves, whoever uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from procdsl.compiler.findings import Finding, told
from procdsl.compiler.names import cycle, grammars, made_of
from procdsl.grammars.base import Grammar
from procdsl.language.study import ExperimentSpec
from procdsl.programs.base import SPECIALS


def grammars_have_words(spec: ExperimentSpec) -> Iterator[Finding]:
    """What a grammar says of itself where it has no row at all; of its rows, `sizes` asks."""
    for name, grammar in _bound(spec).items():
        if not _has_rows(grammar):
            for problem in grammar.problems(spec.model.context):
                yield told(("grammars", name), problem)


def parts_can_be_told(spec: ExperimentSpec) -> Iterator[Finding]:
    """P357: a grammar knows which of its words are of the sort that is held out."""
    for name, grammar in _bound(spec).items():
        held_out, known = grammar.held_out, grammar.holds_out()
        asked = [*held_out.sorts, *(["rank"] if held_out.by == "rank" else [])]
        for sort in (one for one in asked if one not in known):
            kind = getattr(grammar, "kind", "this")
            message = f"{name}: by {sort} nothing can be held out of {kind!r}"
            help = "shares (validation, test) can" + "".join(f", {one}" for one in sorted(known))
            key = "by" if sort == "rank" else sort
            yield Finding("P357", ("grammars", name, "held_out", key), message, help, key=True)


def tokens_differ(spec: ExperimentSpec) -> Iterator[Finding]:
    """P329: the tokens of a grammar are spelt differently from each other."""
    for name, grammar in _bound(spec).items():
        if not _has_rows(grammar):
            continue
        twice = [token for token, count in Counter(grammar.tokens()).items() if count > 1]
        if twice:
            own = twice[0] in SPECIALS
            what = "writes a token that rows have themselves:" if own else "spells two of its tokens"
            help = f'spell it "{twice[0][1:-1]}"' if own else "rename one of them"
            yield Finding("P329", ("grammars", name), f'{name} {what} "{twice[0]}"', help, key=True)


def _bound(spec: ExperimentSpec) -> dict[str, Grammar]:
    """The grammars, where their names can be bound; where not, another rule says why."""
    graph = made_of(spec)
    known = all(part in graph for parts in graph.values() for part in parts)
    return grammars(spec) if known and not cycle(graph) else {}


def _has_rows(grammar: Grammar) -> bool:
    try:
        return grammar.longest() > 0
    except ValueError:
        return False

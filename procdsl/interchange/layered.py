"""Rules as JSON: ``{"22": [["21", "20"], …], …}``, as the layered grammars of Allen-Zhu & Li 2023 are kept.

What is a key is a nonterminal, all else is a token. The start is `start` if there is one (with the rules
under `rules`), else the one key that no rule uses. A body may end in a number with a point: its weight.
"""

from __future__ import annotations

import json
from typing import Any

from procdsl.errors import UsageError
from procdsl.interchange.productions import Production, Productions, Symbol


def read(text: str) -> Productions:
    """The grammar in a JSON text."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"this is no JSON: {error}") from None
    rules = value.get("rules", value) if isinstance(value, dict) else None
    if not isinstance(rules, dict) or not all(isinstance(own, list) and own for own in rules.values()):
        raise UsageError("rules are an object of lists", help='as in {"S": [["a", "S"], ["b"]]}')
    start = str(value["start"]) if "rules" in value and "start" in value else _start(rules)
    heads = {str(head): own for head, own in rules.items()}
    if start not in heads:
        raise UsageError(f"the start {start!r} has no rules")
    ordered = [start, *(head for head in heads if head != start)]
    return Productions(tuple(_production(head, body, set(heads)) for head in ordered for body in heads[head]))


def _start(rules: dict[str, Any]) -> str:
    used = {str(one) for own in rules.values() for body in own if isinstance(body, list) for one in body}
    free = [head for head in rules if head not in used]
    if len(free) != 1:
        known = ", ".join(free[:5]) or "none of them"
        raise UsageError(f"where do words start? unused are {known}", help='write {"start": …, "rules": {…}}')
    return free[0]


def _production(head: str, body: Any, heads: set[str]) -> Production:
    if not isinstance(body, list) or not all(isinstance(one, str | int | float) for one in body):
        raise UsageError(f"{head}: {body!r} is no list of symbols")
    weight = body[-1] if body and isinstance(body[-1], float) else None
    symbols = body[:-1] if weight is not None else body
    return Production(head, tuple(Symbol(str(one), str(one) not in heads) for one in symbols), weight)

"""Lark's EBNF. It is read by lark itself, so imports, templates and repeats all work."""

from __future__ import annotations

import json

from procdsl.errors import UsageError
from procdsl.interchange.productions import Production, Productions, Symbol


def read(text: str) -> Productions:
    """The grammar in Lark's notation. A terminal that is no plain text becomes one token, by its name."""
    from lark import Lark
    from lark.exceptions import LarkError
    from lark.lexer import PatternStr

    try:
        made = Lark(text, parser="earley", lexer="basic", keep_all_tokens=True, maybe_placeholders=False)
    except LarkError as error:
        raise UsageError(f"lark cannot read this: {str(error).strip().splitlines()[0]}") from None
    spelt = {
        terminal.name: terminal.pattern.value
        for terminal in made.terminals
        if isinstance(terminal.pattern, PatternStr)
        and terminal.pattern.value.split() == [terminal.pattern.value]
    }
    start = made.options.start[0]
    rules = [
        Production(
            str(rule.origin.name),
            tuple(
                Symbol(spelt.get(s.name, s.name), token=True) if s.is_term else Symbol(str(s.name))
                for s in rule.expansion
            ),
        )
        for rule in made.rules
    ]
    return Productions(tuple(sorted(rules, key=lambda rule: rule.head != start)))


def write(rules: Productions) -> str:
    """For ``Lark(text, parser="earley", lexer="basic")``: words are tokens with blanks between them."""
    plain = rules.renamed(r"[a-z0-9_]", "_") if not _low(rules) else rules
    heads = plain.spelt(lambda token: json.dumps(token, ensure_ascii=False))
    lines = ['// Lark(text, parser="earley", lexer="basic"): tokens with blanks between them']
    if (start := next(iter(heads))) != "start":
        lines.append(f"start: {start}")
    lines += [f"{head}: " + "\n    | ".join(bodies) for head, bodies in heads.items()]
    return "\n".join([*lines, '%ignore " "', ""])


def _low(rules: Productions) -> bool:
    return all(
        rule.head.islower() and rule.head.isidentifier() and rule.head[0] != "_" for rule in rules.rules
    )

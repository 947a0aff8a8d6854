"""NLTK's CFG and PCFG: ``S -> NP VP [0.7] | 'a' [0.3]``, a head a line."""

from __future__ import annotations

import math
import re

from procdsl.errors import UsageError
from procdsl.interchange.productions import Production, Productions, Symbol

_ITEM = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|\[([\d.eE+-]+)\]|(\|)|([\w/][\w/^<>-]*))""")


def read(text: str) -> Productions:
    """The grammar in NLTK's own notation. Grammars with features are another thing."""
    found = list[Production]()
    for number, line in enumerate(text.replace("\\\n", " ").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", "%")):
            continue
        head, arrow, rest = line.partition("->")
        if not arrow or not re.fullmatch(r"\s*[\w/][\w/^<>-]*\s*", head):
            help = "as in  S -> NP VP [0.7] | 'a' [0.3]; grammars with features are not read"
            raise UsageError(f"line {number} is no rule: {line.strip()!r}", help=help)
        found += _alternatives(head.strip(), rest.strip(), number)
    if not found:
        raise UsageError("there are no rules")
    return Productions(tuple(found))


def _alternatives(head: str, rest: str, number: int) -> list[Production]:
    found, body, weight, at = list[Production](), list[Symbol](), None, 0
    while at < len(rest):
        item = _ITEM.match(rest, at)
        if item is None:
            raise UsageError(f"line {number}: cannot read {rest[at : at + 20]!r}")
        double, single, chance, bar, name = item.groups()
        at = item.end()
        if bar:
            found.append(Production(head, tuple(body), weight))
            body, weight = [], None
        elif chance:
            weight = float(chance)
        elif name:
            body.append(Symbol(name))
        elif token := double or single:
            body.append(Symbol(token, token=True))
    return [*found, Production(head, tuple(body), weight)]


def write(rules: Productions) -> str:
    """For `PCFG.fromstring` where the weights of every head sum to one, else for `CFG.fromstring`."""
    plain = rules.renamed(r"[A-Za-z0-9_]", "_")
    heads = plain.heads()
    sums = [math.fsum(one.weight or 0 for one in own) for own in heads.values()]
    weighted = all(abs(whole - 1) < 1e-6 for whole in sums)
    reader = "PCFG" if weighted else "CFG"
    lines = [f"# nltk.{reader}.fromstring reads this; words are lists of tokens"]
    for one in (one for own in heads.values() for one in own):
        weight = f" [{one.weight!r}]" if weighted else ""
        lines.append(f"{one.head} -> {one.spelt(_quoted)}{weight}")
    return "\n".join(lines) + "\n"


def _quoted(token: str) -> str:
    if '"' in token and "'" in token:
        raise UsageError(f"NLTK cannot spell the token {token!r}: it holds both quotes")
    return f'"{token}"' if "'" in token else f"'{token}'"

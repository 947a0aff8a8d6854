"""Context-free productions: what grammars of every tool come to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from procdsl.errors import UsageError
from procdsl.grammars._rules import RuleGrammar
from procdsl.grammars.base import Grammar
from procdsl.grammars.rules.trees import referred
from procdsl.programs.base import Program
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.tree import TreeProgram


@dataclass(frozen=True, slots=True)
class Symbol:
    """A token, or the name of a nonterminal."""

    text: str
    token: bool = False


@dataclass(frozen=True, slots=True)
class Production:
    """head → body, perhaps with a weight among the head's productions."""

    head: str
    body: tuple[Symbol, ...]
    weight: float | None = None

    def spelt(self, token: Callable[[str], str]) -> str:
        """The body as a text, symbols with blanks between them."""
        return " ".join(token(symbol.text) if symbol.token else symbol.text for symbol in self.body)


@dataclass(frozen=True, slots=True)
class Productions:
    """A grammar; the first production's head is where words start."""

    rules: tuple[Production, ...]

    def heads(self) -> dict[str, list[Production]]:
        """The productions of each nonterminal, in order of first appearance; none twice without weights."""
        found: dict[str, list[Production]] = {}
        for rule in self.rules:
            own = found.setdefault(rule.head, [])
            if rule.weight is not None or rule not in own:
                own.append(rule)
        return found

    def spelt(self, token: Callable[[str], str]) -> dict[str, list[str]]:
        """The bodies of each nonterminal as texts, none twice."""
        return {
            head: list(dict.fromkeys(one.spelt(token) for one in own)) for head, own in self.heads().items()
        }

    def renamed(self, pattern: str, otherwise: str) -> Productions:
        """With names made of what `pattern` matches, small letters for capitals where it matches these alone,
        what it does not replaced, and all different."""
        names: dict[str, str] = {}
        for name in dict.fromkeys(
            s.text for r in self.rules for s in (Symbol(r.head), *r.body) if not s.token
        ):
            letters = (
                next((one for one in (c, c.lower()) if re.match(pattern, one)), otherwise) for c in name
            )
            plain = re.sub(r"_+", "_", "".join(letters))
            plain = plain.strip(otherwise) or "n"
            plain = plain if plain[0].isalpha() else f"n{otherwise}{plain}"
            number, chosen = 1, plain
            while chosen in names.values():
                number += 1
                chosen = f"{plain}{otherwise}{number}"
            names[name] = chosen
        return Productions(
            tuple(
                Production(
                    names[r.head],
                    tuple(s if s.token else Symbol(names[s.text]) for s in r.body),
                    r.weight,
                )
                for r in self.rules
            )
        )


def of(grammar: Grammar) -> Productions:
    """The productions of a grammar. UsageError where it is not context-free, or not made of rules."""
    if isinstance(grammar, RuleGrammar):
        trees = grammar.productions
        if all(len(p.yields) == 1 for p in trees.productions):
            weighted = grammar.measure != "uniform"
            made = (
                (p.head, p.children, p.yields[0], p.weight if weighted else None) for p in trees.productions
            )
            return _ordered(trees.names, trees.alphabet, made)
    program: Program = grammar.program()
    if isinstance(program, DyckProgram) and program.depth is None:
        return _dyck(grammar.alphabet(), program.k)
    if isinstance(program, TreeProgram) and all(len(shape.yields) == 1 for shape in program.shapes):
        count = 1 + max(max((shape.head, *shape.children)) for shape in program.shapes)
        listed = (
            (s.head, s.children, tuple(m[c] if c >= 0 else c for c in s.yields[0]), w)
            for s in program.shapes
            for m, w in zip(s.members, s.weights, strict=True)
        )
        return _ordered(["S", *(f"n{i}" for i in range(1, count))], grammar.alphabet(), listed)
    raise UsageError("this grammar is not made of context-free rules", help="cfg and dyck can be written out")


def _ordered(
    names: Iterable[str],
    alphabet: tuple[str, ...],
    made: Iterable[tuple[int, tuple[int, ...], tuple[int, ...], float | None]],
) -> Productions:
    known = list(names)
    rules = [
        (head, Production(known[head], tuple(_symbol(c, children, known, alphabet) for c in codes), weight))
        for head, children, codes, weight in made
    ]
    return Productions(tuple(rule for _, rule in sorted(rules, key=lambda one: one[0])))


def _symbol(code: int, children: tuple[int, ...], names: list[str], alphabet: tuple[str, ...]) -> Symbol:
    return Symbol(alphabet[code], token=True) if code >= 0 else Symbol(names[children[referred(code)[0]]])


def _dyck(alphabet: tuple[str, ...], k: int) -> Productions:
    inner = Symbol("S")
    pairs = (
        Production("S", (Symbol(alphabet[t], True), inner, Symbol(alphabet[k + t], True), inner))
        for t in range(k)
    )
    return Productions((*pairs, Production("S", ())))


def table(rules: Productions, name: str) -> str:
    """The grammar as a table of a study."""
    plain = rules.renamed(r"[A-Za-z0-9_]", "_")
    lines = []
    for head, own in plain.heads().items():
        whole = " | ".join(_alternative(one) for one in own)
        lines.append(f"{head} -> {whole}")
    text = "\n".join(lines)
    if "'''" in text:
        raise UsageError("tokens that hold three quotes in a row cannot be written in TOML here")
    return (
        f"[grammars.{name}]\nkind   = \"cfg\"\nlength = {{ uniform = [1, 64] }}\nrules  = '''\n{text}\n'''\n"
    )


def _alternative(one: Production) -> str:
    body = one.spelt(_quoted) or "ε"
    return body if one.weight is None else f"{body} [{one.weight!r}]"


def _quoted(token: str) -> str:
    if token.split() != [token] or ('"' in token and "'" in token):
        raise UsageError(
            f"the token {token!r} cannot be spelt in rules", help="tokens hold no blanks, nor both quotes"
        )
    return f"'{token}'" if '"' in token else f'"{token}"'

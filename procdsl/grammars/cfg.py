"""Context-free grammars, as weighted rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

from procdsl.grammars._rules import RuleGrammar
from procdsl.grammars.base import END
from procdsl.grammars.rules import counting, yields
from procdsl.grammars.rules.written import Rule, RuleError
from procdsl.recognisers.earley import Chart, Rules, body


class Cfg(RuleGrammar):
    """Context-free rules: NLTK's arrows, quotes and `[weights]`, with `? * +` and `{m,n}` behind an item.

    A name in rules is a nonterminal or a token family (`tokens`). An index used twice means agreement.
    Weights may be arithmetic over numbers that stand beside `rules`. `measure = "weighted"` draws derivations
    by their weights, given the length; `"uniform"` all derivations alike; `"natural"` lengths by the rules
    too.

    ```toml
    kind   = "cfg"
    rules  = 'S -> open[i] S close[i] S [p] | ε [1-p]'
    tokens = { open = 3, close = 3 }
    p      = 0.49
    length = { uniform = [10, 40] }
    ```
    """

    kind: Literal["cfg"] = "cfg"

    def reason(self, word: Sequence[str]) -> str | None:
        alphabet, ids = self.alphabet(), {symbol: id for id, symbol in enumerate(self.alphabet())}
        for place, symbol in enumerate(word, 1):
            if symbol not in ids:
                return f"{symbol!r} at {place} is no symbol of the grammar"
        chart = self._chart
        read = chart.read([ids[symbol] for symbol in word])
        legal = _few(sorted(alphabet[id] for id in chart.expected()))
        if read < len(word):
            before = f"follow {word[read - 1]!r}" if read else "begin a word"
            return f"{word[read]!r} at {read + 1} cannot {before} here; expected {legal}"
        if not chart.complete():
            return f"it ends too early, after {len(word)} symbols; expected {legal}"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, ids = self.alphabet(), {symbol: id for id, symbol in enumerate(self.alphabet())}
        left = None if length is None else length - len(prefix)
        if any(symbol not in ids for symbol in prefix) or (left is not None and left < 0):
            return frozenset()
        chart = self._chart
        if chart.read([ids[symbol] for symbol in prefix]) < len(prefix):
            return frozenset()
        if left is None:
            found = chart.expected()
        else:
            found = chart.expected_within(left, counting.possible(self._whole, max(left, 1)))
        ends = prefix and not left and chart.complete()
        return frozenset({alphabet[id] for id in found} | ({END} if ends else set()))

    def _misfits(self, rules: Sequence[Rule]) -> Iterator[RuleError]:
        return yields.braces(rules)

    @cached_property
    def _chart(self) -> Chart:
        return Chart(Rules((p.head, body(p.yields[0], p.children)) for p in self._alive.productions))


def _few(tokens: Sequence[str]) -> str:
    """Some of the tokens, and how many there are."""
    if not tokens:
        return "the end"
    shown = ", ".join(tokens[:6])
    return shown if len(tokens) <= 6 else f"{shown}, … ({len(tokens)} in all)"

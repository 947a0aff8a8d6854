"""Independent symbols: noise with a known law, the control that has no structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from procdsl.grammars._unigrams import Law, corpora, thresholds, unigrams
from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.automaton import AutomatonProgram, Letters
from procdsl.programs.iid import IidProgram


class Iid(WordGrammar):
    """Symbols drawn each by itself: alike, by Zipf's law, as a corpus' tokens, or with the weights of a list.

    `weights` is `"uniform"`, `"zipf(1.0)"` (the r-th symbol r to the power of minus that; in
    `"zipf(1.0, 2.7)"` r + 2.7), `"corpus(NAME)"` (the r-th symbol as likely as the r-th most frequent token
    among the first 100,000 of that corpus, or among more: `"corpus(NAME, 1000000)"`), or numbers.

    ```toml
    kind    = "iid"
    symbols = 6
    weights = "zipf(1.0)"
    length  = 8
    ```
    """

    kind: Literal["iid"] = "iid"
    symbols: int = Field(ge=1, le=2**20)
    weights: str | tuple[Annotated[float, Field(ge=0, le=1e100)], ...] = "uniform"

    @field_validator("weights")
    @classmethod
    def _weighable(cls, weights: Any, info: ValidationInfo) -> Any:
        symbols = info.data.get("symbols")
        if isinstance(weights, str):
            unigrams(weights)
        elif len(weights) != (symbols or len(weights)):
            raise ValueError(f"{len(weights)} weights for {symbols} symbols")
        elif not sum(weights) > 0:
            raise ValueError("weights of 0 draw nothing: some must be above 0")
        return weights

    def program(self) -> IidProgram:
        weights = self._shares()
        return IidProgram(
            count=self.symbols,
            thresholds=() if len(set(weights)) == 1 else thresholds(weights),
            lengths=self.lengths(),
            split=self.split(),
            unigrams=self._law().corpus,
        )

    def walks(self) -> AutomatonProgram:
        """The same law as walks of one state, for operators that keep weights."""
        if self.texts():
            raise ValueError("its weights are those of a corpus, which is counted when it is prepared")
        shares = {symbol: share for symbol, share in enumerate(self._shares()) if share > 0}
        letters = Letters(symbols=tuple(shares), weights=tuple(shares.values()))
        return AutomatonProgram(
            count=self.symbols, letters=(letters,), sources=(0,), targets=(0,), writes=(0,), weights=(1.0,),
            accepts=(0,), lengths=self.lengths(), split=self.split(),
        )  # fmt: skip

    def texts(self) -> tuple[str, ...]:
        return corpora(self.weights)

    def alphabet(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(self.symbols))

    def possible(self, longest: int) -> int:
        return (2 << longest) - 2

    def count(self, length: int) -> int:
        return int(sum(share > 0 for share in self._shares()) ** length)

    def plenty(self, length: int) -> bool:
        return super().plenty(min(length, 64))

    def reason(self, word: Sequence[str]) -> str | None:
        drawn = self._drawn()
        for place, symbol in enumerate(word, 1):
            if symbol not in drawn:
                return f"{symbol!r} at {place} is never drawn"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        drawn = self._drawn()
        if not drawn.issuperset(prefix) or (length is not None and len(prefix) > length):
            return frozenset()
        ends = bool(prefix) and length in (None, len(prefix))
        goes_on = length is None or len(prefix) < length
        return frozenset({*(drawn if goes_on else ()), *({END} if ends else ())})

    def _shares(self) -> tuple[float, ...]:
        if not isinstance(self.weights, str):
            return self.weights
        return self._law().shares(self.symbols)

    def _law(self) -> Law:
        return unigrams(self.weights) if isinstance(self.weights, str) else Law()

    def _drawn(self) -> frozenset[str]:
        return frozenset(s for s, share in zip(self.alphabet(), self._shares(), strict=True) if share > 0)

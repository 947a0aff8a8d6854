"""What generator programs share: laws of lengths, the parts that rows are split into, and what each obeys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from procdsl.kinds import ByKind, Node, later

SPECIALS = ("<bos>", "<end>", "<pad>")
# The ballot walk multiplies two lengths and 2**32 in 64 bits.
LONGEST = 65_534
SplitName = Literal["train", "validation", "test"]


class Interval(Node):
    """A number known to lie between two bounds; `measured` where simulation, not proof, puts it there."""

    low: float
    high: float
    measured: bool = False

    @property
    def exact(self) -> bool:
        """Whether the bounds leave nothing open but rounding."""
        return not self.measured and self.high - self.low <= 1e-9


class Lengths(Node):
    """A law of word lengths: `values` ascending, each as likely as its weight (all alike without weights)."""

    values: tuple[Annotated[int, Field(ge=1, le=LONGEST)], ...] = Field(min_length=1)
    weights: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if list(self.values) != sorted(set(self.values)):
            raise ValueError("lengths ascend, each once")
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.weights)} weights for {len(self.values)} lengths")
        if not 0 < sum(self.weights or (1,)) < 2**32:
            raise ValueError("the weights of lengths sum to at least 1 and to less than 2**32")
        return self

    @property
    def shares(self) -> tuple[int, ...]:
        """A weight for every value."""
        return self.weights or (1,) * len(self.values)


def fillable(lengths: Lengths, context: int) -> int:
    """Which numbers of positions words of these lengths, each with its ``<end>``, can fill: bit by bit.

    >>> bin(fillable(Lengths(values=(2, 4)), 9))
    '0b1101101001'
    """
    bits, mask = 1, (1 << context + 1) - 1
    for length, share in zip(lengths.values, lengths.shares, strict=True):
        step = length + 1
        while share and step <= context:
            bits |= bits << step & mask
            step *= 2
    return bits


class Rank(Node):
    """Where the parts of the words of one length end, in the order of their hashes.

    Words whose hash is under `test` are the test part, those from there to under `validation` that one.
    """

    length: int = Field(ge=1, le=LONGEST)
    test: int = Field(ge=0, le=2**64)
    validation: int = Field(ge=0, le=2**64)


class Split(Node):
    """Which words are held out: those whose hash is under `test`, then under `test + validation`, of 2**64.

    `by` says what is hashed: the word, or the whole row where words are too few to be told apart. What
    belongs elsewhere is drawn again: the word; the row's words; with `layout`, the row's lengths as well. By
    `rank` it is the word, and `ranks` say for each length where parts of so many words end. With a `test` of
    2**64 all there is, is the test part.
    """

    validation: int = Field(default=2**64 // 200, ge=0, lt=2**64)
    test: int = Field(default=2**64 // 200, ge=0, le=2**64)
    by: Literal["word", "row", "layout", "rank"] = "word"
    ranks: tuple[Rank, ...] = later(())

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.validation + self.test >= 2**64 and (self.validation or not self.tests_all):
            raise ValueError("the held-out parts leave nothing for training")
        return self

    @property
    def tests_all(self) -> bool:
        """Whether all there is, is the test part."""
        return self.test == 2**64

    @property
    def hashed(self) -> Split:
        """The same shares of other words than those that were ranked."""
        return Split(validation=self.validation, test=self.test) if self.ranks else self

    def bounds(self, split: SplitName, length: int = 0) -> tuple[int, int]:
        """The part `split` holds, of words of a length: first and last hash; of none, (1, 0)."""
        test, rest = self.test, self.test + self.validation
        for rank in self.ranks:
            if rank.length == length:
                test, rest = rank.test, rank.validation
        low, high = {"test": (0, test), "validation": (test, rest)}.get(split, (rest, 2**64))
        return (low, high - 1) if low < high else (1, 0)


class Unigrams(Node):
    """A law to be counted: that of the likeliest tokens of a corpus, by the first `tokens` for training.

    Symbol i is as likely as the token that comes i-th by how often it is there, among as many as there are
    symbols: rarer ones are left out.
    """

    corpus: str
    tokens: int = Field(ge=1)


class Program(Node):
    """Rows as a pure function of (data seed, source name, split, index). `kind` names it, and its file.

    `told_by` says what is hashed of a row that holds no words: the part it belongs to is told by that.
    """

    told_by: ClassVar[str] = "row"

    # Each program has the field itself, in its place among the others: plans are written in that order.
    if TYPE_CHECKING:
        kind: str
    split: Split = Split()

    @property
    def awaited(self) -> Unigrams | None:
        """The law that it, or a program it is made of, waits for; until then it has no rows."""
        return None

    def weighed(self, counts: Sequence[int]) -> Self:
        """This program with the law it waits for, by how often each token of the corpus is there."""
        return self


class WordProgram(Program):
    """Words of a length law over `symbols` ids, laid out in rows by the common rule."""

    lengths: Lengths

    @property
    def symbols(self) -> int:
        """How many ids words are made of."""
        raise NotImplementedError


def thresholds(symbols: int, counts: Sequence[int]) -> tuple[int, ...]:
    """The likeliest tokens as so many symbols: their cumulated probabilities, over 2**32.

    >>> [part / 2**32 for part in thresholds(2, [1, 0, 6, 2])]
    [0.75]
    """
    likeliest = sorted(counts, reverse=True)[:symbols]
    parts = list(accumulate([*likeliest, *[0] * (symbols - len(likeliest))]))
    return tuple((part << 32) // parts[-1] for part in parts[:-1])


# The type of a field that holds any program.
AnyProgram = Annotated[Program, ByKind()]

"""What is held out of training, as it is written: shares by a hash, or all words of one sort."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from procdsl.grammars._lengths import Whole
from procdsl.kinds import Node
from procdsl.programs.base import LONGEST, Lengths, Split

Sort = Literal["length", "depth", "rules"]
SORTS: tuple[Sort, ...] = ("length", "depth", "rules")


class Over(Node):
    """All numbers above one."""

    over: int = Field(ge=1, le=LONGEST)


def _lengths_shape(value: Any) -> Any:
    if isinstance(value, Over) or (isinstance(value, tuple | list) and value):
        return value
    if isinstance(value, dict) and set(value) == {"over"}:
        return Over.model_validate(value, strict=True)
    raise ValueError("lengths held out are a list of whole numbers, or { over = 64 }")


HeldLengths = Annotated[tuple[Whole, ...] | Over, BeforeValidator(_lengths_shape)]


class HeldOut(Node):
    """What part of the words is kept from training.

    `validation` and `test` are shares of the words, told by a hash; `by` says of what, and is settled by how
    many words there are. Where `length`, `depth` or `rules` is given, the test part is instead all words of
    these lengths, all that nest deeper, or all that one of these rules made: training and validation have
    none of them, and share the rest by the hash. Of several, the test part has the words that are of every
    sort, training those of none; the others are in no part.
    """

    validation: float = Field(default=0.005, ge=0, le=0.5)
    test: float = Field(default=0.005, ge=0, lt=0.5)
    by: Literal["word", "row", "rank"] | None = None
    length: HeldLengths | None = None
    depth: Over | None = None
    rules: tuple[int | str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_test_part(cls, value: Any) -> Any:
        """Of words told by their sort all are the test part: it has no share beside it."""
        if not isinstance(value, dict):
            return value
        if value.get("rules") in ((), []):
            raise ValueError("`rules` names none to hold out")
        sorts = [sort for sort in SORTS if value.get(sort)]
        if sorts and value.get("test"):
            raise ValueError(f"`{sorts[0]}` says what the test part is: it has no share `test` as well")
        if sorts and sorts[-1] != "length" and value.get("by") == "rank":
            raise ValueError(f'`by = "rank"` counts all words, and `{sorts[-1]}` takes some away')
        return {**value, "test": 0.0} if sorts else value

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """What tells the words of the test part, if it is not a hash."""
        return tuple(sort for sort in SORTS if getattr(self, sort))

    @property
    def told(self) -> str:
        """What tells the words of the test part, in words."""
        found = list[str]()
        match self.length:
            case Over(over=most):
                found.append(f"of over {most} symbols")
            case (first, *more):
                found.append(f"of {', '.join(map(str, (first, *more)))} symbols")
        if self.depth:
            found.append(f"over {self.depth.over} deep")
        if self.rules:
            found.append(f"made by {'; '.join(map(str, self.rules))}")
        return " ".join(("words" if self.length or self.depth else "what is", " and ".join(found)))

    @property
    def tests_all(self) -> bool:
        """Whether this is what remains to be said of the test part: that all there is belongs to it."""
        return self.test == 1

    @property
    def of_test(self) -> HeldOut:
        """The same for the grammar of the test part."""
        return self.model_copy(update={"validation": 0.0, "test": 1.0}) if self.sorts else self

    def any(self) -> bool:
        """Whether a hash holds something out."""
        return bool(self.validation or self.test) and not self.tests_all

    def split(self, by: Literal["word", "row"] = "word") -> Split:
        """The shares as programs have them."""
        return Split(validation=int(self.validation * 2**64), test=int(self.test * 2**64), by=by)

    @property
    def beyond(self) -> int | None:
        """What the words of this part are all deeper than, if anything."""
        return self.depth.over if self.depth and self.tests_all else None

    def bound(self, depth: int | None) -> int | None:
        """The bound of the depth of this part's words, where all words have this one."""
        if self.depth is None or self.tests_all:
            return depth
        return self.depth.over if depth is None else min(depth, self.depth.over)

    def keeps(self, length: int) -> bool:
        """Whether this part has words of a length, as far as `length` says."""
        if self.length is None:
            return True
        held = length > self.length.over if isinstance(self.length, Over) else length in self.length
        return held == self.tests_all

    def within(self, law: Lengths) -> Lengths:
        """A law of lengths without those of the other part. ValueError where none is left."""
        kept = {n: share for n, share in zip(law.values, law.shares, strict=True) if self.keeps(n)}
        if not kept:
            raise ValueError("no length is left")
        return Lengths(values=tuple(kept), weights=tuple(kept.values()) if law.weights else ())

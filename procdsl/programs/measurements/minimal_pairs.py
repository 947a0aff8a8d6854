"""Right against wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from procdsl.programs.measurements.base import HeldOutMeasurement


class MinimalPairsMeasurement(HeldOutMeasurement):
    """Of two sentences, or words, the right one should be the likelier: `accuracy`, whole and of each subset.

    Sentences are those of `files`, in the ids of the corpus `source`; binding sets `digest`, of their
    content, which then stands for them in keys. Without files, words of the grammar, and each with one symbol
    replaced so that it is no word. `rows` bounds the pairs, of a file or of the grammar.
    """

    headline: ClassVar[str] = "accuracy"
    kind: Literal["minimal_pairs"] = "minimal_pairs"
    files: tuple[str, ...] = ()
    digest: str = ""
    begin: Literal["separator", "nothing"] = "separator"

    @property
    def unkeyed(self) -> frozenset[str]:
        return frozenset({"files"}) if self.digest else frozenset()

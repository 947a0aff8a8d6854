"""Crossing dependencies: pairs that nest but for a share of them, which lie at drawn distances."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.grammars._dependencies import Crossed


class Crossing(Crossed):
    """Of the free positions a `share` opens a pair at a distance of the law, as in `flat`; the others nest.

    Types are drawn by `weights`: `"uniform"`, `"zipf(1.0)"`, `"zipf(1.0, 2.7)"`, the rank moved
    by 2.7, or `"corpus(NAME)"`, as the most frequent tokens of a corpus are (as `iid` says).
    Partners are spelt alike unless `paired`. The language of Papadimitriou & Jurafsky 2023 has a share of
    0.01; with `faithful`, partners may go missing as theirs do.

    ```toml
    kind     = "crossing"
    types    = 8
    share    = 0.1
    distance = { uniform = [1, 10] }
    length   = { uniform = [10, 30] }
    ```
    """

    kind: Literal["crossing"] = "crossing"
    share: float = Field(gt=0, lt=1)
    p_open: float = Field(default=0.49, gt=0, lt=1)

    def shares(self) -> tuple[float, float]:
        return self.share, self.p_open

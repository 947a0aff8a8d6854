"""Flat dependencies: pairs at drawn distances, with no regard to one another."""

from __future__ import annotations

from typing import Literal

from procdsl.grammars._dependencies import Crossed


class Flat(Crossed):
    """Pairs at distances of a law: each free position opens one and books a free place for its partner.

    Types are drawn by `weights`: `"uniform"`, `"zipf(1.0)"`, `"zipf(1.0, 2.7)"`, the rank moved
    by 2.7, or `"corpus(NAME)"`, as the most frequent tokens of a corpus are (as `iid` says).
    Partners are spelt alike unless `paired`. A distance is drawn among the free places, the nearest taken
    where the law names none; with `faithful`, two places around are tried and partners may go missing, as
    published.

    ```toml
    kind     = "flat"
    types    = 8
    weights  = "zipf(1.0)"
    distance = { uniform = [1, 10] }
    length   = { uniform = [10, 30] }
    ```
    """

    kind: Literal["flat"] = "flat"

    def shares(self) -> tuple[float, float]:
        return 1.0, 0.0

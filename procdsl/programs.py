"""The closed set of things the machine can do: generator programs and measurements, as frozen types.

Grammars, sources and evaluations are open families; each of their kinds lowers to these. Kernels execute
programs, plans contain them, and the runner knows nothing else. A program speaks in *ids*: the alphabet's
ids come first, 0 .. A-1, then the specials. `semantics` numbers live in the operations that hold programs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl.kinds import Node


class Interval(Node):
    """A number known to lie between two bounds; exact when they are equal."""

    low: float
    high: float


# ---------------------------------------------------------------- generator programs


class CounterProgram(Node):
    """Words by counting open brackets: k-Dyck (one stack) and k-shuffle-Dyck (k counters).

    Ids: opening bracket of type t is t, closing is k + t. `uniform` draws every word of the length with
    the same probability; `process` is the published random walk (opens with `p_open`).
    """

    kind: Literal["counter"] = "counter"
    family: Literal["dyck", "shuffle_dyck"]
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: float | None = Field(default=None, gt=0, lt=1)


class IidProgram(Node):
    """Independent symbols, by integer thresholds of their cumulated probabilities over 2**32."""

    kind: Literal["iid"] = "iid"
    thresholds: tuple[int, ...]


AnyProgram = Annotated[CounterProgram | IidProgram, Field(discriminator="kind")]

# ---------------------------------------------------------------- measurements


class LossMeasurement(Node):
    """Teacher-forced cross-entropy on held-out rows of one source.

    Text: `loss` (nats a token), `perplexity`, `bits_per_byte`; generated rows: `loss`, `accuracy` (next
    symbol), and `loss_over_floor` where the floor is known. Text losses are over the text's ids only.
    """

    kind: Literal["loss"] = "loss"
    source: str
    split: Literal["train", "validation", "test"] = "validation"
    rows: int = Field(gt=0)


class AnswerMeasurement(Node):
    """Answers of a task: `token_accuracy`, `exact_match` and `loss` over the scored positions."""

    kind: Literal["answer"] = "answer"
    source: str
    split: Literal["train", "validation", "test"] = "validation"
    rows: int = Field(gt=0)


AnyMeasurement = Annotated[LossMeasurement | AnswerMeasurement, Field(discriminator="kind")]

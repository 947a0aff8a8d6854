"""Models and their vocabularies: shapes, and what they are made of."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.kinds import Node, later

Component = Literal["embedding", "position", "attention", "mlp", "norm", "head"]
COMPONENTS: tuple[Component, ...] = ("embedding", "position", "attention", "mlp", "norm", "head")

Part = Literal["query", "key", "value", "output", "up", "down", "before_attention", "before_mlp", "final"]
# What the components of a layer are made of; the last norm stands behind all layers.
PARTS: dict[Component, tuple[Part, ...]] = {
    "attention": ("query", "key", "value", "output"),
    "mlp": ("up", "down"),
    "norm": ("before_attention", "before_mlp", "final"),
}


class ModelShape(Node):
    """A GPT-2-shaped decoder: pre-LN, learned positions, GELU (tanh form)."""

    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    width: int = Field(gt=0)
    context: int = Field(gt=0)
    tied: bool = True
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def parameters(self, vocabulary: int) -> int:
        """The numbers in such a model, of so many ids."""
        tables = vocabulary * (1 if self.tied else 2) + self.context
        return self.width * (tables + 2 + self.layers * (12 * self.width + 13))


class Vocabulary(Node):
    """A phase's ids: the text's first (`text_size` of them), then the spelt tokens of its grammars.

    `text` is the prepare operation whose tokenizer gives the text's ids; binding settles `text_size`. Where
    positions are frames there are `cells` instead: a frame is fed as the sum of the rows of the cells that
    are 1, and each cell of the next one is asked for by itself.
    """

    text: str | None = None
    text_size: int = Field(default=0, ge=0)
    tokens: tuple[str, ...] = ()
    cells: int = later(0, ge=0)

    @property
    def size(self) -> int:
        """The rows of the embedding."""
        return self.cells or self.text_size + len(self.tokens)

"""The arrays that kernels work on: weights as they read them, their gradients, and room for one group.

Matrices are outputs × inputs, as PyTorch's are, filled up with zeros to fours, and so are the features of
each head. Where each weight stands among the model's parameters is settled once, in arrays of places: reading
the parameters is then one gather, and writing their gradients another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from procdsl.plan import ModelShape
from runner.compiled.lanes import LANES

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
# Positions whose logits are held at once.
HEAD = 32
_LINE = 64  # bytes of a line of the cache


class Ends(NamedTuple):
    """What is not in a block: V × C, context × C, gain and bias (of 4) × C, V × C."""

    embedding: Any
    position: Any
    norm: Any
    head: Any


class Blocks(NamedTuple):
    """The weights of all blocks, layers first; C × C, but up F × C and down C × F, where F = 4 C."""

    norm1: Any
    query: Any
    query_bias: Any
    key: Any
    key_bias: Any
    value: Any
    value_bias: Any
    out: Any
    out_bias: Any
    norm2: Any
    up: Any
    up_bias: Any
    down: Any
    down_bias: Any


class Turned(NamedTuple):
    """Matrices inputs × outputs, for the gradients of what went in."""

    query: Any
    key: Any
    value: Any
    out: Any
    up: Any
    down: Any
    head: Any


class Rows(NamedTuple):
    """A group's rows, in lanes: ids T, and for each chosen position its place, target and number (or -1)."""

    ids: Any
    place: Any
    target: Any
    number: Any
    counts: Any  # scale where there is a number, 0 elsewhere, as lanes
    limit: Any  # the place, as lanes
    seen: Any  # how many positions some lane sees
    every_limit: Any  # the same where all positions are chosen
    every_seen: Any


class Kept(NamedTuple):
    """What the forward pass of all blocks (layers first) keeps for the backward pass."""

    hat1: Any
    deviation1: Any
    q: Any
    k: Any
    v: Any
    y: Any
    top: Any  # of each head the maximum of a row of scores, and 1 / the sum of its powers
    hat2: Any
    deviation2: Any
    u: Any


class Scratch(NamedTuple):
    """What a group works in: T × C, T × F, T × A (the features of all heads), and HEAD × V."""

    x: Any
    chosen: Any
    n: Any
    m: Any
    hat: Any
    deviation: Any
    dx: Any
    dn: Any
    wide: Any
    dwide: Any
    dq: Any
    dk: Any
    dv: Any
    dy: Any
    row: Any
    logits: Any
    none: Any  # zeros, for a bias that is not there


class Layout:
    """Where the weights stand in the flat array of the parameters, behind which stands a zero."""

    def __init__(self, shape: ModelShape, parameters: Mapping[str, Sequence[int]]) -> None:
        sizes = [int(np.prod(form)) for form in parameters.values()]
        flat = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        places = {
            name: part.reshape(form) for (name, form), part in zip(parameters.items(), flat, strict=True)
        }
        self.size = sum(sizes)
        self.tied = "head.weight" not in places
        self.ends, self.blocks = self._ends(places), self._all_blocks(shape, places)
        turned = [getattr(self.blocks, name) for name in Turned._fields[:-1]] + [self.ends.head]
        self.turned = Turned(*(matrix.swapaxes(-1, -2) for matrix in turned))
        self.read = _flat([*self.ends, *self.blocks, *self.turned])
        self._learnt = [*self.blocks, *self.ends[: 3 if self.tied else 4]]
        learnt = _flat(self._learnt)
        self.written = np.empty(self.size + 1, np.int64)
        self.written[learnt] = np.arange(len(learnt))

    def weights(self, packed: Floats) -> tuple[Ends, Blocks, Turned]:
        """The weights in what was gathered by `read`."""
        views = _views(packed, [*self.ends, *self.blocks, *self.turned])
        return Ends(*views[:4]), Blocks(*views[4:-7]), Turned(*views[-7:])

    def gradients(self) -> tuple[Floats, Ends, Blocks]:
        """Zeros for gradients, to be gathered by `written`; a tied head's are the embedding's."""
        packed = np.zeros(sum(each.size for each in self._learnt), np.float32)
        views = _views(packed, self._learnt)
        blocks, ends = views[: len(Blocks._fields)], views[len(Blocks._fields) :]
        return packed, Ends(*ends, *(ends[:1] if self.tied else [])), Blocks(*blocks)

    def _ends(self, places: Mapping[str, Places]) -> Ends:
        head = places["embedding.weight" if self.tied else "head.weight"]
        norm = np.stack([places["norm.weight"], places["norm.bias"]])
        return Ends(*map(self._fours, (places["embedding.weight"], places["position.weight"], norm, head)))

    def _all_blocks(self, shape: ModelShape, places: Mapping[str, Places]) -> Blocks:
        layers = [[*self._block(shape, places, f"blocks.{layer}.")] for layer in range(shape.layers)]
        return Blocks(*(np.stack(tensors) for tensors in zip(*layers, strict=True)))

    def _block(self, shape: ModelShape, places: Mapping[str, Places], block: str) -> Iterator[Places]:
        """The places of one block's weights, in the order of `Blocks`."""

        def of(name: str) -> Places:
            return places[block + name]

        def norm(name: str) -> Places:
            return self._fours(np.stack([of(f"{name}.weight"), of(f"{name}.bias")]))

        def by_head(tensor: Places) -> Places:
            split = tensor.reshape(shape.heads, shape.width // shape.heads, -1)
            filled = np.pad(split, [(0, 0), (0, -split.shape[1] % 4), (0, 0)], constant_values=self.size)
            return filled.reshape(-1, *tensor.shape[1:])

        yield norm("attention_norm")
        for part in range(3):
            for kind in ("weight", "bias"):
                yield self._fours(by_head(np.split(of(f"attention.into.{kind}"), 3)[part]))
        yield self._fours(by_head(of("attention.out.weight").T).T)
        yield self._fours(of("attention.out.bias"))
        yield norm("mlp_norm")
        for name in ("up", "down"):
            yield self._fours(of(f"mlp.{name}.weight"))
            yield self._fours(of(f"mlp.{name}.bias"))

    def _fours(self, places: Places) -> Places:
        """Filled up with the place of the zero, so that each axis is a multiple of four."""
        return np.pad(places, [(0, -length % 4) for length in places.shape], constant_values=self.size)


def room(layout: Layout, shape: ModelShape) -> tuple[Rows, Kept, Scratch]:
    """Room for a group of rows."""
    layers, T = shape.layers, shape.context + 3
    V, C = layout.ends.head.shape
    F, A = layout.blocks.up.shape[1], layout.blocks.query.shape[1]
    rows = Rows(
        **{name: np.zeros((T, LANES), np.int64) for name in ("ids", "place", "target", "number")},
        counts=_lanes(T, 1),
        limit=_lanes(T, 1),
        seen=np.zeros(T, np.int64),
        every_limit=_lanes(T, 1),
        every_seen=np.arange(1, T + 1),
    )
    rows.every_limit[:] = np.arange(T)[:, None, None]
    kept = Kept(*(_lanes(layers, T, width) for width in (C, 1, A, A, A, A, 2 * shape.heads, C, 1, F)))
    widths = [C, C, C, C, C, 1, C, C, F, F, A, A, A, A, 2]
    logits, none = _lanes(HEAD + 1, V), np.zeros(max(C, F, A, V), np.float32)
    return rows, kept, Scratch(*(*(_lanes(T, width) for width in widths), logits, none))


def _lanes(*shape: int) -> Floats:
    """Zeros of lanes that begin with a cache line. The last axis is made odd: a power of two would let
    equal features of all positions share a few lines of the cache."""
    shape = (*shape[:-1], shape[-1] | 1, LANES)
    size = int(np.prod(shape))
    found = np.zeros(size + _LINE // 4, np.float32)
    first = -found.ctypes.data % _LINE // 4
    return found[first : first + size].reshape(shape)


def _flat(places: Sequence[Places]) -> Places:
    return np.concatenate([each.ravel() for each in places])


def _views(packed: Floats, places: Sequence[Places]) -> list[Floats]:
    ends = np.cumsum([each.size for each in places])
    return [part.reshape(each.shape) for part, each in zip(np.split(packed, ends[:-1]), places, strict=True)]

"""Token families as they are written: a number of members, a list of them, or features, count and weights."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from procdsl.kinds import Node

_ZIPF = re.compile(r"zipf\((\d+(?:\.\d*)?|\.\d+)\)")
_MOST = 2**20

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
Spelling = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Family:
    """A token family: its members by index value (or by feature values), and how likely each is of those."""

    members: Mapping[tuple[str, ...], tuple[str, ...]]
    weights: tuple[float, ...]
    features: bool = False

    @property
    def size(self) -> int:
        return len(self.weights)


class TokenFamily(Node):
    """`count` members for each combination of feature values; `weights`: "zipf(s)", or one for each."""

    features: tuple[Identifier, ...] = ()
    count: int = Field(ge=1, le=_MOST)
    weights: str | tuple[Annotated[float, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _weighted(self) -> TokenFamily:
        if isinstance(self.weights, str) and not _ZIPF.fullmatch(self.weights):
            raise ValueError(f'weights are "zipf(1.0)" or a list, not "{self.weights}"')
        if isinstance(self.weights, tuple) and self.weights and len(self.weights) != self.count:
            raise ValueError(f"{len(self.weights)} weights for {self.count} members")
        return self

    def shares(self) -> tuple[float, ...]:
        """A weight for every member."""
        if isinstance(self.weights, str):
            exponent = float(self.weights[len("zipf(") : -1])
            return tuple((rank + 1.0) ** -exponent for rank in range(self.count))
        return self.weights or (1.0,) * self.count


Written = (
    Annotated[int, Field(ge=1, le=_MOST)] | Annotated[tuple[Spelling, ...], Field(min_length=1)] | TokenFamily
)


def read(name: str, written: Written, index: Mapping[str, tuple[str, ...]]) -> Family:
    """The family that is meant. KeyError(feature) where a feature has no values in `index`.

    >>> read("noun", TokenFamily(features=("n",), count=2), {"n": ("sg", "pl")}).members["pl",]
    ('noun[pl,0]', 'noun[pl,1]')
    """
    if isinstance(written, int):
        return _family(name, written)
    if isinstance(written, tuple):
        members: dict[tuple[str, ...], tuple[str, ...]] = {
            (str(place),): (token,) for place, token in enumerate(written)
        }
        return Family(members, (1.0,) * len(written))
    if not written.features:
        return _family(name, written.count, written.shares())
    values = itertools.product(*(index[feature] for feature in written.features))
    spelt = {value: tuple(_spelt(name, value, written.count)) for value in values}
    return Family(spelt, written.shares(), features=True)


def _family(name: str, count: int, weights: Sequence[float] = ()) -> Family:
    """`count` members, spelt name[0], name[1], …

    >>> _family("x", 2).members
    {('0',): ('x[0]',), ('1',): ('x[1]',)}
    """
    members: dict[tuple[str, ...], tuple[str, ...]] = {(str(i),): (f"{name}[{i}]",) for i in range(count)}
    return Family(members, tuple(weights) or (1.0,) * count)


def _spelt(name: str, value: tuple[str, ...], count: int) -> Iterator[str]:
    return (f"{name}[{','.join((*value, str(i)))}]" for i in range(count))

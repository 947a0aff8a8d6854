"""Rows of plug-ins, in plain Python: there is no faster way than their own."""

from __future__ import annotations

from typing import Any

from procdsl import generate
from procdsl.programs.plugin import PluginProgram
from procdsl.splits import spelling
from runner.generators.address import Address


def fill(program: PluginProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on, as the reference gives them."""
    spelt, context = tuple(map(spelling, address.tokens)), ids.shape[1] - 1
    for b in range(len(ids)):
        place = generate.Address(address.seed, address.name, address.split, address.start + b, context, spelt)
        ids[b], scored[b] = generate.row(program, place)

"""Rows of L-systems, as `procdsl.generate.lsystem` says: each generation is read where it was written."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.lsystem import LsystemProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below, new_draws, next32
from runner.generators.splits import content


class Rules(NamedTuple):
    """The axiom, or the law of its length (values, cumulated shares) and what it is drawn from.

    Symbol s has the images rows[s] .. rows[s + 1] - 1: each from `begins` to the next one's in `symbols`,
    drawn when a word of 32 bits is under its place in `under`, and under none before it.
    """

    axiom: Any
    lengths: Any
    edges: Any
    heads: Any
    rows: Any
    begins: Any
    symbols: Any
    under: Any
    alphabet: int
    generations: int
    scores_first: bool


def fill(program: LsystemProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    failed = _fill(_rules(program), new_draws(4), place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@lru_cache(maxsize=64)
def _rules(program: LsystemProgram) -> Rules:
    own = dict(zip(program.heads, zip(program.images, program.thresholds, strict=True), strict=True))
    rows, begins, symbols, under = [0], [0], list[int](), list[int]()
    for symbol in range(program.symbols):
        images, thresholds = own.get(symbol, (((symbol,),), ()))
        for image, threshold in zip(images, (*thresholds, 2**32), strict=True):
            symbols += image
            begins.append(len(symbols))
            under.append(threshold)
        rows.append(len(under))
    law = program.drawn
    return Rules(
        axiom=np.array(program.axiom, np.int64),
        lengths=np.array(law.values if law else (), np.int64),
        edges=np.cumsum(np.array(law.shares if law else (), np.int64)),
        heads=np.array(program.heads, np.int64),
        rows=np.array(rows, np.int64),
        begins=np.array(begins, np.int64),
        symbols=np.array(symbols, np.int64),
        under=np.array(under, np.uint64),
        alphabet=program.symbols,
        generations=program.generations,
        scores_first=program.scores_first,
    )


@kernel
def _fill(rules, draws, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    for b in range(ids.shape[0]):
        row, first, at = ids[b], int64(0), int64(0)
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            first = _axiom(rules, draws, row)
            fits = True
            if rules.lengths.size:
                found = uint64(content(spelt, row[:first]))
                fits = low <= found <= high
            if not fits:
                continue
            begins, ends = int64(0), first
            row[ends] = rules.alphabet
            for _ in range(rules.generations):
                at = _rewrite(rules, draws, row, begins, ends)
                begins, ends = ends + 1, at
                row[ends] = rules.alphabet
            if rules.lengths.size:
                break
            found = uint64(content(spelt, row[begins:ends]))
            if low <= found <= high:
                break
        else:
            return start + b
        at += 1
        scored[b, :at] = 1
        scored[b, : 1 if rules.scores_first else first + 1] = 0
        scored[b, at:] = 0
        row[at:] = rules.alphabet + 1
    return -1


@kernel
def _axiom(rules, draws, row):
    """Writes the axiom; its length."""
    if rules.lengths.size == 0:
        for t in range(rules.axiom.size):
            row[t] = rules.axiom[t]
        return rules.axiom.size
    place = int64(0)
    if rules.lengths.size > 1:
        place = np.searchsorted(rules.edges, below(draws, rules.edges[-1]), side="right")
    length = rules.lengths[place]
    for t in range(length):
        row[t] = rules.heads[below(draws, rules.heads.size)]
    return length


@kernel
def _rewrite(rules, draws, row, begins, ends):
    """Writes the images of what stands from `begins` to `ends` behind its separator; where they end."""
    rows, first, symbols, under, at = rules.rows, rules.begins, rules.symbols, rules.under, ends + 1
    for t in range(begins, ends):
        image = rows[row[t]]
        if rows[row[t] + 1] - image > 1:
            drawn = next32(draws)
            while drawn >= under[image]:
                image += 1
        for place in range(first[image], first[image + 1]):
            row[at] = symbols[place]
            at += 1
    return at

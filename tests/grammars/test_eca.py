"""What the laws cannot say about elementary automata: Wolfram's tables, known evolutions, exact floors."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import product
from typing import Any

import numpy as np
import pytest

from procdsl import analysis
from procdsl.grammars._cells import changed
from procdsl.grammars.eca import Eca
from tests.grammars.examples import drawn, operation


def eca(rule: Any = 110, **fields: Any) -> Any:
    return Eca.model_validate({"rule": rule, "width": 12, "steps": 4} | fields)


def test_rule_110_is_wolframs_table() -> None:
    program = eca(110, width=3, boundary="zero").program()
    table = {(1, 1, 1): 0, (1, 1, 0): 1, (1, 0, 1): 1, (1, 0, 0): 0, (0, 1, 1): 1, (0, 1, 0): 1, (0, 0, 1): 1}
    for around, cell in {**table, (0, 0, 0): 0}.items():
        assert changed(program, [list(around)], 110)[0][1] == cell


def test_rule_110_from_one_cell() -> None:
    """Wolfram 2002, page 32: the triangle grows to the left."""
    program, cells = eca(110, width=8).program(), [[0, 0, 0, 0, 0, 0, 0, 1]]
    lines = list[str]()
    for _ in range(5):
        lines.append("".join(map(str, cells[0])))
        cells = changed(program, cells, 110)
    assert lines == ["00000001", "00000011", "00000111", "00001101", "00011111"]


def test_rule_90_is_pascals_triangle_modulo_2() -> None:
    program, cells = eca(90, width=33).program(), [[int(x == 16) for x in range(33)]]
    for step in range(16):
        assert cells[0] == [
            math.comb(step, (x - 16 + step) // 2) % 2 if abs(x - 16) <= step and (x + step) % 2 == 0 else 0
            for x in range(33)
        ]
        cells = changed(program, cells, 90)


@pytest.mark.parametrize("wraps", ["periodic", "zero"])
def test_drawn_rows_follow_their_rule(wraps: str) -> None:
    made = operation(eca(30, boundary=wraps, burn_in=3))
    ids, scored = drawn(made, "train", 0, 50)
    lines = ids.reshape(50, 5, 13)[:, :, :12]
    left, right = np.roll(lines, 1, 2), np.roll(lines, -1, 2)
    if wraps == "zero":
        left[:, :, 0], right[:, :, -1] = 0, 0
    assert (lines[:, 1:] == (left ^ (lines | right))[:, :-1]).all()
    assert scored[:, :13].sum() == 0
    assert scored[:, 13:].all()


def test_a_drawn_rule_is_one_of_the_list_and_inferred() -> None:
    grammar = eca((90, 150))
    ids, _ = drawn(operation(grammar), "train", 0, 64)
    lines = ids.reshape(64, 5, 13)[:, :, :12]
    first = (np.roll(lines, 1, 2) ^ np.roll(lines, -1, 2))[:, :-1]
    by_90 = (lines[:, 1:] == first).all((1, 2))
    by_150 = (lines[:, 1:] == first ^ lines[:, :-1]).all((1, 2))
    assert (by_90 | by_150).all()
    assert 10 < by_90.sum() < 54
    # The first cell, 1 between 0 and 1, becomes 1 by rule 90 and 0 by rule 150; then all is known.
    line = [*"111000000000", "<row>"]
    assert grammar.legal_next(line) == {"0", "1"}
    assert grammar.legal_next([*line, "1"]) == {"0"}
    assert grammar.legal_next([*line, "0"]) == {"1"}
    assert grammar.reason([*line, "1", "1"]) == "'1' at 15 should be 0"


def _floor(grammar: Any) -> Any:
    return analysis.floor(grammar.program(), length=grammar.longest(), context=grammar.longest())


def test_floors_of_a_known_rule() -> None:
    assert _floor(eca(110)).high == 0
    whole = _floor(eca(110, loss="all"))
    # The first cell is fed and never asked for; separators are sure.
    assert whole.low == whole.high == pytest.approx(11 * math.log(2) / (5 * 13 - 1))
    seen = _floor(eca(110, loss="all", burn_in=5))
    assert seen.low == 0
    assert seen.high == pytest.approx(12 * math.log(2) / 64)


def test_the_floor_of_any_rule() -> None:
    """8 bits of a rule; 32 cells show nearly all of them at once: (8 - ε) ln 2."""
    found = _floor(eca("any", width=32, steps=24))
    assert found.high == pytest.approx(8 * math.log(2) / (24 * 33))
    assert found.high * 0.97 < found.low < found.high


@pytest.mark.parametrize("wraps", ["periodic", "zero"])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_floor_of_drawn_rules_by_enumeration(wraps: str, width: int) -> None:
    grammar = eca((30, 90, 110, 110), width=width, steps=1, boundary=wraps, density=0.3)
    program, nats = grammar.program(), 0.0
    for line in product((0, 1), repeat=width):
        chance = 0.3 ** sum(line) * 0.7 ** (width - sum(line))
        after = Counter(str(changed(program, [line], rule)) for rule in program.rules)
        nats -= chance * sum(n / 4 * math.log(n / 4) for n in after.values())
    assert _floor(grammar).low == pytest.approx(nats / (width + 1), abs=1e-7)


def test_starts_have_their_density_and_are_held_out_under_every_rule() -> None:
    made = operation(eca("any", width=20, density=0.25))
    starts = defaultdict[str, set[bytes]](set)
    for split, count in (("train", 4000), ("test", 400)):
        ids, _ = drawn(made, split, 0, count)
        starts[split] |= {row[:20].tobytes() for row in ids}
        assert ids[:, :20].mean() == pytest.approx(0.25, abs=0.02)
    assert not starts["train"] & starts["test"]

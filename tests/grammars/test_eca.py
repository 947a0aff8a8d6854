"""What the laws cannot say about elementary automata: Wolfram's tables, known evolutions, exact floors."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import product
from typing import Any

import numpy as np
import pytest

from procdsl import analysis, generate
from procdsl.grammars._cells import changed
from procdsl.grammars.eca import Eca
from procdsl.grammars.life import Life
from tests.grammars.examples import drawn, operation, unsplit, words_of


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


def test_frames_lie_as_many_steps_ahead_as_is_said() -> None:
    """Of a row of 13 steps, every third."""
    every, third = unsplit(eca(30, steps=12)), unsplit(eca(30, steps=4, ahead=3))
    shown = drawn(operation(every), "train", 0, 40)[0].reshape(40, 13, 13)
    ids, scored = drawn(operation(third), "train", 0, 40)
    assert (ids.reshape(40, 5, 13) == shown[:, ::3]).all()
    assert scored.sum() == 40 * 4 * 13
    assert _floor(third).high == 0
    some = eca((90, 150), ahead=3)
    assert _floor(some).low == 0
    assert _floor(some).high == pytest.approx(math.log(2) / (4 * 13))


def test_what_may_follow_lies_as_many_steps_ahead() -> None:
    """Rules 90 and 150 twice, by the squares of their polynomials: cells at -2 and 2, and the middle one."""
    grammar = eca((90, 150), ahead=2)
    line = [*"110000000000", "<row>"]
    assert grammar.legal_next([*line]) == {"0", "1"}
    after = {90: "001100000011", 150: "111100000011"}
    assert grammar.legal_next([*line, after[90][0]]) == {after[90][1]}
    for rule, frame in after.items():
        assert eca(rule, ahead=2, steps=1).accepts([*line, *frame, "<row>"])


@pytest.mark.parametrize("fields", [{"ahead": 3}, {"encode": "vectors"}, {"encode": "vectors", "ahead": 2}])
@pytest.mark.parametrize("rule", [110, (30, 90, 110)])
def test_the_reference_agrees_with_the_kernel_in_every_form(fields: Any, rule: Any) -> None:
    grammar = eca(rule, **fields)
    for context in (grammar.longest(), grammar.longest() + 3):
        made = operation(grammar, context)
        ids, scored = drawn(made, "train", 5, 8)
        told = generate.rows(made, seed=0, split="train", start=5, count=8)
        assert (ids.tolist(), scored.tolist()) == told
        for row in ids[:2]:
            word = words_of(grammar, row)[0]
            assert grammar.reason(word) is None
            assert all(word[cut] in grammar.legal_next(word[:cut]) for cut in range(len(word)))


def test_vectors_are_the_frames_of_tokens_in_the_same_parts() -> None:
    tokens, vectors = eca(110), eca(110, encode="vectors")
    assert (vectors.longest(), vectors.cells(), vectors.tokens()) == (4, 12, ("0", "1", "<pad>"))
    for split in ("train", "test"):
        written, _ = drawn(operation(tokens), split, 0, 20)
        ids, scored = drawn(operation(vectors), split, 0, 20)
        assert (ids.reshape(20, 5, 12) == written.reshape(20, 5, 13)[:, :, :12]).all()
        assert (scored.reshape(20, 5, 12) == [[[0], [1], [1], [1], [1]]]).all()
    assert _floor(vectors).high == 0


def test_faults_of_vectors() -> None:
    assert [*eca(encode="vectors", width=20).problems(64)] == []
    for fields in ({"loss": "all"}, {"separator": True}, {"width": 5000}):
        assert [p.code for p in eca(**{"encode": "vectors", "width": 20} | fields).problems(64)] == ["P346"]
    patched = Life.model_validate({"grid": [4, 4], "patch": [2, 2], "steps": 3, "encode": "vectors"})
    assert "P346" in [p.code for p in patched.problems(64)]

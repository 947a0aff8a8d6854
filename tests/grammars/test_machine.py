"""Machines: runs are followed again from their printed rows."""

from __future__ import annotations

from typing import Any

import pytest

from procdsl import generate
from procdsl.errors import RunError
from tests.grammars.examples import drawn, operation, read

STACK = """
kind    = "machine"
memory  = { s = "stack" }
steps   = 64
encode  = { push = "{x}", pop = "<pop>" }
output  = "s | reverse"
symbols = { sym = 99 }
"""
REPAIRED = """
push x : s.push(x)  [0.75 if 3*t < 2*T else 0.25]  for x in sym if x not in s
pop    : s.pop()    [0.25 if 3*t < 2*T else 0.75]  if len(s) > 1
"""
# Published code takes two thirds of the length, rounded down, and pops at the last step where it can.
FAITHFUL = """
push x : s.push(x)  [0.75 if t < 2*T // 3 else 0.25]  for x in sym if x not in s and (t < T - 1 or len(s) < 2)
pop    : s.pop()    [0.25 if t < 2*T // 3 else 0.75]  if len(s) > 1
"""


def machine(toml: str, ops: str) -> Any:
    return read(f"{toml}ops = '''{ops}'''\n")


def rows(grammar: Any, count: int) -> list[tuple[list[str], int]]:
    """Rows without padding, and how much of them is scored; both ways of making them agree."""
    assert not list(grammar.problems(4_096))
    made = operation(grammar)
    ids, scored = drawn(made, "train", 0, count)
    some = generate.rows(made, seed=0, split="train", start=0, count=10)
    assert (ids[:10].tolist(), scored[:10].tolist()) == some
    printed = [[token for id in row if (token := grammar.tokens()[id]) != "<pad>"] for row in ids.tolist()]
    for row in printed[:10]:
        assert grammar.reason(row) is None
        assert all(token in grammar.legal_next(row[:cut]) for cut, token in enumerate(row))
    return list(zip(printed, scored.sum(axis=1).tolist(), strict=True))


@pytest.mark.parametrize(("ops", "even"), [(REPAIRED, False), (FAITHFUL, True)])
@pytest.mark.slow
def test_the_stack_of_the_study(ops: str, even: bool) -> None:
    """Published: 10.9 left on average, 2 to 32, and always an even number, as the steps are."""
    left = list[int]()
    for row, scored in rows(machine(STACK, ops), 4_000):
        run, answer = row[:64], row[65:-1]
        stack = list[str]()
        for token in run:
            if token == "<pop>":
                assert len(stack) > 1
                stack.pop()
            else:
                assert token not in stack
                stack.append(token)
        assert answer == stack[::-1]
        assert (row[64], row[-1], scored) == ("<sep>", "<end>", len(stack) + 1)
        left.append(len(stack))
    assert all(size % 2 == 0 for size in left)
    if even:
        assert sum(left) / len(left) == pytest.approx(10.9, abs=0.4)


def test_weights_and_guards_of_a_walk() -> None:
    toml = """
kind   = "machine"
memory = { c = "counter", q = "queue" }
steps  = { uniform = [4, 20] }
output = "concat(c | digits, c)"
symbols = { k = 3 }
"""
    ops = """
up     : c += 2       [2]
down   : c -= 1       if c % 2 == 0 or len(q) >= 1
put x  : q.push(x)    [0.5] for x in k if x not in q
get    : q.pop()      [1]
"""
    names = list[str]()
    for row, _ in rows(machine(toml, ops), 300):
        run, answer = row[: row.index("<sep>")], row[row.index("<sep>") + 1 : -1]
        count, queue = 0, list[str]()
        for token in run:
            names.append(token)
            if token == "up":
                count += 2
            elif token == "down":
                assert count % 2 == 0 or queue
                count -= 1
            elif token == "get":
                queue.pop(0)
            elif token != "put":
                assert token not in queue
                queue.append(token)
            assert count >= 0
        assert answer == [*str(count), str(count)]
    assert {"up", "down", "put", "get"} <= set(names)


@pytest.mark.parametrize(
    ("ops", "said", "marked"),
    [
        ("push x : s.shove(x) for x in sym", "an instruction is", "push x : s.shove(x) for x in sym"),
        ("push x : r.push(x) for x in sym", "r is no memory", "r"),
        ("push x : s.push(x) for x in smy", "for x in pool", "p"),
        ("push x : s.push(x) [q + 1] for x in sym", "q is no memory", "q"),
        ("push x : s.push(x) [1 +] for x in sym", "a value is missing before 'the end'", None),
        ("push x : s += 1 for x in sym", "a stack cannot do this", "s"),
        ("push x : s.push(x) for x in sym if len(s) > ", "a value is missing", None),
    ],
)
def test_faults_are_placed(ops: str, said: str, marked: str | None) -> None:
    (found,) = machine(STACK, ops).problems(4_096)
    assert (found.code, found.path) == ("P360", ("ops",))
    assert said in found.message
    if marked is not None:
        start, width = found.span
        assert ops[start : start + width] == marked


def test_a_machine_that_is_stuck_says_so() -> None:
    made = operation(machine(STACK, "push x : s.push(x) for x in sym if len(s) < 9"))
    with pytest.raises(RunError, match="instruction may be done"):
        drawn(made, "train", 3, 4)
    with pytest.raises(RunError, match="instruction may be done"):
        generate.rows(made, seed=0, split="train", start=0, count=1)

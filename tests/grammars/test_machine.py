"""Machines: runs are followed again from their printed rows."""

from __future__ import annotations

from typing import Any

import pytest

from procdsl import generate
from procdsl.errors import RunError
from tests.grammars.examples import READ, drawn, operation, read

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


TAKES = {"note": 1, "less": 0, "forget": 1, "keep": 1, "clear": 0, "send": 0, "next": 0, "bind": 1}
TAKES |= {"link": 2, "loose": 1, "tick": 0}


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


def test_swaps_of_registers() -> None:
    """State tracking: symbols are laid into three registers, then change places."""
    toml = """
kind    = "machine"
memory  = { a = "register", b = "register", c = "register" }
steps   = { uniform = [4, 24] }
output  = "concat(a, b, c)"
symbols = { x = 5 }
"""
    ops = """
first v  : a.set(v)  for v in x if t == 0
second v : b.set(v)  for v in x if t == 1 and v not in a
third v  : c.set(v)  for v in x if t == 2 and v not in a and v not in b
ab       : a.swap(b) if t > 2
bc       : b.swap(c) [2] if t > 2
copy     : a.set(c)  [0.1] if t > 2
"""
    swapped = 0
    for row, scored in rows(machine(toml, ops), 300):
        run, answer = row[: row.index("<sep>")], row[row.index("<sep>") + 1 : -1]
        a, b, c = run[1], run[3], run[5]
        assert run[:6:2] == ["first", "second", "third"]
        assert len({a, b, c}) == 3
        for token in run[6:]:
            a, b, c = {"ab": (b, a, c), "bc": (a, c, b), "copy": (c, b, c)}[token]
        assert answer == [a, b, c]
        assert scored == len(answer) + 1
        swapped += run.count("bc") - run.count("ab")
    assert swapped > 0


def test_a_counter_modulo_is_told_at_every_step() -> None:
    toml = """
kind   = "machine"
memory = { c = "counter" }
steps  = 16
trace  = "mod(c, 3)"
"""
    for row, scored in rows(machine(toml, "up : c += 1\ndown : c -= 1\nstay : pass\nfar : c += 5"), 200):
        count = 0
        for token, shown in zip(row[:-1:2], row[1:-1:2], strict=True):
            count += {"up": 1, "down": -1, "stay": 0, "far": 5}[token]
            assert shown == str(count % 3)
        assert (row[-1], scored, len(row)) == ("<end>", 16, 33)


def test_a_map_answers_what_was_put_last() -> None:
    """A store of keys: what is asked for has been put, and the last value counts."""
    toml = """
kind    = "machine"
memory  = { m = "map" }
steps   = { uniform = [1, 40] }
trace   = { get = "m | lookup(k)" }
symbols = { key = 6, value = 9 }
"""
    ops = """
put k v : m.put(k, v)  for k in key, v in value
drop k  : m.remove(k)  [0.3] for k in key if k in m
get k   : pass         [2] for k in key if k in m
"""
    asked = list[int]()
    for row, scored in rows(machine(toml, ops), 400):
        store, at, gets = dict[str, str](), 0, 0
        while row[at] != "<end>":
            name, key = row[at : at + 2]
            if name == "put":
                assert row[at + 2].startswith("value")
                store[key] = row[at + 2]
            elif name == "drop":
                del store[key]
            else:
                assert row[at + 2] == store[key]
                gets += 1
            at += 2 if name == "drop" else 3
        assert scored == gets
        asked.append(gets)
    assert max(asked) > 10


@pytest.mark.parametrize(
    ("trace", "shown"),
    [
        ('"s | length"', lambda stack: [str(len(stack))]),
        ('"s | last"', lambda stack: stack[-1:]),
        ('"s"', lambda stack: [*stack, "<sep>"]),
        ('{ pop = "s | last" }', None),
    ],
)
def test_traces_of_a_stack(trace: str, shown: Any) -> None:
    toml = f"{STACK}trace = {trace}\n".replace("99", "4").replace("64", "10")
    ops = "push x : s.push(x) for x in sym\npop : s.pop()"
    for row, scored in rows(machine(toml, ops), 200):
        stack, at, traced = list[str](), 0, 0
        for _ in range(10):
            token, at = row[at], at + 1
            if token == "<pop>":
                stack.pop()
            else:
                stack.append(token)
            said = shown(stack) if shown else stack[-1:] if token == "<pop>" else []
            assert row[at : at + len(said)] == said
            at, traced = at + len(said), traced + len(said)
        assert row[at:] == ["<sep>", *stack[::-1], "<end>"]
        assert scored == traced + len(stack) + 1


@pytest.mark.slow
def test_everything_at_once() -> None:
    """Every memory and all that is done with it, told at every step: by the book and by the kernel."""
    toml = """
kind    = "machine"
memory  = { s = "set", q = "queue", r = "register", m = "map", c = "counter" }
steps   = { uniform = [20, 30] }
output  = "concat(q, s)"
trace   = "concat(m | keys, m | values, s, q, r)"
symbols = { x = 4, y = 3 }
"""
    ops = """
note a   : s.push(a)    for a in x
less     : s.pop()      [0.2]
forget a : s.remove(a)  [0.2] for a in x
keep a   : r.set(a)     for a in x if a in s
clear    : r.pop()      [0.1]
send     : q.push(r)
next     : q.pop()      [0.2]
bind b   : m.put(r, b)  for b in y
link a b : m.put(b, a)  for a in x, b in y if b not in m
loose b  : m.remove(b)  for b in y
tick     : c += 2       if c < 9
"""
    seen = set[str]()
    for row, _ in rows(machine(toml, ops), 200):
        s, q, r, m, at = list[str](), list[str](), list[str](), dict[str, str](), 0
        while row[at] != "<sep>":
            name, at = row[at], at + 1
            taken, at = row[at : at + TAKES[name]], at + TAKES[name]
            seen.add(name)
            match name:
                case "note":
                    s += [one for one in taken if one not in s]
                case "less":
                    s.pop()
                case "forget":
                    s = [one for one in s if one not in taken]
                case "keep":
                    assert taken[0] in s
                    r = taken
                case "clear":
                    r = []
                case "send":
                    q += [*r]
                case "next":
                    q.pop(0)
                case "bind":
                    m[r[0]] = taken[0]
                case "link":
                    assert taken[1] not in m
                    m[taken[1]] = taken[0]
                case "loose":
                    m.pop(taken[0], None)
            told = [*m, *m.values(), *s, *q, *r, "<sep>"]
            assert row[at : at + len(told)] == told
            at += len(told)
        assert row[at:] == ["<sep>", *q, *s, "<end>"]
    assert seen == TAKES.keys()


def test_a_row_that_errs_is_told_where() -> None:
    toml = f"{STACK}trace = 's | last'\n".replace("99", "4").replace("64", "2")
    grammar = machine(toml, "push x : s.push(x) for x in sym if x not in s\npop : s.pop()")
    assert grammar.reason(["sym1", "sym1", "<pop>", "<sep>", "<end>"]) is None
    assert grammar.reason(["<pop>"]) == "'<pop>' at 1 is no instruction that may be done"
    assert grammar.reason(["sym1", "sym2"]) == "'sym2' at 2 should be 'sym1'"
    assert grammar.reason(["sym1", "sym1", "sym1"]) == "'sym1' at 3 is no instruction that may be done"
    assert grammar.reason(["sym1", "sym1", "<pop>", "<sep>"]) == "it ends too early, after 4 tokens"
    assert "comes after the end" in grammar.reason(["sym1", "sym1", "<pop>", "<sep>", "<end>", "<end>"])
    assert grammar.legal_next(["sym1", "sym1"]) == {"sym0", "sym2", "sym3", "<pop>"}
    assert grammar.legal_next(["sym1"]) == {"sym1"}


def test_a_guard_may_know_the_number_of_steps() -> None:
    """Of a beginning nobody knows how many steps there will be: all numbers are kept that it can be."""
    toml = """
kind   = "machine"
memory = { c = "counter" }
steps  = { choice = { 2 = 1.0, 3 = 1.0 } }
output = "c"
"""
    grammar = machine(toml, "up : c += 1 if T == 3\nfar : c += 2 if T == 2 or t == 2")
    assert grammar.legal_next(["up"]) == {"up"}
    assert grammar.legal_next(["up", "up"]) == {"up", "far"}
    assert grammar.legal_next(["far", "far"]) == {"<sep>"}
    assert grammar.legal_next(["far", "far", "<sep>"]) == {"4"}
    assert grammar.reason(["up", "up", "far", "<sep>", "4", "<end>"]) is None
    assert grammar.reason(["up", "far"]) == "'far' at 2 is no instruction that may be done"


@pytest.mark.parametrize(
    ("ops", "said", "marked"),
    [
        ("push x : s.shove(x) for x in sym", "an instruction is", "push x : s.shove(x) for x in sym"),
        ("push x : r.push(x) for x in sym", "r is no memory", "r"),
        ("push x : s.push(x) for x in smy", "smy is no pool of symbols", "smy"),
        ("push x : s.push(x) [q + 1] for x in sym", "q is no memory", "q"),
        ("push x : s.push(x) [1 +] for x in sym", "a value is missing before 'the end'", None),
        ("push x : s += 1 for x in sym", "a stack cannot do this", "s"),
        ("push x : s.push(x) for x in sym if len(s) > ", "a value is missing", None),
        ("push x : s.push(y) for x in sym", "y is no symbol that this instruction takes", "y"),
        ("push x : s.push(x, x) for x in sym", "a stack cannot do this", "s"),
        ("push x : s.swap(x) for x in sym", "a stack cannot do this", "s"),
        ("push x y : s.push(x) for x in sym", "nothing says what y is", "p"),
        ("push x : s.push(x) for x in sym, x in sym", "each symbol is named once", "p"),
        ("push : s.push()", "a stack cannot do this", "s"),
    ],
)
def test_faults_are_placed(ops: str, said: str, marked: str | None) -> None:
    (found,) = machine(STACK, ops).problems(4_096)
    assert (found.code, found.path) == ("P360", ("ops",))
    assert said in found.message
    if marked is not None:
        start, width = found.span
        assert ops[start : start + width] == marked


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"trace": {"psuh": "s"}}, ("trace", "psuh"), "psuh is no instruction"),
        ({"trace": {"push": "s | lst"}}, ("trace", "push"), "lst is no word function"),
        ({"trace": "concat(s, y)"}, ("trace",), "y is no input"),
        ({"trace": "s | chunk(2)"}, ("trace",), "a word of words"),
        ({"output": "c"}, ("output",), "a number can be as large as 64,000,000"),
        ({"output": None}, (), "nothing is said"),
        ({"ops": "up x : c += 1 for x in sym if x in c"}, ("ops",), "c is a counter"),
        ({"ops": "up x : r.swap(x) for x in sym"}, ("ops",), "x is no register"),
        ({"ops": ""}, ("ops",), "at least one instruction"),
    ],
)
def test_faults_of_what_is_told(changes: dict[str, Any], path: tuple[str, ...], said: str) -> None:
    made = machine(STACK, "push x : s.push(x) for x in sym\nup : c += 1000000").model_dump(exclude_none=True)
    made |= {"memory": {"s": "stack", "c": "counter", "r": "register"}, **changes}
    (found,) = READ.validate_python(made).problems(4_096)
    assert (found.code, found.path) == ("P360", path)
    assert said in found.message


def test_a_machine_that_is_stuck_says_so() -> None:
    made = operation(machine(STACK, "push x : s.push(x) for x in sym if len(s) < 9"))
    with pytest.raises(RunError, match="instruction may be done"):
        drawn(made, "train", 3, 4)
    with pytest.raises(RunError, match="instruction may be done"):
        generate.rows(made, seed=0, split="train", start=0, count=1)

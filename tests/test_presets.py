"""Presets: each form draws words of its language, both ways alike, and has the published statistics."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procdsl import analysis, generate, presets
from procdsl.compiler import compile
from procdsl.errors import Severity, SpecError
from procdsl.presets import preset
from procdsl.programs.base import Interval
from tests.grammars.examples import READ, drawn, operation, words_of

# Shorter words than published, where the slow reference is to draw them too.
SHORT = {
    "k_dyck": {"length": 64},
    "k_shuffle_dyck": {"length": 64},
    "hu_shuffle_dyck": {"length": 64},
    "hu_dyck": {"length": {"natural": 64}},
    "random_digits": {"length": 64},
    "nca": {"steps": 2, "grid": [4, 4], "states": 3},
    "rule_110": {"steps": 3},
    "rule_110_vectors": {"steps": 3},
    "hu_copy": {"length": {"uniform": [20, 40]}},
}
SHORT |= {name: {"n": 20} for name in presets.names() if name.startswith("wu_")}
FORMS = [(name, faithful) for name in presets.names() for faithful in (False, True)]
every_form = pytest.mark.parametrize(("name", "faithful"), FORMS)


def form(name: str, faithful: bool = False, **changes: Any) -> Any:
    return READ.validate_python({**preset(name).table(faithful=faithful), **changes})


Row = tuple[list[str], list[str]]


def rows(grammar: Any, count: int) -> list[Row]:
    """Rows without their padding, and what is scored of them."""
    made = operation(grammar)
    ids, scored = drawn(made, "train", 0, count)
    spelt = np.array(made.tokens)[ids]
    return [
        ([token for token in row if token != "<pad>"], [*row[flags == 1]])
        for row, flags in zip(spelt, scored, strict=True)
    ]


@pytest.mark.slow
@every_form
def test_a_form_draws_words_of_its_language_both_ways_alike(name: str, faithful: bool) -> None:
    grammar = form(name, faithful, **SHORT.get(name, {}))
    assert not [p for p in grammar.problems(grammar.longest()) if p.severity is Severity.ERROR]
    made = operation(grammar, grammar.longest())
    for split in ("train", "test"):
        ids, scored = drawn(made, split, 7, 3)
        assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split=split, start=7, count=3)
        for row in ids:
            for word in words_of(grammar, row):
                assert grammar.reason(word) is None


@every_form
def test_a_form_is_as_large_as_published(name: str, faithful: bool) -> None:
    grammar = form(name, faithful)
    assert not [p for p in grammar.problems(grammar.longest()) if p.severity is Severity.ERROR]
    assert preset(name).about
    assert preset(name).source


# ---------------------------------------------------------------- Jiang, Shinnick et al. 2026


def places(word: list[str]) -> list[int]:
    return [int(symbol.removeprefix("sym")) for symbol in word]


ORACLES = {
    "identity": lambda x: x,
    "reverse": lambda x: x[::-1],
    "sort": sorted,
    "set": lambda x: list(dict.fromkeys(x)),
}


@pytest.mark.parametrize("name", ORACLES)
def test_the_tasks_of_one_word(name: str) -> None:
    """x SEP answer, and nothing behind it in the published form; what is scored begins behind SEP."""
    sizes = list[int]()
    for row, scored in rows(form(name, True), 2_000):
        answer = [f"sym{i}" for i in ORACLES[name](places(row[:64]))]
        assert row[64:] == ["<sep>", *answer]
        assert scored == answer
        sizes.append(len(answer))
    for row, scored in rows(form(name), 20):
        assert row[-1] == scored[-1] == "<end>"
        assert row[64:-1] == ["<sep>", *scored[:-1]]
    if name == "set":
        assert np.mean(sizes) == pytest.approx(99 * (1 - (98 / 99) ** 64), abs=0.2)
    else:
        assert set(sizes) == {64}


def test_ids_of_the_published_tasks() -> None:
    """1 .. 99 the symbols, 100 the separator, 101 padding; 0 is a stack's pop."""
    for name in (*ORACLES, "union", "delete"):
        tokens = form(name, True).tokens()
        assert (tokens[0], tokens[1], *tokens[99:]) == ("pop0", "sym0", "sym98", "<sep>", "<pad>")


def test_union() -> None:
    sizes = list[int]()
    for row, scored in rows(form("union", True), 2_000):
        answer = [f"sym{i}" for i in ORACLES["set"](places(row[:32] + row[33:65]))]
        assert (row[32], row[65:]) == ("<sep>", ["<sep>", *answer])
        assert scored == answer
        sizes.append(len(answer))
    assert np.mean(sizes) == pytest.approx(47.3, abs=0.2)


@pytest.mark.parametrize(("faithful", "share"), [(True, 0.478), (False, 0.5)])
def test_delete_has_its_symbol_as_often_as_said(faithful: bool, share: float) -> None:
    present = 0
    for row, scored in rows(form("delete", faithful), 4_000):
        x, query = row[:64], row[65]
        rest = x.copy()
        if query in x:
            rest.remove(query)
        present += query in x
        assert [one for one in scored if one != "<end>"] == rest
    assert present / 4_000 == pytest.approx(share, abs=4 * 0.5 / 4_000**0.5)


@pytest.mark.slow
def test_stack() -> None:
    """Published: 10.9 symbols left on average, 2 to 32, an even number; the last step pops where it can."""
    left = list[int]()
    for row, scored in rows(form("stack", True), 4_000):
        stack = list[str]()
        for token in row[:64]:
            if token == "<pop>":
                stack.pop()
            else:
                assert token not in stack
                stack.append(token)
        assert row[64:] == ["<sep>", *stack[::-1], "<end>"]
        assert scored == stack[::-1]
        left.append(len(stack))
    assert np.mean(left) == pytest.approx(10.9, abs=0.4)
    assert (min(left), {size % 2 for size in left}) == (2, {0})
    repaired = [len(scored) - 1 for _, scored in rows(form("stack"), 1_000)]
    assert np.mean([size % 2 for size in repaired]) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(("p_open", "depth"), [(0.5, 55.32), (0.49, 42.10)])
def test_depths_of_the_dyck_walk(p_open: float, depth: float) -> None:
    """The mean of the deepest point by the walk's absorption at each depth; samples reported: 60 and 45."""
    ids, _ = drawn(operation(form("k_dyck", p_open=p_open), 2048), "train", 0, 500)
    steps = np.where(ids[:, 1:] < 64, 1, -1)
    deepest = np.cumsum(steps, axis=1).max(axis=1)
    assert abs(deepest.mean() - depth) < 4 * deepest.std() / 500**0.5
    assert not steps.sum(axis=1).any()


def test_shuffled_dyck_is_cut_as_published_and_whole_when_repaired() -> None:
    """Published: about 15 % of the rows end with nothing open, and depth 16 is always reached."""
    ends = {}
    for faithful in (True, False):
        ids, _ = drawn(operation(form("k_shuffle_dyck", faithful), 2048), "train", 0, 400)
        depths = np.cumsum(np.where(ids[:, 1:] < 64, 1, -1), axis=1)
        assert (depths.max(axis=1) == 16).all()
        ends[faithful] = (depths[:, -1] == 0).mean()
    assert ends[False] == 1
    assert 0.05 < ends[True] < 0.25


# ---------------------------------------------------------------- Hu et al. 2025


def test_shuffled_dyck_of_the_code_and_of_the_paper() -> None:
    for faithful, depth in ((True, 8), (False, 16)):
        ids, _ = drawn(operation(form("hu_shuffle_dyck", faithful), 2048), "train", 0, 50)
        assert (np.cumsum(np.where(ids[:, 1:] < 64, 1, -1), axis=1).max(axis=1) == depth).all()


def test_dyck_words_end_as_a_coin_says() -> None:
    """Lengths are those of a fair walk from 1 to 0 with a wall at 16 (32 symbols on average), up to 1,022."""
    grammar = form("hu_dyck")
    law, at, ends_at = grammar.lengths(), np.eye(17)[1], dict[int, float]()
    for length in range(2, 1_023):
        moved = np.zeros(17)
        moved[2:] += at[1:16] / 2
        moved[:15] += at[1:16] / 2
        moved[15] += at[16]
        ends_at[length], at = moved[0], moved
        at[0] = 0
    whole = sum(ends_at.values())
    assert 0.998 < whole < 1
    for length, share in zip(law.values, law.shares, strict=True):
        assert share / sum(law.shares) == pytest.approx(ends_at[length] / whole, rel=1e-4, abs=1e-9)
    made = operation(grammar, 2048)
    ids, _ = drawn(made, "train", 0, 50)
    steps = np.array([1 if token.startswith("open") else -1 for token in made.tokens[:128]] + [0, 0, 0])
    depths = np.cumsum(steps[ids], axis=1)
    ends = ids == made.tokens.index("<end>")
    assert not depths[ends].any()
    assert (depths[:, 1:][~ends[:, 1:] & ~ends[:, :-1]] >= 0).all()
    assert depths.max() == 16


# ---------------------------------------------------------------- Wu et al. 2022


def cut(row: list[str]) -> list[list[str]]:
    """The words of a row, between its marks."""
    return [part.split() for part in " ".join(row).replace("<end>", "<sep>").split("<sep>")]


def within(word: list[str], part: list[str]) -> int:
    """Where a word begins in another, or -1."""
    starts = range(len(word) - len(part) + 1)
    return next((at for at in starts if word[at : at + len(part)] == part), -1)


def test_simpler_tasks_of_runs() -> None:
    """Any number of runs is alike, so that on average (n + 1) / 2 are left of n symbols."""
    shares = {"wu_deduplicate": list[float](), "wu_set": list[float]()}
    for name, found in shares.items():
        for row, _ in rows(form(name), 1_500):
            word, answer, _ = cut(row)
            runs = [symbol for at, symbol in enumerate(word) if at == 0 or word[at - 1] != symbol]
            assert answer == (runs if name == "wu_deduplicate" else list(dict.fromkeys(word)))
            found.append(len(answer) / (len(word) + 1))
    assert np.mean(shares["wu_deduplicate"]) == pytest.approx(0.5, abs=0.03)
    assert np.std(shares["wu_deduplicate"]) == pytest.approx(12**-0.5, abs=0.03)
    # Two runs of 1,000 symbols are seldom of one.
    assert 0.42 < np.mean(shares["wu_set"]) < 0.5


@pytest.mark.parametrize(("name", "share"), [("wu_search", 0.5), ("wu_delete", 0.75)])
def test_simpler_tasks_of_parts(name: str, share: float) -> None:
    there = 0
    for row, _ in rows(form(name), 1_500):
        word, part, answer, _ = cut(row)
        at = within(word, part)
        assert 1 <= len(part) <= len(word) // 2
        deleted = word if at < 0 else word[:at] + word[at + len(part) :]
        assert answer == (deleted if name == "wu_delete" else [str(int(at >= 0))])
        there += at >= 0
    assert there / 1_500 == pytest.approx(share, abs=0.05)


def test_simpler_tasks_of_where_and_how_often() -> None:
    """The first place of a part, and a word without it: it stands there any number of times that fit."""
    there = 0
    for row, scored in rows(form("wu_get_index"), 800):
        word, part, answer, _ = cut(row)
        at = within(word, part)
        assert scored == [*answer, "<end>"]
        assert "".join(answer) == str(at if at >= 0 else len(word))
        there += at >= 0
    assert there / 800 == pytest.approx(0.75, abs=0.05)
    shares, sizes, empty = list[float](), list[int](), 0
    for row, _ in rows(form("wu_filter"), 1_500):
        word, part, answer, _ = cut(row)
        left, times = word, 0
        while (at := within(left, part)) >= 0:
            left, times = left[:at] + left[at + len(part) :], times + 1
        assert answer == left
        assert 1 <= len(part) <= len(word) // 2
        if times:
            assert len(word) + len(part) <= 219
            shares.append(times / (len(word) // len(part)))
            sizes.append(len(part))
            empty += not answer
    assert len(shares) / 1_500 == pytest.approx(0.75, abs=0.04)
    # Parts of 1 to 73; as often as any number of times that they fit in, the most among them.
    assert np.mean(sizes) == pytest.approx(37, abs=2.5)
    assert 0.5 < np.mean(shares) < 0.75
    assert empty > 0


def test_simpler_tasks_of_how_often() -> None:
    """A symbol is there any number of times, 0 to the length; words of 10 to 220 symbols."""
    sizes, shares = list[int](), list[float]()
    assert analysis.chance(form("wu_count").program(), length=1, context=1) == 0.1
    for row, _ in rows(form("wu_count"), 1_500):
        word, (query,), answer, _ = cut(row)
        assert int("".join(answer)) == word.count(query)
        sizes.append(len(word))
        shares.append(word.count(query) / len(word))
    assert (min(sizes) >= 10, max(sizes) <= 220) == (True, True)
    assert np.mean(sizes) == pytest.approx(115, abs=6)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert (min(shares), max(shares)) == (0, 1)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("wu_union", lambda symbol, a, b: True),
        ("wu_intersect", lambda symbol, a, b: symbol in a and symbol in b),
        ("wu_difference", lambda symbol, a, b: symbol not in b),
        ("wu_difference_of_second", lambda symbol, a, b: symbol not in a),
    ],
)
def test_simpler_tasks_of_two_words(name: str, kept: Any) -> None:
    """10 to 220 tokens with the mark, cut anywhere; out of half as many symbols as there are places."""
    sizes, parts = list[int](), list[float]()
    for row, scored in rows(form(name), 800):
        word = row[: row.index("<sep>")]
        a, b = word[: word.index("<and>")], word[word.index("<and>") + 1 :]
        assert scored == [*(one for one in dict.fromkeys(a + b) if kept(one, a, b)), "<end>"]
        assert len({*a, *b}) <= len(a + b) // 2
        sizes.append(len(word))
        parts.append(len(a) / len(a + b))
    assert (min(sizes) >= 10, max(sizes) <= 220) == (True, True)
    assert np.mean(sizes) == pytest.approx(115, abs=8)
    assert np.mean(parts) == pytest.approx(0.5, abs=0.04)


def test_simpler_tasks_of_given_words() -> None:
    """The longest word; a word in the order of a list; a word with several symbols replaced."""
    counts, lists, pairs = list[int](), list[int](), list[int]()
    for row, scored in rows(form("wu_longest_word"), 800):
        words = [part.split() for part in " ".join(row[: row.index("<sep>")]).split("<word>")]
        assert [*next(one for one in words if len(one) == max(map(len, words))), "<end>"] == scored
        assert all(words)
        assert 10 <= row.index("<sep>") <= 220
        counts.append(len(words))
    for row, _ in rows(form("wu_sort"), 800):
        word, order, answer, _ = cut(row)
        assert [symbol for one in order for symbol in word if symbol == one] == answer
        assert len({*order}) == len(order) <= len(word) <= 219 - len(order)
        lists.append(len(order))
    for row, _ in rows(form("wu_replace_many"), 800):
        word, given, answer, _ = cut(row)
        known = dict(zip(given[::2], given[1::2], strict=True))
        assert {*known} <= {*word}
        assert [known.get(symbol, symbol) for symbol in word] == answer
        pairs.append(len(known))
    # Even on 1 .. 110, 5 .. 109 and 2 .. 73.
    for found, low, high in ((counts, 1, 110), (lists, 5, 109), (pairs, 2, 73)):
        assert low <= min(found) <= max(found) <= high
        assert np.mean(found) == pytest.approx((low + high) / 2, abs=5)


# ---------------------------------------------------------------- diagnostics


def test_needle() -> None:
    """A value of the context is right in the mean of 1/n for n in 1 .. 30: 13.3 %."""
    grammar = form("needle")
    made = operation(grammar)
    assert made.context == 61
    assert analysis.chance(made.program, length=made.length, context=61) == pytest.approx(0.1332, abs=1e-4)
    assert analysis.floor(made.program, length=made.length, context=61) == Interval(low=0.0, high=0.0)
    guessed, sizes = 0.0, Counter[int]()
    for row, scored in rows(grammar, 6_000):
        keys, values = row[:-2:2], row[1:-2:2]
        assert len(set(keys)) == len(keys)
        assert scored == [row[-1]] == [values[keys.index(row[-2].removeprefix("query:"))]]
        guessed += values.count(row[-1]) / len(values)
        sizes[len(keys)] += 1
    assert len(sizes) == 30
    # Two keys can have one value: then a guess is a little better.
    assert 0.13 < guessed / 6_000 < 0.16
    tokens = grammar.tokens()
    assert (tokens[1], tokens[127], tokens[128], tokens[158]) == ("value0", "value126", "key0", "query:key0")


def number(digits: list[str]) -> int:
    return int("".join(digit.removeprefix("out:") for digit in digits))


@pytest.mark.parametrize(
    ("name", "operator", "size", "turned"),
    [
        ("forward_addition", "+", 5, False),
        ("reversed_addition", "+", 10, True),
        ("multiplication", "*", 5, False),
    ],
)
def test_arithmetic(name: str, operator: str, size: int, turned: bool) -> None:
    """The published mask leaves out the first token of the answer, and scores what follows its end."""
    made = form(name, True)
    for (row, scored), (_, repaired) in zip(rows(made, 500), rows(form(name), 500), strict=True):
        step = -1 if turned else 1
        a, b = row[:size], row[size + 1 : 2 * size + 1]
        answer = row[2 * size + 2 : -1]
        assert (row[size], row[2 * size + 1], row[-1]) == (operator, "=", "<end>")
        x, y = number(a[::step]), number(b[::step])
        assert number(answer[::step]) == (x + y if operator == "+" else x * y)
        assert min(x, y) >= 10 ** (size - 1)
        padded = ["<pad>"] if len(row) <= made.longest() else []
        assert scored == [*answer[1:], "<end>", *padded]
        assert repaired == [*answer, "<end>"]


def test_rule_110() -> None:
    table = {"111": 0, "110": 1, "101": 1, "100": 0, "011": 1, "010": 1, "001": 1, "000": 0}
    for row, _ in rows(form("rule_110"), 20):
        lines = " ".join(row).split(" <row>")
        before = lines[0].split()
        for line in lines[1:-1]:
            around = [before[i - 1] + before[i] + before[(i + 1) % 64] for i in range(64)]
            assert line.split() == [str(table[cells]) for cells in around]
            before = line.split()


def test_rule_110_in_vectors() -> None:
    """61 frames of 100 cells: one is 1 if it or the one to its right is, unless all three are."""
    (row, asked), *_ = rows(form("rule_110_vectors"), 1)
    frames = np.array(row, int).reshape(61, 100)
    left, right = np.roll(frames, 1, 1), np.roll(frames, -1, 1)
    assert (frames[1:] == ((frames | right) & ~(left & frames & right))[:-1]).all()
    assert len(asked) == 6_000


def test_nca_frames_give_the_grid_back() -> None:
    """36 patches of 2 × 2 cells and a mark: what is equal around a cell must become equal again."""
    for row, _ in rows(form("nca"), 3):
        frames = [frame.split() for frame in " ".join(row).split("<row>")[:-1]]
        became = dict[tuple[str, ...], str]()
        grids = [np.array([list(patch) for patch in frame]).reshape(6, 6, 2, 2) for frame in frames]
        whole = [grid.transpose(0, 2, 1, 3).reshape(12, 12) for grid in grids]
        for before, after in pairwise(whole):
            for i, j in np.ndindex(12, 12):
                around = tuple(before[(i + di) % 12, (j + dj) % 12] for di in (-1, 0, 1) for dj in (-1, 0, 1))
                assert became.setdefault(around, after[i, j]) == after[i, j]


# ---------------------------------------------------------------- in a study

STUDY = """
extends = "good.toml"
[grammars.task]
preset = "set"
n = 20
symbols = { sym = 30 }
[grammars.published]
preset = "set"
faithful = true
n = 12
"""


def study(folder: Path, text: str) -> Any:
    good = Path(__file__).parent / "compiler" / "good.toml"
    (folder / "good.toml").write_text(good.read_text())
    (folder / "study.toml").write_text(text)
    return compile(folder / "study.toml", profile=None)


def test_a_study_names_a_preset_and_lays_its_own_keys_over_it(tmp_path: Path) -> None:
    made = study(tmp_path, STUDY).spec.grammars
    assert made["task"] == form("set", n=20, symbols={"sym": 30})
    assert made["published"] == form("set", True, n=12)


def test_a_fault_in_a_preset_is_told_where_the_preset_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        study(tmp_path, STUDY.replace("n = 20", "n = 20\nm = 3"))
    (found,) = [one for one in raised.value.diagnostics if one.severity is Severity.ERROR]
    assert found.place is not None
    assert (found.code, found.place.line) == ("P105", 6)


# ---------------------------------------------------------------- others


def test_group() -> None:
    """Every answer is the permutations up to it, one after another; they are spelt by where 0 to 4 go."""
    for row, scored in rows(form("group", n=6), 300):
        product, products = list(range(5)), list[str]()
        for symbol in row[:6]:
            product = [int(symbol[3:-1][i]) for i in product]
            products.append(f"S5[{''.join(map(str, product))}]")
        assert row[6:] == ["<sep>", *products, "<end>"]
        assert scored == [*products, "<end>"]


def test_modular_arithmetic() -> None:
    signs = 0
    for row, scored in rows(form("arithmetic"), 2_000):
        expression, answer = row[: row.index("<sep>")], row[row.index("<sep>") + 1]
        assert int(answer) == eval(" ".join(expression)) % 5
        assert scored == [answer, "<end>"]
        signs += any(a in "+-*" and b == "-" for a, b in pairwise(expression))
    assert signs > 500

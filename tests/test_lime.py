"""LIME's tasks, read from their printed rows: every answer found anew, and the published statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import pytest

from procdsl import analysis
from procdsl.splits import content, spelling
from tests.grammars.examples import drawn, operation
from tests.test_presets import form, rows

COUNT = 1_500
MODES = ("induct", "deduct", "abduct")
Word = list[str]


class Asked(NamedTuple):
    """A row cut at its marks."""

    mode: str
    upper: Word
    lower: Word
    math: Word
    first: Word
    second: Word
    answer: Word

    @property
    def pattern(self) -> Word:
        return self.answer if self.mode == "induct" else self.first

    @property
    def result(self) -> Word:
        return {"induct": self.first, "deduct": self.answer, "abduct": self.second}[self.mode]

    @property
    def strings(self) -> dict[str, Word]:
        return table(self.answer if self.mode == "abduct" else self.second)


def marked(row: Word) -> Iterator[Word]:
    """What stands between the marks of a row: names, letters, signs, the rest of the prompt, the answer."""
    ends = [row.index(mark) for mark in ("<UPPER>", "<LOWER>", "<MATH>", "<space>", "<sep>", "<end>")]
    return (row[a + 1 : b] for a, b in pairwise(ends))


def asked(name: str, count: int = COUNT) -> Iterator[Asked]:
    """Rows of a preset; what is scored is the answer, its first token and its end among it."""
    for row, scored in rows(form(name), count):
        upper, lower, math, prompt, answer = marked(row)
        assert scored == [*answer, "<end>"] == row[row.index("<sep>") + 1 :]
        cut = prompt.index("<space>")
        mode = "".join(row[: row.index("<UPPER>")]) or name.removeprefix("lime_")
        yield Asked(mode, upper, lower, math, prompt[:cut], prompt[cut + 1 :], answer)


def table(text: Word) -> dict[str, Word]:
    """`A : [ a b ] , B : [ c ]` as a mapping."""
    found = {}
    for part in " ".join(text).split(" , "):
        name, string = part.split(" : [ ")
        found[name] = string.removesuffix(" ]").split()
    return found


def substituted(pattern: Word, strings: dict[str, Word]) -> Word:
    return " ".join(" ".join(strings[one]) if one in strings else one for one in pattern).split()


@pytest.mark.parametrize("name", ["lime_induct", "lime_deduct", "lime_abduct", "lime_mixed"])
def test_patterns_substitutions_and_results(name: str) -> None:
    kept, modes = list[Asked](), Counter[str]()
    for one in asked(name):
        modes[one.mode] += 1
        kept.append(one)
        assert substituted(one.pattern, one.strings) == one.result
        assert (len(one.lower), len(one.math)) == (24, 20)
        assert len({*one.upper, *one.lower, *one.math}) == len(one.upper) + 44
        assert set(one.pattern) <= {*one.upper, *one.math}
        assert set(one.upper) == {*one.pattern} - {*one.math}
        assert list(one.strings) == one.upper
        for string in one.strings.values():
            assert 2 <= len(string) <= 8
            assert {*string} <= {*one.lower, *one.math}
    statistics(kept)
    if name == "lime_mixed":
        assert all(modes[mode] == pytest.approx(COUNT / 3, abs=75) for mode in MODES)


def statistics(kept: list[Asked]) -> None:
    """Variables: U{3..5}, twice as many places, drawn alike; signs U{5..19}; strings U{2..8}."""
    places = [sum(one in row.upper for one in row.pattern) for row in kept]
    signs = [len(row.pattern) - count for row, count in zip(kept, places, strict=True)]
    sizes = [len(string) for row in kept for string in row.strings.values()]
    assert ({*places}, {*signs}, {*sizes}) == ({6, 8, 10}, {*range(5, 20)}, {*range(2, 9)})
    assert np.mean(signs) == pytest.approx(12, abs=0.5)
    assert np.mean(sizes) == pytest.approx(5, abs=0.12)
    for m in (3, 4, 5):
        of = [len(row.upper) for row, count in zip(kept, places, strict=True) if count == 2 * m]
        assert len(of) == pytest.approx(len(kept) / 3, abs=80)
        # How many of m are seen in 2 m draws.
        assert np.mean(of) == pytest.approx(m * (1 - (1 - 1 / m) ** (2 * m)), abs=0.12)
    # Each place of a variable gives 5 symbols on average, each sign one: 8 · 5 + 12.
    assert np.mean([len(row.result) for row in kept]) == pytest.approx(52, abs=2)
    # Variables stand anywhere.
    assert np.mean([row.pattern[0] in row.upper for row in kept]) == pytest.approx(0.42, abs=0.05)


def fits(pattern: Word, result: Word, known: dict[str, Word], upper: set[str]) -> Iterator[dict[str, Word]]:
    """All substitutions, of strings of 2 to 8, that make the result."""
    if not pattern:
        if not result:
            yield known
        return
    one, *rest = pattern
    if one in upper:
        for string in [known[one]] if one in known else [result[:size] for size in range(2, 9)]:
            if string == result[: len(string)] and len(string) >= 2:
                yield from fits(rest, result[len(string) :], {**known, one: string}, upper)
    elif result[:1] == [one]:
        yield from fits(rest, result[1:], known, upper)


def frozen(strings: dict[str, Word]) -> frozenset[Any]:
    return frozenset((name, tuple(string)) for name, string in strings.items())


def test_few_results_have_two_substitutions() -> None:
    several = 0
    for one in asked("lime_abduct", 200):
        found = {frozen(some) for some in fits(one.first, one.second, {}, {*one.upper})}
        assert frozen(one.strings) in found
        several += len(found) > 1
    assert several <= 20


def test_the_floor_is_0_where_the_answer_follows_and_an_interval_elsewhere() -> None:
    for name in ("induct", "deduct", "abduct", "mixed"):
        grammar = form(f"lime_{name}")
        found = analysis.floor(grammar.program(), length=grammar.longest(), context=grammar.longest())
        assert (found.low, found.high == 0) == (0, name == "deduct")
        assert found.high < np.log(1_020)


@pytest.mark.parametrize("name", ["lime_rewrite", "lime_induct_rewrite"])
def test_rules_rewrite_one_place(name: str) -> None:
    """A rule's left side is a part of the text whose letters became variables; there it is carried out."""
    sizes, texts = list[int](), list[int]()
    for one in asked(name, 600):
        rule, text = (one.first, one.second) if name == "lime_rewrite" else (one.answer, one.first)
        after = one.answer if name == "lime_rewrite" else one.second
        arrow = rule.index("->")
        left, right = rule[:arrow], rule[arrow + 1 :]
        assert set(one.upper) == {*left} - {*one.math} == {*right} - {*one.math}
        assert after in [made for _, made in rewritten(left, right, text, {*one.upper}, {*one.lower})]
        assert 5 <= len(right) - len(one.upper) <= 20
        sizes.append(len(left))
        texts.append(len(text))
    assert ({*sizes}, np.mean(sizes)) == ({*range(5, 21)}, pytest.approx(12.5, abs=0.8))
    # Ten to twenty letters, and one and a half times as many signs.
    assert {*texts} <= {n + n + -(-n // 2) for n in range(10, 21)}
    assert np.mean(texts) == pytest.approx(37.7, abs=1.2)


@pytest.mark.parametrize("name", ["lime_rewrite_multistep_easy", "lime_rewrite_multistep_hard"])
def test_rules_rewrite_one_place_after_another(name: str) -> None:
    """Each rule can be carried out in what those before it have made, and some way leads to the answer."""
    counts, texts, sides = Counter[int](), list[int](), Counter[int]()
    for row, scored in rows(form(name), 500):
        upper, lower, math, prompt, answer = marked(row)
        assert scored == [*answer, "<end>"]
        assert (len(upper), len(lower), len(math)) == (24, 24, 20)
        given, text = (part.split() for part in " ".join(prompt).split(" <space> "))
        rules = [part.split() for part in " ".join(given).split(" ; ")]
        told = [part.split() for part in " ".join(answer).split(" ; ")]
        made = [text]
        for number, rule in enumerate(rules):
            left, right = rule[: rule.index("->")], rule[rule.index("->") + 1 :]
            names = {*left} & {*upper}
            assert names == {*right} & {*upper} == {*upper[: len(names)]}
            found = {tuple(new) for one in made for _, new in rewritten(left, right, one, names, {*lower})}
            made = [list(new) for new in found]
            if len(told) > 1:
                assert told[number] in made
                made = [told[number]]
            sides.update((len(left), len(right) - len(names)))
        assert told[-1] in made
        assert len(told) == (len(rules) if name.endswith("easy") else 1)
        counts[len(rules)] += 1
        texts.append(len(text))
    assert all(counts[many] == pytest.approx(100, abs=35) for many in range(1, 6))
    assert {*sides} == {*range(3, 8)}
    assert {*texts} == {n + n + -(-n // 2) for n in range(5, 11)}


def rewritten(
    left: Word, right: Word, text: Word, upper: set[str], lower: set[str]
) -> Iterator[tuple[int, Word]]:
    """Where a rule can be carried out, and what comes of it there."""
    for start in range(len(text) - len(left) + 1):
        window = text[start : start + len(left)]
        known = dict(zip(left, window, strict=True))
        letters = [known[name] for name in upper]
        alike = all((one in upper and known[one] in lower) or one == known[one] for one in left)
        if [known[one] for one in left] == window and alike and len({*letters}) == len(letters):
            new = [known[one] if one in upper else one for one in right]
            yield start, text[:start] + new + text[start + len(left) :]


def prompts(made: Any, split: str, count: int) -> Iterator[tuple[str, ...]]:
    """What rows show before the answer."""
    for row in drawn(made, split, 0, count)[0]:
        tokens = [made.tokens[id] for id in row]
        yield tuple(tokens[: tokens.index("<sep>")])


def test_a_prompt_is_of_the_part_that_its_hash_says() -> None:
    """What is hidden does not matter: the hash is that of the words between the marks."""
    made = operation(form("lime_abduct"))
    marks, seen = {"<UPPER>", "<LOWER>", "<MATH>", "<space>"}, dict[str, set[Any]]()
    for split in ("train", "validation", "test"):
        low, high = made.program.split.bounds(split)
        seen[split] = {*prompts(made, split, 300)}
        for prompt in seen[split]:
            symbols = ["<pad>" if token in marks else token for token in (*prompt[1:], "<pad>")]
            assert low <= content(map(spelling, symbols)) <= high
    assert not any(seen[a] & seen[b] for a, b in product(seen, seen) if a != b)


def test_a_row_is_read_as_far_as_it_tells() -> None:
    """Of a wrong result, or a wrong substitution, what does not follow is named."""
    for name in ("lime_induct", "lime_deduct", "lime_abduct"):
        grammar = form(name)
        for row, scored in rows(grammar, 5):
            assert grammar.reason(row) is None
            at = len(row) - len(scored) + 1
            wrong = [*row[:at], "<MATH>", *row[at + 1 :]]
            assert "'<MATH>'" in str(grammar.reason(wrong))
            math = row[row.index("<MATH>") + 1 : row.index("<space>")]
            result = at if name == "lime_deduct" else row.index("<space>") + 1 + (name == "lime_abduct") * 40
            place = next(p for p in range(result, len(row)) if row[p] in math)
            other = next(one for one in math if one != row[place])
            assert grammar.reason([*row[:place], other, *row[place + 1 :]]) is not None

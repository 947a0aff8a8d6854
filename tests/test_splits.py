"""Train, validation and test share no word (or no row, where words are few), whoever draws them."""

from __future__ import annotations

from typing import Any

import pytest

from procdsl import generate
from procdsl.errors import RunError
from procdsl.programs.base import Lengths, Split, WordProgram
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.shuffled import ShuffledProgram
from procdsl.splits import content, spelling
from tests.grammars.examples import EXAMPLES, drawn, operation, read, unsplit, words_of

SPLITS = ("train", "validation", "test")


def units(grammar: Any, made: Any, rows: Any) -> set[Any]:
    """What is held out: the words of rows, the rows themselves, or the prompts of tasks."""
    if isinstance(made.program, WordProgram) and made.program.split.by == "word":
        return {word for row in rows for word in words_of(grammar, row)}
    return {row.tobytes() for row in rows}


# By the reference, these take many seconds.
LONG = {"machine", "nca"}


@pytest.mark.parametrize(
    "grammar",
    [
        pytest.param(grammar, id=kind, marks=[pytest.mark.slow] if kind in LONG else [])
        for kind, grammar in EXAMPLES.items()
    ],
)
def test_parts_are_disjoint_across_seeds_and_names(grammar: Any) -> None:
    made = operation(grammar)
    other = made.model_copy(update={"name": "other"})
    parts = dict[str, set[Any]]()
    for split in SPLITS:
        count = 2_000 if split == "train" else 200
        parts[split] = units(grammar, made, drawn(made, split, 0, count)[0])
        parts[split] |= units(grammar, other, drawn(other, split, 0, count, seed=1)[0])
    assert not parts["train"] & parts["validation"]
    assert not parts["train"] & parts["test"]
    assert not parts["validation"] & parts["test"]


@pytest.mark.slow
def test_what_training_leaves_out_is_what_is_held_out() -> None:
    """Of all words, training never sees about a hundredth: those whose hash is held out, and no others."""
    grammar = read('kind = "dyck"\nk = 2\nlength = 12\nheld_out = { by = "word" }')
    made = operation(grammar, 12)
    ids, _ = drawn(made, "train", 0, 200_000)
    everything, _ = drawn(operation(unsplit(grammar), 12), "train", 0, 200_000)
    seen = {word for row in ids for word in words_of(grammar, row)}
    language = {word for row in everything for word in words_of(grammar, row)}
    assert len(language) == grammar.count(12) == 132 * 64
    low, high = made.program.split.bounds("train")
    assert seen == {word for word in language if low <= content(map(spelling, word)) <= high}
    assert 0.005 < 1 - len(seen) / len(language) < 0.015


def test_a_word_is_held_out_whichever_grammar_draws_it() -> None:
    deep = read('kind = "dyck"\nk = 3\nlength = 16')
    flat = read('kind = "dyck"\nk = 3\nlength = 16\ndepth = 2')
    held = {w for row in drawn(operation(deep), "test", 0, 500)[0] for w in words_of(deep, row)}
    seen = {w for row in drawn(operation(flat), "train", 0, 20_000)[0] for w in words_of(flat, row)}
    assert not held & seen


def test_a_language_too_small_says_so() -> None:
    program = DyckProgram(k=1, lengths=Lengths(values=(4,)), split=Split())
    made = operation(read('kind = "dyck"\nk = 1\nlength = 4'), 4).model_copy(update={"program": program})
    with pytest.raises(RunError, match="belongs to the validation part"):
        drawn(made, "validation", 0, 1)
    with pytest.raises(RunError, match="belongs to the validation part"):
        generate.rows(made, seed=0, split="validation", start=0, count=1)


def test_shuffled_rows_keep_their_symbols_and_their_specials() -> None:
    grammar = read('kind = "dyck"\nk = 4\nlength = { uniform = [10, 40] }')
    inner = operation(grammar)
    program = ShuffledProgram(of=inner.program, name="x", alphabet=8)
    outer = inner.model_copy(update={"program": program, "name": "control"})
    for split in SPLITS:
        before, scored = drawn(inner, split, 0, 20)
        after, scored_after = drawn(outer, split, 0, 20)
        assert ((before == after) | ((before < 8) & (after < 8))).all()
        assert (scored == scored_after).all()
        for one, other in zip(before, after, strict=True):
            assert sorted(one) == sorted(other)
        expected = generate.rows(outer, seed=0, split=split, start=0, count=3)
        assert (after[:3].tolist(), scored_after[:3].tolist()) == expected

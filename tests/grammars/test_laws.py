"""What must hold of every grammar, whoever wrote it. A new kind is under test from its first line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis, generate
from procdsl.errors import Severity
from procdsl.grammars.base import END
from tests.grammars.examples import EXAMPLES, READ, WORDS, drawn, operation, unsplit, words_of

every_kind = pytest.mark.parametrize("grammar", EXAMPLES.values(), ids=EXAMPLES)
every_word_kind = pytest.mark.parametrize("grammar", WORDS.values(), ids=WORDS)


def small(grammar: Any, most: int) -> list[int]:
    """The lengths at which all strings over the alphabet can be tried."""
    size = len(grammar.alphabet())
    return [n for n in range(1, 12) if size**n <= most]


@every_kind
def test_the_example_has_no_errors(grammar: Any) -> None:
    found = list(grammar.problems(operation(grammar).context))
    assert not [problem for problem in found if problem.severity is Severity.ERROR]


@every_kind
def test_survives_json(grammar: Any) -> None:
    assert READ.validate_json(READ.dump_json(grammar)) == grammar
    program = operation(grammar)
    assert type(program).model_validate_json(program.model_dump_json()) == program


@every_kind
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_accepts_what_it_samples(grammar: Any, split: str) -> None:
    ids, _ = drawn(operation(grammar), split, 0, 64)
    for row in ids:
        for word in words_of(grammar, row):
            assert grammar.reason(word) is None, word


@every_kind
def test_the_reference_and_the_kernel_agree_bit_for_bit(grammar: Any) -> None:
    packed = operation(grammar)
    single = operation(grammar, grammar.longest())
    for made, split, start in ((packed, "train", 0), (packed, "test", 2**33), (single, "train", 5)):
        ids, scored = drawn(made, split, start, 4, seed=7)
        assert (ids.tolist(), scored.tolist()) == generate.rows(
            made, seed=7, split=split, start=start, count=4
        )


@every_kind
def test_rows_are_the_same_whoever_makes_them(grammar: Any) -> None:
    made = operation(grammar)
    whole = drawn(made, "train", 0, 64)[0]
    for workers in (1, 2, 8):
        starts = list(range(0, 64, 8))
        Random(workers).shuffle(starts)
        with ThreadPoolExecutor(workers) as pool:
            parts = dict(
                zip(starts, pool.map(lambda start: drawn(made, "train", start, 8)[0], starts), strict=True)
            )
        assert (np.concatenate([parts[start] for start in sorted(starts)]) == whole).all()


@every_kind
def test_seeds_names_and_splits_change_rows(grammar: Any) -> None:
    made = operation(grammar)
    rows = [
        drawn(made, "train", 0, 8)[0],
        drawn(made, "train", 0, 8, seed=1)[0],
        drawn(made, "train", 8, 8)[0],
        drawn(made, "validation", 0, 8)[0],
        drawn(made.model_copy(update={"name": "y"}), "train", 0, 8)[0],
    ]
    assert len({row.tobytes() for row in rows}) == len(rows)


@every_kind
def test_ids_and_scores_are_in_range(grammar: Any) -> None:
    made = operation(grammar)
    ids, scored = drawn(made, "train", 0, 64)
    assert 0 <= ids.min() <= ids.max() < len(made.tokens)
    assert set(np.unique(scored)) <= {0, 1}
    assert not scored[:, 0].any()
    assert not scored[ids == made.tokens.index("<pad>")].any()


@every_word_kind
def test_lengths_are_possible_and_hit(grammar: Any) -> None:
    free = unsplit(grammar)
    found = {len(word) for row in drawn(operation(free), "train", 0, 512)[0] for word in words_of(free, row)}
    possible = free.possible(free.lengths().values[-1])
    assert all(possible >> length & 1 for length in found)
    assert found == {n for n in free.lengths().values if possible >> n & 1}


@every_word_kind
def test_a_word_of_the_context_fills_the_row(grammar: Any) -> None:
    longest = grammar.lengths().values[-1]
    ids, scored = drawn(operation(unsplit(grammar, length=longest), longest), "train", 0, 16)
    assert scored[:, 1:].all()
    assert (ids[:, 1:] < len(grammar.alphabet())).all()


@every_word_kind
def test_counts_and_membership_agree_with_enumeration(grammar: Any) -> None:
    possible = grammar.possible(16)
    for length in small(grammar, 60_000):
        words = sum(grammar.accepts(word) for word in product(grammar.alphabet(), repeat=length))
        assert words == grammar.count(length), length
        assert bool(words) == bool(possible >> length & 1), length


@every_word_kind
def test_legal_next_agrees_with_enumeration(grammar: Any) -> None:
    length = small(grammar, 20_000)[-1]
    length -= not grammar.possible(length) >> length & 1
    language = {word for word in product(grammar.alphabet(), repeat=length) if grammar.accepts(word)}
    for cut in range(length + 1):
        follows = dict[tuple[str, ...], set[str]]()
        for word in language:
            follows.setdefault(word[:cut], set()).add(word[cut] if cut < length else END)
        for prefix, legal in list(follows.items())[:500]:
            assert grammar.legal_next(prefix, length) == legal, prefix
            assert grammar.legal_next(prefix) >= legal, prefix


@every_kind
def test_what_is_drawn_is_legal_at_every_step(grammar: Any) -> None:
    for row in drawn(operation(grammar), "train", 0, 4)[0]:
        for word in words_of(grammar, row)[:2]:
            for cut in range(len(word)):
                assert word[cut] in grammar.legal_next(word[:cut])
                assert not grammar.legal_next((*word[:cut], "no such symbol"))
            assert END in grammar.legal_next(word)


@every_word_kind
def test_uniform_words_are_alike(grammar: Any) -> None:
    """Chi-square against the language, at one in 10,000: a hundred kinds raise no alarm."""
    if getattr(grammar, "measure", None) != "uniform":
        pytest.skip("another measure")
    lengths = [n for n in range(2, 13) if grammar.possible(n) >> n & 1 and 2 <= grammar.count(n) <= 2_000]
    if not lengths:
        pytest.skip("no length has few enough words")
    free, length = unsplit(grammar, length=lengths[-1]), lengths[-1]
    words = free.count(length)
    ids, _ = drawn(operation(free, length), "train", 0, 50 * words)
    _, seen = np.unique(ids, axis=0, return_counts=True)
    assert len(seen) == words
    assert chi2.sf(((seen - 50.0) ** 2 / 50.0).sum(), words - 1) > 1e-4


@every_word_kind
def test_entropy_of_uniform_words_is_the_logarithm_of_their_number(grammar: Any) -> None:
    if getattr(grammar, "measure", None) != "uniform":
        pytest.skip("another measure")
    for length in grammar.lengths().values[:4]:
        found = analysis.entropy(grammar.program(), length)
        assert found is not None
        assert found.low == pytest.approx(np.log(float(grammar.count(length))), rel=1e-9)
        assert found.high == found.low

"""Documents of random words and what is asked of them, read from their printed rows by other means."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import chain, permutations

import numpy as np
import pytest

from procdsl import analysis
from tests.test_presets import form, rows

Word = list[str]
COUNT = 600


def asked(name: str, count: int = COUNT, *, faithful: bool = False) -> list[tuple[Word, Word]]:
    """Documents, and what is written after them, without its end: all of it is scored, and nothing else."""
    found = []
    for row, scored in rows(form(name, faithful), count):
        at = row.index("<sep>")
        assert row[at + 1 :] == scored
        assert row[-1] == "<end>"
        found.append((row[:at], row[at + 1 : -1]))
    return found


def sentences(document: Word) -> list[Word]:
    """Each with its full stop."""
    assert document[-1] == "."
    return [[*part.split(), "."] for part in " ".join(document).split(".")[:-1]]


def of(mark: str) -> Callable[[Word], Word]:
    """The one sentence that holds a word that begins so."""

    def sentence(document: Word) -> Word:
        (found,) = (one for one in sentences(document) if any(word.startswith(mark) for word in one))
        return found

    return sentence


def quoted(document: Word) -> Word:
    inside = " ".join(document).split("<quote> ")[1].split(" <unquote>")[0]
    assert "." not in inside
    return [*inside.split(), "."]


def cut(document: Word) -> Word:
    sentence = of("<cut>")(document)
    return [*sentence[: sentence.index("<cut>")], "."]


def with_keys(document: Word) -> list[Word]:
    return [one for one in sentences(document) if any(word.startswith("key") for word in one)]


def by_key(sentence: Word) -> str:
    return next(word for word in sentence if word.startswith("key"))


ORACLES: dict[str, Callable[[Word], Word]] = {
    "nonsense_copy_first": lambda document: sentences(document)[0],
    "nonsense_copy_last": lambda document: sentences(document)[-1],
    "nonsense_copy_bulleted": lambda document: of("<bullet>")(document)[1:],
    "nonsense_copy_quoted": quoted,
    "nonsense_truncate": cut,
    "nonsense_keyword": of("key"),
    "nonsense_keywords_in_order": lambda document: [*chain(*with_keys(document))],
    "nonsense_keywords_sorted": lambda document: [*chain(*sorted(with_keys(document), key=by_key))],
}
MARKS = {"<bullet>", "<quote>", "<unquote>", *(f"key{i}" for i in range(10)), "<cut>"}


@pytest.mark.parametrize("name", ORACLES)
def test_what_is_asked_of_nonsense(name: str) -> None:
    """Seven to thirteen sentences of five to fifteen words; the answer follows from them."""
    counts, sizes = list[int](), list[int]()
    for document, answer in asked(name):
        assert ORACLES[name](document) == answer
        counts.append(len(sentences(document)))
        sizes += [
            len(one) - 1 - len({"<bullet>", "<quote>", "<unquote>"} & {*one}) for one in sentences(document)
        ]
        assert sum(word in MARKS for word in document) == {
            "nonsense_copy_first": 0,
            "nonsense_copy_last": 0,
            "nonsense_copy_quoted": 2,
            "nonsense_keywords_in_order": 3,
            "nonsense_keywords_sorted": 3,
        }.get(name, 1)
    assert ({*counts}, {*sizes}) == ({*range(7, 14)}, {*range(5, 16)})
    assert np.mean(counts) == pytest.approx(10, abs=0.35)
    assert np.mean(sizes) == pytest.approx(10, abs=0.2)
    grammar = form(name)
    assert analysis.floor(grammar.program(), length=1, context=1).high == 0


def test_marks_stand_anywhere() -> None:
    """Each sentence of the document, and each place of a sentence, is as likely."""
    which, where = list[float](), list[float]()
    for document, _ in asked("nonsense_truncate", 1_500):
        lines = sentences(document)
        (at,) = (at for at, one in enumerate(lines) if "<cut>" in one)
        which.append((at + 0.5) / len(lines))
        where.append((lines[at].index("<cut>") + 0.5) / (len(lines[at]) - 1))
    for found in (which, where):
        assert np.mean(found) == pytest.approx(0.5, abs=0.03)
        assert np.std(found) == pytest.approx(12**-0.5, abs=0.02)


def test_three_sentences_in_any_order() -> None:
    orders = Counter[tuple[int, ...]]()
    for document, answer in asked("nonsense_keywords_shuffled", 1_800):
        lines, found = with_keys(document), sentences(answer)
        orders[tuple(lines.index(one) for one in found)] += 1
    assert {*orders} == {*permutations(range(3))}
    assert all(count == pytest.approx(300, abs=75) for count in orders.values())
    program = form("nonsense_keywords_shuffled").program()
    assert analysis.floor(program, length=1, context=1).high <= math.log(6) + 1e-9


def test_sentences_are_put_in_order() -> None:
    """Nothing tells the order, so that the floor is no 0."""
    firsts = []
    for document, answer in asked("step_reordering", 200):
        before, after = sentences(document), sentences(answer)
        assert (len(before), sorted(before)) == (40, sorted(after))
        assert {len(one) for one in before} <= {*range(9, 14)}
        firsts.append(before.index(after[0]))
    assert np.mean(firsts) == pytest.approx(19.5, abs=3.5)
    assert analysis.floor(form("step_reordering").program(), length=1, context=1).high > 1


def test_what_follows_is_as_random_as_the_rest() -> None:
    for document, answer in asked("step_next_sentences", 100):
        assert (len(sentences(document)), len(sentences(answer))) == (40, 20)
        assert len({*document, *answer}) > 400


def test_a_part_is_masked() -> None:
    """A hundred to 255 words in one piece, of which 80 % are masked, 10 % others, 10 % left."""
    lengths, fates = list[int](), Counter[str]()
    for document, answer in asked("step_masked", 400):
        assert len(sentences(answer)) == 40
        assert len(document) == len(answer)
        changed = [at for at, (a, b) in enumerate(zip(document, answer, strict=True)) if a != b]
        lengths.append(changed[-1] - changed[0] + 1)
        for at in range(changed[0], changed[-1] + 1):
            masked, left = document[at] == "<mask>", document[at] == answer[at]
            fates["masked" if masked else "left" if left else "other"] += 1
    whole = fates.total()
    assert fates["masked"] / whole == pytest.approx(0.8, abs=0.01)
    assert fates["other"] / whole == pytest.approx(0.1, abs=0.01)
    assert max(lengths) <= 255
    assert np.mean(lengths) == pytest.approx(177.5, abs=8)

"""What is held out by its sort or by rank: never trained on, all of it tested, and by the right law.

Every part is set beside the language, enumerated string by string through `accepts`.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from procdsl import analysis, generate
from procdsl.compiler import compile
from procdsl.errors import Severity
from procdsl.grammars.base import PLENTY
from procdsl.grammars.rules.parting import named
from procdsl.grammars.rules.syntax import parse
from procdsl.plan import GenerateOperation, MeasureOperation
from procdsl.recognisers import recogniser
from procdsl.splits import content, spelling
from tests.grammars.examples import WORDS, drawn, operation, read, words_of

TREE = """kind = "cfg"
rules = 'S -> "(" S ")" S [0.3] | "x" S [0.2] | "y" [0.1] | ε [0.4]'
"""
COPIES = """kind = "mcfg"
rules = '''
S -> W { $1.1 $1.2 }
W -> W { x[i] $1.1 , x[i] $1.2 } | { ε , ε }
'''
tokens = { x = ["(", ")", "-"] }
"""
# One component, but children in another order than they are written in.
TURNED = """kind = "mcfg"
rules = '''
S -> S A { $2.1 $1.1 } | { ε }
A -> S { "(" $1.1 ")" } | { "x" }
'''
"""
HALF = 'validation = 0.2, by = "word", '


def deep(word: tuple[str, ...]) -> int:
    """How many brackets are open at most."""
    depth = deepest = 0
    for symbol in word:
        depth += symbol[0] == "("
        depth -= symbol[-1] == ")"
        deepest = max(deepest, depth)
    return deepest


def beyond(depth: int) -> Any:
    return lambda word: deep(word) > depth


def outside(word: tuple[str, ...], depth: int) -> bool:
    """Whether more brackets are open somewhere, or fewer than none."""
    heights = [word[:cut].count("(") - word[:cut].count(")") for cut in range(len(word) + 1)]
    return not 0 <= min(heights) <= max(heights) <= depth


def uses(symbol: str) -> Any:
    return lambda word: symbol in word


# A grammar without what it holds out, its words' length, what is held out, and which words these are.
UNIFORM = {
    "dyck": ('kind = "dyck"\nk = 2', 10, "depth = { over = 3 }", beyond(3)),
    "bounded dyck": ('kind = "dyck"\nk = 1\ndepth = 5', 14, "depth = { over = 3 }", beyond(3)),
    "shuffle": ('kind = "shuffle_dyck"\nk = 2', 8, "depth = { over = 2 }", beyond(2)),
    "bounded shuffle": ('kind = "shuffle_dyck"\nk = 2\ndepth = 3', 10, "depth = { over = 2 }", beyond(2)),
    "motzkin": ('kind = "motzkin"\nk = 2', 6, "depth = { over = 1 }", beyond(1)),
    "flatter motzkin": ('kind = "motzkin"\nflat = 2', 7, "depth = { over = 2 }", beyond(2)),
    "crossed": (f'{COPIES}measure = "uniform"', 8, "depth = { over = 2 }", lambda w: outside(w, 2)),
    "turned": (f'{TURNED}measure = "uniform"', 8, "depth = { over = 1 }", beyond(1)),
    "deep rules": (f'{TREE}measure = "uniform"', 8, "depth = { over = 2 }", beyond(2)),
    "last rule": (f'{TREE}measure = "uniform"', 8, """rules = ['S -> "y"']""", uses("y")),
    "rule within": (f'{TREE}measure = "uniform"', 7, """rules = ['S -> "x" S']""", uses("x")),
}
WEIGHTED = {
    "dyck walk": ('kind = "dyck"\nk = 2\nmeasure = "process"\np_open = 0.4', 10, 3, None),
    "bounded walk": ('kind = "dyck"\nk = 1\ndepth = 5\nmeasure = "process"\np_open = 0.6', 14, 3, None),
    "shuffle walk": ('kind = "shuffle_dyck"\nk = 2\nmeasure = "process"', 8, 2, None),
    "cut walk": ('kind = "shuffle_dyck"\nk = 2\nmeasure = "process"\nbalanced = false', 7, 2, None),
    "deep rules": (TREE, 8, 2, None),
    "rule": (TREE, 8, None, """rules = ['S -> "x" S']"""),
}
every_uniform = pytest.mark.parametrize(("text", "length", "held", "is_held"), UNIFORM.values(), ids=UNIFORM)


def grammar(text: str, length: int, held: str) -> Any:
    return read(f"{text}\nlength = {length}\nheld_out = {{ {HALF}{held} }}")


def language(made: Any, length: int) -> set[tuple[str, ...]]:
    return {word for word in product(made.alphabet(), repeat=length) if made.accepts(word)}


def rows(made: Any, length: int, split: str, count: int) -> list[tuple[str, ...]]:
    """Words by the kernel, the first of which the reference draws too."""
    operated = operation(made, length)
    ids, _ = drawn(operated, split, 0, count)
    assert generate.rows(operated, seed=0, split=split, start=0, count=20)[0] == ids[:20].tolist()  # type: ignore[arg-type]
    return [word for row in ids for word in words_of(made, row)]


@pytest.mark.slow
@every_uniform
def test_the_test_part_is_all_that_is_held_out_and_training_the_rest(
    text: str, length: int, held: str, is_held: Any
) -> None:
    made = grammar(text, length, held)
    everything = language(made, length)
    apart = {word for word in everything if is_held(word)}
    assert made.tested().count(length) == len(apart)
    assert made.count(length) == len(everything - apart)
    tested = Counter(rows(made.tested(), length, "test", 40 * len(apart)))
    assert set(tested) == apart
    seen = np.array(list(tested.values()))
    assert chi2.sf(((seen - 40.0) ** 2 / 40.0).sum(), len(apart) - 1) > 1e-4
    trained = set(rows(made, length, "train", 40 * len(everything)))
    validated = set(rows(made, length, "validation", 40 * len(everything)))
    assert not trained & validated
    assert trained | validated == everything - apart
    assert trained == {
        word for word in everything - apart if content(map(spelling, word)) >= made.program().split.validation
    }


@pytest.mark.parametrize(
    ("text", "lengths", "held", "sorts"),
    [
        (
            'kind = "dyck"\nk = 2',
            (6, 8),
            "depth = { over = 2 }, length = [8]",
            (beyond(2), lambda w: len(w) == 8),
        ),
        (
            f'{TREE}measure = "uniform"',
            (6, 7),
            """depth = { over = 1 }, length = { over = 6 }, rules = ['S -> "x" S']""",
            (beyond(1), lambda w: len(w) > 6, uses("x")),
        ),
    ],
    ids=["dyck", "rules"],
)
def test_of_several_sorts_the_test_part_is_of_all_and_training_of_none(
    text: str, lengths: tuple[int, int], held: str, sorts: tuple[Any, ...]
) -> None:
    made = read(f"{text}\nlength.uniform = {[*lengths]}\nheld_out = {{ validation = 0, {held} }}")
    everything = set[tuple[str, ...]]().union(*(language(made, length) for length in lengths))
    for part, split, words in (
        (made.tested(), "test", {w for w in everything if all(sort(w) for sort in sorts)}),
        (made, "train", {w for w in everything if not any(sort(w) for sort in sorts)}),
    ):
        assert sum(part.count(length) for length in part.lengths().values) == len(words)
        assert set(rows(part, 40, split, 20 * len(words))) == words


@pytest.mark.slow
@every_uniform
def test_the_floor_is_that_of_each_part(text: str, length: int, held: str, is_held: Any) -> None:
    made = grammar(text, length, held)
    everything = language(made, length)
    apart = sum(map(is_held, everything))
    for part, words in ((made, len(everything) - apart), (made.tested(), apart)):
        found = analysis.entropy(part.program(), length)
        assert found is not None
        # Of multiple context-free rules nothing proves that words have one derivation each.
        assert found.exact or "mcfg" in text
        assert found.high == pytest.approx(math.log(words), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "length", "depth", "rule"), WEIGHTED.values(), ids=WEIGHTED)
def test_weights_are_conditioned_on_what_is_held_out(
    text: str, length: int, depth: int | None, rule: str | None
) -> None:
    """Words of the part, and those of the whole grammar that belong to it, are drawn alike."""
    made = grammar(text, length, rule or f"depth = {{ over = {depth} }}")
    is_held = beyond(depth) if depth else uses("x")
    whole = read(f"{text}\nlength = {length}\nheld_out = {{ validation = 0, test = 0 }}")
    expected = Counter(word for word in rows(whole, length, "train", 300_000) if is_held(word))
    found = Counter(rows(made.tested(), length, "test", sum(expected.values())))
    assert all(map(is_held, found))
    often = [word for word in expected if expected[word] + found[word] >= 20]
    table = [[count[word] for word in often] for count in (expected, found)]
    assert chi2_contingency(table).pvalue > 1e-4
    floor = analysis.entropy(made.tested().program(), length)
    if floor is not None:
        shares = np.array(list(found.values())) / sum(found.values())
        assert floor.low == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.02)


def test_natural_lengths_are_those_of_each_part() -> None:
    """Of a rule's words and the others, what either has of a length is what the whole grammar gives it."""
    natural = f'{TREE}measure = "natural"\nlength = {{ natural = 12 }}\nheld_out = '
    whole = read(natural + "{ validation = 0, test = 0 }")
    made = read(natural + """{ validation = 0, rules = ['S -> "y"'] }""")
    shares = dict(zip(whole.law().values, whole.law().shares, strict=True))
    parts = [dict(zip(one.law().values, one.law().shares, strict=True)) for one in (made, made.tested())]
    words = [word for row in drawn(operation(whole), "train", 0, 20_000)[0] for word in words_of(whole, row)]
    held = Counter(len(word) for word in words if "y" in word)
    fair = {length: parts[1][length] / sum(parts[1].values()) * held.total() for length in parts[1]}
    # Rows are filled exactly, which shifts lengths a little, as it does those of the whole.
    for length in (2, 4, 6):
        drift = Counter(map(len, words))[length] / len(words) / (shares[length] / sum(shares.values()))
        assert held[length] == pytest.approx(fair[length] * drift, rel=0.15)
    assert sum(map(sum, (part.values() for part in parts))) == pytest.approx(2 * 2**31, rel=1e-6)


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_length_held_out_is_only_tested(kind: str) -> None:
    longest = WORDS[kind].lengths().values[-1]
    fields = {**WORDS[kind].model_dump(), "length": {"uniform": (longest // 2, longest)}}
    values = type(WORDS[kind]).model_validate(fields).lengths().values
    apart = set(values[len(values) // 2 :])
    held_out = {"validation": 0.1, "length": tuple(apart)}
    made = type(WORDS[kind]).model_validate({**fields, "held_out": held_out})
    assert set(made.lengths().values) == set(values) - apart
    assert set(made.tested().lengths().values) == apart
    for part, split, lengths in (
        (made, "train", set(values) - apart),
        (made, "validation", set(values) - apart),
        (made.tested(), "test", apart),
    ):
        operated = operation(part, 2 * values[-1] + 2)
        ids, scored = drawn(operated, split, 0, 64)
        assert {len(word) for row in ids for word in words_of(part, row)} <= lengths
        assert generate.rows(operated, seed=0, split=split, start=0, count=2) == (
            ids[:2].tolist(),
            scored[:2].tolist(),
        )


def test_lengths_keep_their_law() -> None:
    """What is left of a law stands to each other as before, and a word of a row's length has its end."""
    made = read(
        'kind = "dyck"\nk = 1\nlength.choice = { 4 = 0.5, 8 = 0.25, 12 = 0.25 }\nheld_out.length = [8]'
    )
    assert made.lengths().weights[0] == 2 * made.lengths().weights[1]
    assert made.tested().longest() == 9


def test_rules_of_automata_are_held_out() -> None:
    made = read('kind = "eca"\nrule = [30, 54, 90, 110]\nwidth = 20\nsteps = 3\nheld_out.rules = [110, 54]')
    assert made.program().rules == (30, 90)
    assert made.tested().program().rules == (54, 110)
    life = read(
        'kind = "life"\nrule = ["B3/S23", "B36/S23"]\ngrid = [6, 6]\nsteps = 2\nheld_out.rules = ["B36/S23"]'
    )
    for part in (made, life):
        operated = operation(part.tested())
        ids, _ = drawn(operated, "test", 0, 40)
        assert generate.rows(operated, seed=0, split="test", start=0, count=4)[0] == ids[:4].tolist()
        assert all(part.accepts([part.tokens()[id] for id in row]) for row in ids)
        assert part.tested().program().split.bounds("train") == (1, 0)


def test_rules_are_named_as_they_stand() -> None:
    rules = parse('S -> NP VP | S "and" S [0.1]\nNP[n] -> det[n] noun[n] (RC){0,2} | "it"\nVP -> "runs"+ | ε')
    assert named('S -> S "and" S', rules) == {(0, 1)}
    assert named("NP[n] -> det[n] noun[n] (RC){0,2}", rules) == {(1, 0)}
    assert named("NP", rules) == {(1, 0), (1, 1)}
    assert named('VP -> ε | "runs"+', rules) == {(2, 0), (2, 1)}


def test_words_of_the_test_part_are_read_by_the_whole_language() -> None:
    made = grammar(TREE, 8, """rules = ['S -> "y"']""")
    alphabet, reading = made.alphabet(), recogniser(made.tested().program())
    assert reading.read(alphabet.index("x"))
    assert reading.ends()


# ---------------------------------------------------------------- by rank

# Kinds by a length of some hundreds of words.
FEW = {kind: made for kind, made in WORDS.items() if kind not in ("counter", "python")}


def ranked(made: Any, length: int, test: float = 0.05, validation: float = 0.02) -> Any:
    held_out = {"by": "rank", "test": test, "validation": validation}
    return type(made).model_validate({**made.model_dump(), "length": length, "held_out": held_out})


@pytest.mark.parametrize("kind", sorted(FEW))
def test_shares_by_rank_are_exact(kind: str) -> None:
    """Of N words of a length exactly the nearest whole number is held out, and no hash could promise that."""
    made = FEW[kind]
    length = [n for n in range(1, 32) if made.possible(32) >> n & 1 and 50 <= made.count(n) <= 8_000][-1]
    part = ranked(made, length)
    words = list(part.words(length))
    assert len(set(words)) == len(words) == made.count(length)
    assert all(made.accepts(word) for word in words[:200])
    split = part.program().split if kind != "expr" else part.made.program().split
    hashes = [content(map(spelling, word)) for word in words]
    for name, share in (("test", 0.05), ("validation", 0.02)):
        low, high = split.bounds(name, length)
        assert sum(low <= one <= high for one in hashes) == round(share * len(words))


@pytest.mark.slow
def test_a_thousand_words_in_twenty_parts() -> None:
    """1,024 words: 5 % are 51 and a half per cent 5, each drawn from its part alone and all alike."""
    made = ranked(read('kind = "iid"\nsymbols = 2\nlength = 10'), 10, 0.05, 0.005)
    parts = {split: Counter(rows(made, 10, split, 40_000)) for split in ("train", "validation", "test")}
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 1024 - 51 - 5,
        "validation": 5,
        "test": 51,
    }
    assert not set(parts["train"]) & set(parts["test"])
    for part in parts.values():
        fair = 40_000 / len(part)
        assert chi2.sf(sum((n - fair) ** 2 / fair for n in part.values()), len(part) - 1) > 1e-4


def test_each_length_has_its_own_ranks() -> None:
    made = read(
        'kind = "dyck"\nk = 2\nlength = { uniform = [6, 10] }\n'
        'held_out = { by = "rank", test = 0.1, validation = 0.1 }'
    )
    # Rows of 34 are filled by words of every length; of 24, only by two of 6 and one of 8.
    operated = operation(made, 34)
    seen = {
        split: {word for row in drawn(operated, split, 0, 20_000)[0] for word in words_of(made, row)}
        for split in ("train", "validation", "test")
    }
    for length in (6, 8, 10):
        count = made.count(length)
        sizes = [sum(len(word) == length for word in part) for part in seen.values()]
        assert sizes == [count - 2 * round(count / 10), round(count / 10), round(count / 10)]
    for split in seen:
        ids, scored = drawn(operated, split, 7, 5)
        assert generate.rows(operated, seed=0, split=split, start=7, count=5) == (
            ids.tolist(),
            scored.tolist(),
        )


def test_what_cannot_be_ranked_says_so() -> None:
    def errors(text: str) -> list[str]:
        made = read(text)
        return [one.code for one in made.problems(64) if one.severity is Severity.ERROR]

    many = read('kind = "dyck"\nk = 4\nlength = 32').count(32)
    assert many > PLENTY
    assert errors('kind = "dyck"\nk = 4\nlength = 32\nheld_out.by = "rank"') == ["P353"]
    assert errors('kind = "dyck"\nk = 1\nlength = 8\nheld_out.by = "rank"') == ["P359"]
    assert (
        errors('kind = "dyck"\nk = 1\nlength = 8\nheld_out = { by = "rank", test = 0.1, validation = 0 }')
        == []
    )
    assert errors(
        'kind = "iid"\nsymbols = 1\nlength = 8\nheld_out = { by = "rank", test = 0.4, validation = 0.5 }'
    )


# ---------------------------------------------------------------- in a study

STUDY = """
extends = "good.toml"
[grammars.dyck]
held_out = { depth = { over = 5 } }
[sources.mixed]
kind = "shuffled"
of = "dyck"
[curricula.mixed]
phases = [{ name = "learn", data = "mixed", tokens = 8_192 }]
[evaluations.deep]
kind = "loss"
on = "dyck"
split = "test"
[evaluations.deep_mixed]
kind = "loss"
on = "mixed"
split = "test"
"""


def test_evaluations_of_the_test_part_read_operations_of_their_own(tmp_path: Path) -> None:
    """With floors of their own; training, and what is measured on validation, reads the other part."""
    (tmp_path / "good.toml").write_text((Path(__file__).parent / "compiler/good.toml").read_text())
    (tmp_path / "study.toml").write_text(STUDY)
    plan = compile(tmp_path / "study.toml", profile=None).plan
    made = {one.id: one for one in plan.operations if isinstance(one, GenerateOperation)}
    trained, tested = made["generate/dyck-32"], made["generate/dyck-32-test"]
    assert (trained.name, trained.program.depth, trained.program.beyond) == ("dyck", 5, None)  # type: ignore[union-attr]
    assert (tested.name, tested.program.depth, tested.program.beyond) == ("dyck", None, 5)  # type: ignore[union-attr]
    assert made["generate/mixed-32-test"].program.of == tested.program  # type: ignore[union-attr]
    assert trained.floor
    assert tested.floor
    counted = read('kind = "dyck"\nk = 4\nlength = 32\nheld_out.depth.over = 5')
    assert trained.floor.low == pytest.approx(math.log(counted.count(32)) / 32)
    assert tested.floor.low == pytest.approx(math.log(counted.tested().count(32)) / 32)
    read_by = {
        one.name: one.measurement.source for one in plan.operations if isinstance(one, MeasureOperation)
    }
    assert read_by == {
        "brackets": "generate/dyck-32",
        "deep": "generate/dyck-32-test",
        "deep_mixed": "generate/mixed-32-test",
    }


def test_shuffled_brackets_are_held_out_by_great_depths_where_words_are_short() -> None:
    """Tables grow with the partitions of the depth: it is their size that has a bound, not the depth."""
    grammar = read('kind = "shuffle_dyck"\nk = 2\nlength = 36\nheld_out = { depth = { over = 13 } }')
    assert not [p for p in grammar.problems(36) if p.severity is Severity.ERROR]
    for made, split, within in ((grammar, "train", range(14)), (grammar.tested(), "test", range(14, 19))):
        rows = operation(made, 36)
        ids, scored = drawn(rows, split, 0, 64)
        assert {deep(words_of(made, row)[0]) for row in ids} <= set(within)
        reference = generate.rows(rows, seed=0, split=split, start=0, count=3)  # type: ignore[arg-type]
        assert (ids[:3].tolist(), scored[:3].tolist()) == reference

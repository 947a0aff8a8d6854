"""The tables of tree-shaped words against all derivations, written out."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars.cfg import Cfg
from procdsl.grammars.rules import branching, counting
from procdsl.trees import flattened, plain_inside, structure, tilt, tilts, vector_inside
from tests.grammars.derivations import derivations
from tests.grammars.examples import drawn, operation, read, unsplit

GRAMMARS = {
    "brackets": """rules = 'S -> open[i] S close[i] S [0.3] | ε [0.7]'
        tokens = { open = 2, close = 2 }""",
    "units and the empty word": """rules = '''
        S -> A B? "x"
        A -> "a" A [0.2] | B [0.3] | ε [0.4] | "q" [0.1]
        B -> "b" [0.5] | C [0.5]
        C -> "c"*@0.3 "d"
        '''""",
    "ambiguous": """rules = 'S -> S S [0.3] | "a" [0.5] | "b" [0.2]'""",
    "supercritical": """rules = 'S -> "a" S S [0.6] | "b" [0.4]'""",
    "a lexicon": """rules = 'S -> w S [0.6] | w [0.4]'
        tokens = { w = { count = 3, weights = "zipf(1.0)" } }""",
    "copies": """rules = '''
        S -> W { $1.1 $1.2 } [0.7] | W S { $1.1 $2.1 $1.2 } [0.3]
        W -> W { x[i] $1.1 , x[i] $1.2 } [0.5] | { "c" , "d" } [0.5]
        '''
        tokens = { x = 2 }""",
}
every_grammar = pytest.mark.parametrize("name", GRAMMARS)
LENGTHS = (2, 3, 4, 5, 6)


def grammar(name: str, **changes: Any) -> Any:
    kind = "mcfg" if "{ $" in GRAMMARS[name] else "cfg"
    made = read(f'kind = "{kind}"\n{GRAMMARS[name]}\nlength = {{ uniform = [1, 6] }}')
    return unsplit(made, **changes)


@every_grammar
def test_weights_counts_and_entropies_are_those_of_all_derivations(name: str) -> None:
    made = grammar(name)
    program = made.program()
    flat = structure(program)
    alpha, _ = plain_inside(flat, tilts(1.0, flat.slots), 6)
    for n in LENGTHS:
        found = derivations(program.shapes, n)
        assert made.count(n) == len(found)
        assert bool(found) == bool(made.possible(6) >> n & 1)
        whole = math.fsum(weight for weight, _ in found)
        assert alpha[0][n] == pytest.approx(whole, rel=4e-15)
        if found:
            nats = -math.fsum(w / whole * math.log(w / whole) for w, _ in found)
            entropy = analysis.entropy(program, n)
            assert entropy.high == pytest.approx(nats, rel=1e-11, abs=1e-12)
            words = defaultdict[tuple[int, ...], float](float)
            for weight, word in found:
                words[word] += weight / whole
            of_words = -math.fsum(share * math.log(share) for share in words.values())
            assert 0 <= entropy.low <= of_words + 1e-12


def test_what_productions_choose_bounds_the_words_from_below() -> None:
    """Of ww all that is drawn are the letters of w; of a pile of letters, the tree cannot be seen at all."""
    twice = """rules = '''
        S -> W { $1.1 $1.2 }
        W -> W { x[i] $1.1 , x[i] $1.2 } | { ε , ε }
        '''
        tokens = { x = 4 }"""
    found = analysis.floor(read(f'kind = "mcfg"\n{twice}\nlength = 16').program(), length=16, context=16)
    assert found.exact
    assert found.low == pytest.approx(math.log(4) / 2)
    pile = read('kind = "cfg"\nrules = "S -> S S [0.3] | a[i] [0.7]"\ntokens = { a = 3 }\nlength = 6')
    entropy = analysis.entropy(pile.program(), 6)
    assert entropy.low == pytest.approx(6 * math.log(3))
    assert entropy.high == pytest.approx(6 * math.log(3) + math.log(42))


@pytest.mark.parametrize("enough", [20, 300, 301, 10**9])
def test_lengths_with_plenty_of_words_are_those_with_so_many(enough: int) -> None:
    """Against exact counts: n - 1 words of length n, ever more, and one of every third length."""
    pair, dyck = 'S -> A B\nA -> "a" A | "a"\nB -> "b" B | "b"', "S -> open[i] S close[i] S | ε"
    for rules, tokens in ((pair, {}), (dyck, {"open": 2, "close": 2}), ('S -> "a" S "b" "c" | "d"', {})):
        shapes = Cfg.model_validate({"rules": rules, "tokens": tokens, "length": 4}).program().shapes
        counts = counting.counts(shapes, 400)
        expected = sum(1 << n for n, count in enumerate(counts) if count >= enough)
        assert counting.plenty(shapes, 400, enough) == expected


@every_grammar
def test_all_inside_routines_agree(name: str) -> None:
    program = grammar(name).program()
    flat, step = structure(program), tilt(program)
    plain = plain_inside(flat, tilts(step, flat.slots), 40)[0]
    assert np.array(plain) == pytest.approx(vector_inside(flat, step, 40)[0])


@every_grammar
def test_words_are_drawn_by_their_weights(name: str) -> None:
    made = grammar(name)
    n = max(n for n in LENGTHS if made.possible(6) >> n & 1)
    made = grammar(name, length=n)
    weights: Counter[tuple[int, ...]] = Counter()
    for weight, word in derivations(made.program().shapes, n):
        weights[word] += weight  # type: ignore[assignment]
    whole, rows = sum(weights.values()), 10_000
    ids, _ = drawn(operation(made, n), "train", 0, rows)
    seen = Counter(map(tuple, ids[:, 1:].tolist()))
    assert seen.keys() <= weights.keys()
    often = [word for word in weights if rows * weights[word] / whole >= 5]
    expected = [rows * weights[word] / whole for word in often]
    statistic = sum((seen[word] - e) ** 2 / e for word, e in zip(often, expected, strict=True))
    assert len(often) < 2 or chi2.sf(statistic, len(often) - 1) > 1e-4


def test_uniform_words_of_known_numbers() -> None:
    catalan = read("kind = 'cfg'\nrules = 'S -> \"(\" S \")\" S | ε'\nmeasure = 'uniform'\nlength = 12")
    assert [catalan.count(n) for n in range(0, 13, 2)] == [1, 1, 2, 5, 14, 42, 132]
    motzkin = read(
        "kind = 'cfg'\nrules = 'S -> \"(\" S \")\" S | \"-\" S | ε'\nmeasure = 'uniform'\nlength = 9"
    )
    assert [motzkin.count(n) for n in range(10)] == [1, 1, 2, 4, 9, 21, 51, 127, 323, 835]
    assert analysis.entropy(catalan.program(), 12).low == pytest.approx(math.log(132))


def test_the_floor_of_weighted_dyck_is_that_of_uniform_dyck() -> None:
    rules = "rules = 'S -> open[i] S close[i] S [0.49] | ε [0.51]'\ntokens = { open = 64, close = 64 }"
    made = read(f"kind = 'cfg'\n{rules}\nlength = 512").program()
    dyck = read("kind = 'dyck'\nk = 64\nlength = 512").program()
    assert analysis.entropy(made, 512).low == pytest.approx(analysis.entropy(dyck, 512).low, rel=1e-12)


def test_the_branching_process_agrees_with_its_lengths() -> None:
    shapes = grammar("a lexicon").program().shapes
    shares = branching.lengths(shapes, 400)
    assert math.fsum(shares) == pytest.approx(branching.terminates(shapes)) == pytest.approx(1)
    mean = math.fsum(n * share for n, share in enumerate(shares))
    assert branching.expected_length(shapes) == pytest.approx(mean)


def test_a_grammar_that_may_never_stop_is_known() -> None:
    shapes = grammar("supercritical").program().shapes
    assert branching.radius(shapes) == pytest.approx(1.2)
    assert branching.terminates(shapes) == pytest.approx(2 / 3)
    assert branching.expected_length(shapes) == math.inf


def test_lengths_without_words_are_told_apart_at_any_size() -> None:
    made = read("""kind = 'cfg'
        rules = 'S -> "a" "a" "a" S | "b" "b" | S "c" "c"'
        length = 9""")
    shapes = made.program().shapes
    found = counting.possible(shapes, 600)[0]
    assert [n for n in range(20) if found >> n & 1] == [n for n in range(20) if n in (2, 4) or n > 4]


def test_lengths_are_passed_on_where_what_stands_beside_may_be_empty() -> None:
    made = read("""kind = 'cfg'
        rules = 'S -> "t" A S B | "t"  A -> C | ε  C -> A | "t"  B -> "t"'
        length = 9""")
    found = counting.possible(made.program().shapes, 30)[0]
    assert [n for n in range(31) if found >> n & 1] == [n for n in range(31) if n not in (0, 2)]


def test_divergent_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="endlessly many"):
        flattened(
            read("kind = 'cfg'\nrules = 'S -> S S | \"a\" | ε'\nmeasure = 'uniform'\nlength = 4")._shapes
        )

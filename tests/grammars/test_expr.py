"""Operators over grammars against sets of words, products against brute force; faults in their place."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate, combinations, product
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis, generate
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

PARTS = """
[grammars.pairs]
kind = "dyck"
k = 1
length = 8
[grammars.two]
kind = "dyck"
k = 2
length = 8
[grammars.sums]
kind = "cfg"
rules = 'E -> E "+" T [0.4] | T [0.6]  T -> "n" [0.7] | "(" E ")" [0.3]'
length = 9
[grammars.even]
kind = "automaton"
start = "p"
accept = ["p"]
edges = "p -a-> q ; q -a-> p ; p -b-> p ; q -b-> q"
length = 8
[grammars.ends]
kind = "regex"
pattern = "(a | b)* a b? "
length = 8
"""
Words = set[tuple[str, ...]]


def expr(text: str, length: int = 8, **fields: str) -> Any:
    lines = "".join(f"{name} = {value}\n" for name, value in fields.items())
    return read(f"kind = 'expr'\nexpr = '''{text}'''\nlength = {length}\n{lines}{PARTS}")


def words(grammar: Any, longest: int) -> Words:
    """All words, by membership."""
    alphabet = grammar.alphabet()
    every = (word for n in range(1, longest + 1) for word in product(alphabet, repeat=n))
    return {word for word in every if grammar.accepts(word)}


def errors(grammar: Any) -> list[Any]:
    return [problem for problem in grammar.problems(64) if problem.severity == "error"]


def strings(alphabet: str, longest: int) -> Words:
    return {word for n in range(longest + 1) for word in product(alphabet, repeat=n)}


def deepest(word: tuple[str, ...]) -> int:
    """How deep brackets of any sort nest; 99 where some are not closed."""
    heights = list(accumulate((-1 if one in ")]" else 1 for one in word), initial=0))
    return 99 if min(heights) < 0 or heights[-1] else max(heights)


def in_twos(word: tuple[str, ...]) -> bool:
    """Whether round and square brackets are balanced, each by themselves."""
    return all(deepest(tuple(one for one in word if one in sort)) < 99 for sort in ("()", "[]"))


EVEN = {word for word in strings("ab", 6) if word.count("a") % 2 == 0}
ENDS = {word for word in strings("ab", 6) if word[-1:] == ("a",) or word[-2:] == ("a", "b")}

TWICE = {u + v for u in ENDS for v in ENDS}


def factor(word: tuple[str, ...], part: str) -> bool:
    return part in "".join(word)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("even & ends", EVEN & ENDS),
        ("even | ends", EVEN | ENDS),
        ("~even & ~ends", strings("ab", 6) - EVEN - ENDS),
        ("minus(even, ends)", EVEN - ENDS),
        ("reverse(ends)", {word[::-1] for word in ENDS}),
        ("even & avoid('a b a')", {word for word in EVEN if not factor(word, "aba")}),
        ("ends & factor('b b')", {word for word in ENDS if factor(word, "bb")}),
        ("concat(ends, 'b', even)", {(*u, "b", *v) for u in ENDS for v in EVEN}),
        ("repeat(ends, 2..3)", TWICE | {u + v for u in TWICE for v in ENDS if len(u + v) < 7}),
        ("regex('(a b)+ | b{2,3}')", {("a", "b") * n for n in (1, 2, 3)} | {("b",) * n for n in (2, 3)}),
    ],
)  # fmt: skip
def test_regular_operators_are_what_sets_say(text: str, wanted: Words) -> None:
    grammar = expr(text, 6)
    short = {word for word in wanted if 0 < len(word) <= 6}
    assert words(grammar, 6) == short
    assert [grammar.count(n) for n in range(1, 7)] == [sum(len(w) == n for w in short) for n in range(1, 7)]


PAIRS = {word for word in strings("()", 8) if deepest(word) < 9}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("minus(own, depth(own, max = 2))", {w for w in PAIRS if deepest(w) > 2}),
        ("own & depth(own, max = 2)", {w for w in PAIRS if deepest(w) < 3}),
        ("depth(own, max = 3) & ~depth(own, max = 1)", {w for w in PAIRS if 1 < deepest(w) < 4}),
        ("~left & regex('.*')", strings("ab", 8) - {("b", *"a" * n) for n in range(8)}),
        (
            "depth(shuffle(own, square), max = 2)",
            {w for w in strings("()[]", 6) if in_twos(w) and deepest(w) < 3},
        ),
        (
            "shuffle(depth(own, max = 1), depth(own, max = 1))",
            {w for w in PAIRS if deepest(w) < 3},
        ),
    ],
)  # fmt: skip
def test_rules_that_are_regular_are_taken_for_automata(text: str, wanted: Words) -> None:
    grammars = """
[grammars.own]
kind = "cfg"
rules = 'S -> "(" S ")" S | ε'
length = 8
[grammars.square]
kind = "cfg"
rules = 'S -> S "[" S "]" | ε'
length = 8
[grammars.left]
kind = "cfg"
rules = 'S -> S "a" | "b"'
length = 8
"""
    made = read(f'kind = "expr"\nexpr = "{text}"\nlength = 6\n{grammars}')
    longest = max(map(len, wanted))
    assert words(made, longest) == wanted - {()}


def test_members_of_families_are_no_brackets() -> None:
    grammar = read("""
kind   = "expr"
expr   = "depth(sums, max = 1)"
length = 5
[grammars.sums]
kind   = "cfg"
rules  = 'E -> E "+" T | T  T -> "(" E ")" | digit'
tokens = { digit = 2 }
length = 5
""")
    # Three digits, two with one of them in brackets, and both in brackets.
    assert grammar.count(5) == 8 + 4 + 4 + 4
    assert grammar.accepts(["(", "digit[0]", ")", "+", "digit[1]"])
    assert not grammar.accepts(["(", "(", "digit[0]", ")", ")"])


def test_relabel_and_shuffle() -> None:
    assert expr("relabel(even, 'b' = 'c')").alphabet() == ("a", "c")
    mixed = words(expr("shuffle('a a', 'b c')", 4), 4)
    assert mixed == {
        w for w in product("abc", repeat=4) if sorted(w) == list("aabc") and w.index("b") < w.index("c")
    }


DYCK = {
    word
    for word in strings("()", 10)
    if all(word[:i].count("(") >= word[:i].count(")") for i in range(11))
    and word.count("(") == word.count(")")
}


def spelt(word: tuple[str, ...]) -> str:
    return "".join(symbol.strip("0") for symbol in word)


def deep(word: tuple[str, ...]) -> int:
    return max(word[:i].count("(") - word[:i].count(")") for i in range(len(word) + 1))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pairs", DYCK),
        ("depth(pairs, max = 2)", {word for word in DYCK if deep(word) <= 2}),
        ("pairs & avoid('0) 0) 0)')", {word for word in DYCK if not factor(word, ")))")}),
        ("pairs & regex('(. . . .)*')", {word for word in DYCK if len(word) % 4 == 0}),
        ("minus(pairs, factor('0) (0'))", {word for word in DYCK if not factor(word, ")(")}),
        ('reverse(pairs & regex(\'"(0" "(0" .*\'))', {word[::-1] for word in DYCK if word[:2] == ("(", "(")}),
        ("pairs | '0) (0'", DYCK | {(")", "(")}),
        ("pairs | regex('\"(0\"*') | '(0 0)'", DYCK | {("(",) * n for n in range(11)}),
        ("concat(pairs, pairs)", DYCK),
    ],
)
def test_rules_meet_automata(text: str, wanted: Words) -> None:
    grammar = expr(text, 10, measure='"weighted"')
    assert {spelt(word) for word in words(grammar, 10)} == {"".join(word) for word in wanted if word}
    if "concat" not in text:
        counts = [sum(len(word) == n for word in wanted) for n in range(1, 11)]
        assert [grammar.count(n) for n in range(1, 11)] == counts


def test_weights_of_rules_stay() -> None:
    grammar = unsplit(expr("sums & avoid('( n )')", 7, measure='"weighted"'))
    rows = drawn(operation(grammar, 7), "train", 0, 20_000)[0]
    seen = [words_of(grammar, row)[0] for row in rows]
    assert not any(factor(word, "(n)") for word in seen)
    nested = sum("(" in word for word in seen) / len(seen)
    # n+n+n+n weighs 0.4**3 0.6 0.7**4; one pair of brackets around n+n, beside +n: three places.
    flat = 0.4**3 * 0.6 * 0.7**4
    once = [word for word in set(seen) if word.count("(") == 1]
    twice = [word for word in set(seen) if word.count("(") == 2]
    weight = sum(_weight(word) for word in once + twice)
    assert nested == pytest.approx(weight / (weight + flat), abs=0.01)


def _weight(word: tuple[str, ...]) -> float:
    """Each + by its rule, each n and bracket by theirs, each sum's first term by 0.6."""
    sums = 1 + word.count("(")
    return float(0.4 ** word.count("+") * 0.6**sums * 0.7 ** word.count("n") * 0.3 ** word.count("("))


WEIGHTED = """
[grammars.walk]
kind = "automaton"
start = "p"
accept = ["q"]
edges = "p -a-> p [3] ; p -b-> q [1] ; q -a-> q [0.5] ; q -b-> p [2]"
measure = "weighted"
length = 6
[grammars.zipf]
kind = "iid"
symbols = 3
weights = "zipf(1.0)"
length = 6
[grammars.hidden]
kind = "hmm"
states = 2
transition = [[0.9, 0.1], [0.2, 0.8]]
emission = [[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]]
tokens = ["a", "b", "c"]
length = 6
"""


def _walk(word: tuple[str, ...]) -> float:
    """The weight of the walk that writes a word."""
    steps = {"pa": ("p", 3), "pb": ("q", 1), "qa": ("q", 0.5), "qb": ("p", 2)}
    state, weight = "p", 1.0
    for symbol in word:
        if symbol not in "ab":
            return 0.0
        state, more = steps[state + symbol]
        weight *= more
    return weight if state == "q" else 0.0


def _zipf(word: tuple[str, ...]) -> float:
    return math.prod(1 / (1 + int(symbol[1:])) for symbol in word)


def _hidden(word: tuple[str, ...]) -> float:
    shares = [0.5, 0.5]
    moves, writes = [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]]
    for place, symbol in enumerate(word):
        if place:
            shares = [sum(shares[p] * moves[p][q] for p in (0, 1)) for q in (0, 1)]
        shares = [share * row["abc".index(symbol)] for share, row in zip(shares, writes, strict=True)]
    return sum(shares)


@pytest.mark.parametrize(
    ("text", "alphabet", "weight"),
    [
        ("walk & avoid('b b')", "a b", lambda w: _walk(w) * (not factor(w, "bb"))),
        ("walk & hidden", "a b", _walk),
        ("reverse(walk)", "a b", lambda w: _walk(w[::-1])),
        ("minus(hidden, even)", "a b c", lambda w: _hidden(w) * (w.count("a") % 2 == 1 or "c" in w)),
        ("zipf & avoid('s0 s0')", "s0 s1 s2", lambda w: _zipf(w) * (not factor(w, "s0s0"))),
        ("concat('c', walk)", "a b c", lambda w: _walk(w[1:]) if w[0] == "c" else 0.0),
        ("relabel(hidden, 'a' = 'z')", "z b c", lambda w: _hidden(tuple(s.replace("z", "a") for s in w))),
    ],
)  # fmt: skip
def test_weights_of_what_is_regular_stay(text: str, alphabet: str, weight: Any) -> None:
    toml = f"""kind = 'expr'\nexpr = "{text}"\nlength = 5\nmeasure = "weighted"\n{PARTS}{WEIGHTED}"""
    grammar = unsplit(read(toml))
    law = {word: float(weight(word)) for word in product(alphabet.split(), repeat=5)}
    whole, count = sum(law.values()), 40_000
    rows = drawn(operation(grammar, 5), "train", 0, count)[0]
    seen = Counter(words_of(grammar, row)[0] for row in rows)
    assert set(seen) <= {word for word, share in law.items() if share}
    expected = {word: count * share / whole for word, share in law.items() if count * share / whole > 5}
    distance = sum((seen[word] - wanted) ** 2 / wanted for word, wanted in expected.items())
    assert chi2.sf(distance, len(expected)) > 1e-4
    found = analysis.entropy(grammar.program(), 5)
    exact = -sum(share / whole * math.log(share / whole) for share in law.values() if share)
    assert found.low - 1e-9 <= exact <= found.high + 1e-9


@pytest.mark.parametrize(
    ("other", "between"),
    [
        ("'x y'", ["xy"]),
        ("regex('x* y')", [n * "x" + "y" for n in range(6)]),
        ("regex('(a b)+')", ["ab", "abab", "ababab"]),
    ],
)
def test_rules_shuffle_with_what_is_regular(other: str, between: list[str]) -> None:
    text = f"shuffle(relabel(pairs, '(0' = 'a', '0)' = 'b'), {other})"
    grammar = expr(text, 6, measure='"weighted"')
    nested = {"".join(w).translate(str.maketrans("()", "ab")) for w in DYCK if len(w) <= 6}
    mixed = Counter[str]()
    for outer, inner in product(nested, between):
        size = len(outer + inner)
        for places in combinations(range(size), len(inner)) if size <= 6 else ():
            inside, around = iter(inner), iter(outer)
            mixed["".join(next(inside if n in places else around) for n in range(size))] += 1
    assert {"".join(word) for word in words(grammar, 6)} == set(mixed)
    # As many derivations as ways to part a word in two: one where no symbol is in both.
    assert [grammar.count(n) for n in range(1, 7)] == [
        sum(ways for word, ways in mixed.items() if len(word) == n) for n in range(1, 7)
    ]
    assert (max(mixed.values()) == 1) == ("a" not in other)


def test_corrupted_rows_err_as_often_as_asked() -> None:
    clean = unsplit(expr("two", 40))
    before, _ = drawn(operation(clean, 40), "train", 0, 4_000)
    noisy = unsplit(expr("corrupt(two, substitute = 0.1, swap = 0.05)", 40))
    after, scored = drawn(operation(noisy, 40), "train", 0, 4_000)
    assert 0.1 < (before != after)[:, 1:].mean() < 0.2
    assert (after[:, 0] == before[:, 0]).all()
    assert scored[:, 1:].all()
    whole = sum(noisy.accepts(words_of(noisy, row)[0]) for row in after)
    assert 0.8**40 * 4_000 < whole < 0.95**40 * 4_000
    only = drawn(operation(unsplit(expr("corrupt(two, substitute = 0.25)", 40)), 40), "train", 0, 4_000)[0]
    assert (before == only)[:, 1:].mean() == pytest.approx(0.75, abs=0.005)
    # A third of what replaces a symbol is each of the other three.
    moved = ((only - before) % 4)[:, 1:]
    assert [(moved == by).mean() for by in (1, 2, 3)] == pytest.approx([0.25 / 3] * 3, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("rates", ["substitute = 0.1", "delete = 0.2, swap = 0.3", "delete = 1"])
def test_corrupted_rows_by_reference_and_kernel(rates: str) -> None:
    grammar = read(
        f"kind = 'expr'\nexpr = 'corrupt(two, {rates})'\nlength = {{ uniform = [4, 40] }}\n{PARTS}"
    )
    made = operation(grammar)
    ids, scored = drawn(made, "validation", 3, 8, seed=1)
    assert (ids.tolist(), scored.tolist()) == generate.rows(
        made, seed=1, split="validation", start=3, count=8
    )
    padding = ids == made.tokens.index("<pad>")
    assert not scored[padding].any()
    assert (np.diff(padding.astype(int)) >= 0).all()
    assert not [problem for problem in grammar.problems(82) if problem.severity == "error"]


@pytest.mark.parametrize("rates", ["substitute = 0.05", "substitute = 0.3", "swap = 0.4"])
def test_the_floor_with_errors_lies_between_its_bounds(rates: str) -> None:
    """By the law of many rows: the plug-in entropy of 256 cells and 200,000 rows is good to 0.001."""
    grammar = unsplit(expr(f"corrupt(two, {rates})", 4))
    ids, _ = drawn(operation(grammar, 4), "train", 0, 200_000)
    _, seen = np.unique(ids, axis=0, return_counts=True)
    shares = seen / seen.sum()
    nats = -(shares * np.log(shares)).sum() / 4
    found = analysis.floor(grammar.program(), length=4, context=4)
    assert found is not None
    assert found.low < nats + 1e-3
    assert nats < found.high + 1e-3
    assert found.high - found.low < 1.5


def test_nothing_is_known_of_rows_without_symbols() -> None:
    made = expr("corrupt(even, delete = 1)")
    assert analysis.floor(made.program(), length=8, context=8) is None


def test_the_floor_of_a_product_counts_its_words() -> None:
    grammar = expr("two & avoid('(0 0)')", 40)
    found = analysis.entropy(grammar.program(), 40)
    assert found.low == found.high == pytest.approx(math.log(grammar.count(40)), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("pairs & avoid('(0 0)')", "pairs & avoid('(0 0)')", "no word in common"),
        ("pairs & sums", "pairs & sums", "two context-free languages"),
        ("pairs & nobody", "nobody", "no grammar is called"),
        ("~pairs", "pairs", "regular languages"),
        ("complement(even, ends)", "complement(even, ends)", "complement has 2 arguments"),
        ("shuffle(pairs, two)", "two", "'(0' is in pairs and in two"),
        ("shuffle(pairs, sums) & avoid('n')", "shuffle(pairs, sums)", "stands outermost"),
        ("shuffle(pairs, sums, ~regex('.*'))", "~regex('.*')", "no words"),
        ("corrupt(corrupt(pairs, swap = 0.1), swap = 0.1)", "corrupt(pairs, swap = 0.1)", "outermost"),
        ("corrupt(pairs, swop = 0.1)", "swop = 0.1", "no way to corrupt"),
        ("corrupt(pairs)", "corrupt(pairs)", "how often"),
        (
            "corrupt(pairs, swap = 0.6, delete = 0.6)",
            "corrupt(pairs, swap = 0.6, delete = 0.6)",
            "at most all",
        ),
        ("corrupt('a a', substitute = 0.5)", "corrupt('a a', substitute = 0.5)", "nothing but 'a'"),
        ("repeat(even, 2.5)", "repeat(even, 2.5)", "how often"),
        ("repeat(even, 1..1000000)", "1000000", "at most 6 digits"),
        ("relabel(pairs, 'x' = 'y')", "x", "no word here has 'x'"),
        ("depth(pairs, max = 100000)", "depth(pairs, max = 100000)", "more than 10,000 states"),
        ("pairs & avoid()", "avoid()", "avoid wants tokens"),
        ("pairs & regex('(0 (')", "(", "no ')' that closes"),
        ("pairs & avod('x')", "avod", "no operator"),
        ("pairs & (even", "(", "not closed"),
        ("even &", " ", "missing"),
        ("repeat(pairs, 2..)", "2..", "only so many"),
        ("minus(even, even)", "minus(even, even)", "nothing is left"),
        ("concat(even, regex('.* a .{14}'))", "(.* a .{14})", "more than 10,000 states"),
    ],
)
def test_faults_are_placed(text: str, at: str, message: str) -> None:
    grammar = expr(text)
    (problem,) = errors(grammar)
    assert message in problem.message
    begin, width = problem.span
    assert (text + " ")[begin : begin + width] in (at, at.strip("()"))
    assert grammar.alphabet() == ()


def test_a_token_that_nobody_writes_is_avoided_in_vain() -> None:
    text = "pairs & avoid('0)0)')"
    (found,) = (problem for problem in expr(text, 8).problems(8) if problem.code == "P399")
    assert found.severity == "warning"
    assert text[found.span[0] : sum(found.span)] == "0)0)"
    assert not any(p.code == "P399" for p in expr("pairs & avoid('0) 0)')", 8).problems(8))


def test_ambiguous_unions_are_not_uniform() -> None:
    found = errors(expr("concat(pairs, pairs)", 8))
    assert [problem.code for problem in found] == ["P381"]


def test_names_are_bound_by_the_study() -> None:
    grammar = read('kind = "expr"\nexpr = "one & ~two"\nlength = 5')
    assert grammar.references() == ("one", "two")
    parts = {
        name: read(f'kind = "regex"\npattern = "{pattern}"\nlength = 5')
        for name, pattern in (("one", "(a | b)*"), ("two", "a* b*"))
    }
    assert grammar.bound(parts).count(5) == 2**5 - 6


@pytest.mark.parametrize(("k", "depth", "length"), [(2, 3, 40), (64, 16, 512)])
def test_a_bound_of_depth_is_the_strip_of_bounded_dyck(k: int, depth: int, length: int) -> None:
    """Two ways to one number: rules meet a counter here, ballot numbers of a strip there."""
    pairs = f'kind = "dyck"\nk = {k}\nlength = {length}\n'
    product = read(
        f'kind = "expr"\nexpr = "depth(p, max = {depth})"\nlength = {length}\n[grammars.p]\n{pairs}'
    )
    strip = read(f"{pairs}depth = {depth}")
    found = analysis.entropy(product.program(), length)
    assert found.low == found.high == pytest.approx(analysis.entropy(strip.program(), length).low, rel=1e-9)
    if length < 100:
        assert product.count(length) == strip.count(length)


@pytest.mark.parametrize("seed", range(8))
def test_expressions_of_expressions(seed: int) -> None:
    random = Random(seed)
    inner = random.choice(["even & ends", "even | 'b a'", "reverse(ends)"])
    outer = random.choice(["~inner", "concat(inner, inner)", "inner & avoid('a a a')"])
    grammar = expr(outer, 6)
    nested = grammar.bound({"inner": expr(inner)})
    flat = expr(outer.replace("inner", f"({inner})"), 6)
    assert nested.count(6) == flat.count(6)
    assert words(nested, 5) == words(flat, 5)

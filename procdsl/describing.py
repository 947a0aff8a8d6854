"""A grammar as readers want it told: what it is, its words, what can be learnt, and how it is drawn.

Facts only, as a value; `procdsl.pages` draws them. What nobody knows is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from procdsl import analysis
from procdsl.analysis.brackets import Brackets, brackets, nesting, spans
from procdsl.analysis.classes import Classified, ambiguity, exactness, language_class
from procdsl.analysis.ladder import ladder
from procdsl.analysis.signatures import signature
from procdsl.errors import Severity
from procdsl.grammars.base import Grammar, Problem, WordGrammar
from procdsl.grammars.rules import branching
from procdsl.plan import GenerateOperation
from procdsl.programs.base import Interval, Program, WordProgram
from procdsl.programs.corrupted import CorruptedProgram
from procdsl.programs.tree import TreeProgram

if TYPE_CHECKING:
    from numpy import ndarray

# A bigram nearer to the floor than this leaves nothing to learn that reaches further.
LEARNT = 0.02
# Words are counted up to this length (tables of whole numbers grow with its square), and possible lengths
# are told up to the other.
COUNTED, TOLD = 512, 4_096
_TERMS, _SIGNED = 10, 48
_WORDS = 2_000


@dataclass(frozen=True)
class Count:
    """The words of one length, exactly (None where they are too long to count), and nats a symbol."""

    length: int
    words: int | None
    nats: Interval | None


@dataclass(frozen=True)
class Rules:
    """Whether words have several derivations; where weights are probabilities, what rules do by themselves.

    `radius` is their growth a step, `terminates` the share of words that end.
    """

    witness: tuple[str, ...] | None
    verdict: str
    radius: float | None = None
    terminates: float | None = None
    expected_length: float | None = None


@dataclass(frozen=True)
class Nesting:
    """Matched brackets in words: deepest and mean depth, and how far apart the two of a pair are."""

    words: int
    deepest: dict[int, int]
    mean: float
    distances: dict[int, int]


@dataclass(frozen=True)
class Learnable:
    """Nats per scored token of 1-grams, 2-grams, …, scored on rows that were not counted; and what of it."""

    rows: int
    tokens: int
    ngrams: tuple[float, ...]
    said: str


@dataclass(frozen=True)
class Description:
    """All that is told of a grammar or source in rows of one context."""

    name: str
    kind: str
    measure: str | None
    language: Classified | None
    alphabet: tuple[str, ...]
    tokens: int
    context: int
    law: str
    mean_length: float | None
    possible: str | None
    counts: tuple[Count, ...]
    first_counts: tuple[tuple[int, int], ...]
    signature: str | None
    rules: Rules | None
    floor: Interval | None
    chance: float | None
    held_out: str
    exactness: str
    nesting: Nesting | None
    learnable: Learnable | None
    notes: tuple[str, ...]
    tokens_per_s: float | None = None


def describe(made: Any, operation: GenerateOperation, ids: ndarray[Any, Any], scored: Any) -> Description:
    """Everything about a grammar or source `made`, its operation, and rows (B, T + 1) that it gave."""
    program, words = operation.program, made if isinstance(made, WordGrammar) else None
    law = program.lengths if isinstance(program, WordProgram) else None
    first = _first(words) if words else ()
    return Description(
        name=operation.name,
        kind=getattr(made, "kind", program.kind),
        measure=getattr(made, "measure", None),
        language=_language(made) or language_class(program),
        alphabet=made.alphabet(),
        tokens=len(operation.tokens),
        context=operation.context,
        law=_law(law.values, law.weights) if law else f"rows of up to {operation.length + 1} tokens",
        mean_length=sum(n * w for n, w in zip(law.values, law.shares, strict=True)) / sum(law.shares)
        if law
        else None,
        possible=spoken(words.possible(TOLD), TOLD) if words else None,
        counts=tuple(_counts(words, program)) if isinstance(program, WordProgram) else (),
        first_counts=first,
        signature=_signature(first),
        rules=_rules(program, made.alphabet()),
        floor=operation.floor,
        chance=operation.chance,
        held_out=_parts(made, program),
        exactness=exactness(program),
        nesting=_nesting(operation, ids),
        learnable=_learnable(operation, ids, scored),
        notes=tuple(_notes(made.problems(operation.context))),
    )


def _language(made: Any) -> Classified | None:
    """What a grammar says of itself; sources say nothing."""
    told = made.language() if isinstance(made, Grammar) else None
    return told and Classified(*told)


# ---------------------------------------------------------------- lengths and counts


def _law(values: Sequence[int], weights: Sequence[int]) -> str:
    """A law of lengths, in words."""
    if len(values) == 1:
        return f"{values[0]}"
    alike = "" if weights else ", all alike"
    return f"{len(values):,} from {values[0]:,} to {values[-1]:,}{alike}"


def spoken(possible: int, longest: int) -> str:
    """The lengths whose bits are set, in words.

    >>> spoken(0b101010100, 9), spoken(0b1111100, 6), spoken(0b1000110, 7), spoken(0b10, 64)
    ('2, 4, 6 …', 'every length from 2', '1, 2, 6', '1')
    """
    found = [n for n in range(longest + 1) if possible >> n & 1]
    steps = {b - a for a, b in pairwise(found)}
    if len(found) > 2 and len(steps) == 1 and found[-1] + min(steps) > longest:
        if steps == {1}:
            return f"every length from {found[0]}"
        return f"{', '.join(map(str, found[:3]))} …"
    few = ", ".join(map(str, found[:8]))
    return f"{few} … ({len(found):,} of the first {longest:,})" if len(found) > 8 else few or "none"


def _first(words: WordGrammar) -> tuple[tuple[int, int], ...]:
    """The shortest lengths that have words, and how many."""
    possible = words.possible(_SIGNED)
    lengths = [n for n in range(1, _SIGNED + 1) if possible >> n & 1][:_TERMS]
    counts = ((n, words.count(n)) for n in lengths)
    return tuple((n, count) for n, count in counts if count is not None)


def _signature(first: Sequence[tuple[int, int]]) -> str | None:
    """The name of the first counts, where their lengths are evenly spaced."""
    steps = {b[0] - a[0] for a, b in pairwise(first)}
    return signature([count for _, count in first]) if len(steps) == 1 else None


def _counts(words: WordGrammar | None, program: WordProgram) -> list[Count]:
    """The words of the shortest, the middle and the longest length."""
    values = program.lengths.values
    chosen = sorted({values[0], values[len(values) // 2], values[-1]})
    found = []
    for n in chosen:
        nats = analysis.entropy(program, n)
        over = nats and Interval(low=nats.low / n, high=nats.high / n, measured=nats.measured)
        found.append(Count(n, words.count(n) if words and n <= COUNTED else None, over))
    return found


# ---------------------------------------------------------------- rules


def _rules(program: Program, alphabet: Sequence[str]) -> Rules | None:
    verdict = ambiguity(program)
    if verdict is None or not isinstance(program, TreeProgram):
        return None
    witness = None if verdict.witness is None else tuple(alphabet[symbol] for symbol in verdict.witness)
    if verdict.certain:
        said = "no: an LALR(1) table without conflicts proves it"
    elif witness is None:
        said = f"no word of up to {verdict.searched} symbols has two derivations; nothing is proved beyond"
    else:
        said = f"yes: {' '.join(witness)!r} has {verdict.derivations or 'endlessly many'} derivations"
    if not _probable(program):
        return Rules(witness, said)
    mean = branching.expected_length(program.shapes)
    ends = branching.terminates(program.shapes)
    return Rules(witness, said, branching.radius(program.shapes), ends, mean if mean < math.inf else None)


def _probable(program: TreeProgram) -> bool:
    """Whether the weights of every nonterminal sum to one."""
    sums: dict[int, float] = {}
    for shape in program.shapes:
        sums[shape.head] = sums.get(shape.head, 0.0) + math.fsum(shape.weights)
    return all(abs(whole - 1) < 1e-9 for whole in sums.values())


# ---------------------------------------------------------------- rows


def _parts(made: Any, program: Program) -> str:
    """What is held out; where the test part is of a sort of its own, with its floor."""
    shares = _held_out(program)
    if not isinstance(made, Grammar) or not made.held_out.sorts:
        return shares
    part, context = made.tested().program(), made.tested().longest()
    floor = analysis.floor(part, length=context, context=context)
    low, high = (floor.low, floor.high) if floor else (0.0, math.inf)
    nats = f"{low:.4f}" if high - low < 1e-9 else f"{low:.4f} to {high:.4f}" if floor else "not known"
    rest = "the rest" if len(made.held_out.sorts) == 1 else "what is neither"
    return f"{made.held_out.told}, for test (floor {nats}); of {rest} {shares}"


def _held_out(program: Program) -> str:
    if isinstance(program, CorruptedProgram):
        return f"{_held_out(program.of)}, before errors"
    split = program.split
    shares = split.validation / 2**64, split.test / 2**64
    if not any(shares):
        return "nothing"
    if split.by == "rank":
        by = "rank of each word among those of its length"
    elif isinstance(program, WordProgram):
        by = "hash of each word" if split.by == "word" else "hash of each row, as words are too few"
    else:
        by = f"hash of each {program.told_by}"
    test = f" and {shares[1]:.3g} for test" if shares[1] else ""
    return f"{shares[0]:.3g} for validation{test}, by the {by}"


def words_of(operation: GenerateOperation, row: Sequence[int]) -> list[tuple[str, ...]]:
    """The words of a row; of what is no row of words, all of it without padding."""
    tokens = [operation.tokens[id] for id in row]
    if not isinstance(operation.program, WordProgram):
        return [tuple(token for token in tokens if token != "<pad>")]
    found, word = list[tuple[str, ...]](), list[str]()
    for token in tokens[1:]:
        if token == "<end>":
            found.append(tuple(word))
            word = []
        elif token != "<pad>":
            word.append(token)
    return [*found, tuple(word)] if word else found


def _nesting(operation: GenerateOperation, ids: ndarray[Any, Any]) -> Nesting | None:
    """Depths and distances over the first words; None where the alphabet has no brackets that match."""
    known = brackets(operation.tokens)
    if not known:
        return None
    words = list[tuple[str, ...]]()
    for row in ids:
        if len(words) >= _WORDS:
            break
        words += words_of(operation, row.tolist())
    return _nested(words, known)


def _nested(words: Sequence[Sequence[str]], known: Brackets) -> Nesting | None:
    deepest, distances, total, symbols = dict[int, int](), dict[int, int](), 0, 0
    for word in words:
        depths = nesting(word, known)
        if depths is None:
            return None
        top = max(depths)
        deepest[top] = deepest.get(top, 0) + 1
        total, symbols = total + sum(depths), symbols + len(depths)
        for distance in spans(word, known):
            distances[distance] = distances.get(distance, 0) + 1
    if not distances:
        return None
    return Nesting(
        len(words), dict(sorted(deepest.items())), total / symbols, dict(sorted(distances.items()))
    )


def _learnable(operation: GenerateOperation, ids: Any, scored: Any) -> Learnable | None:
    """The ladder of n-grams, and how near it comes to the floor."""
    found = ladder(ids, scored, len(operation.tokens))
    if not found:
        return None
    return Learnable(len(ids), int(scored.sum()), found, _said(found, operation.floor))


def _said(ngrams: Sequence[float], floor: Interval | None) -> str:
    best = min(ngrams)
    order = ngrams.index(best) + 1
    if floor is None:
        return f"the best n-gram ({order}-gram) reaches {best:.4f} nats; the floor is not known"
    bigram = min(ngrams[:2])
    if floor.low * (1 + LEARNT) < best <= floor.high:
        return f"not known: n-grams reach {best:.4f} nats, between the bounds of the floor"
    if bigram <= floor.high * (1 + LEARNT):
        over = f"{max(bigram - floor.high, 0.0) / max(floor.high, 1e-9):.1%}"
        return f"hardly anything long-range: a 2-gram reaches {bigram:.4f} nats, {over} above the floor"
    beyond = (best - floor.high) / best
    least = "" if floor.high - floor.low < 1e-9 else "at least "
    return f"yes: {least}{beyond:.1%} of the loss of the best n-gram (order {order}) is beyond n-grams"


def _notes(problems: Iterable[Problem]) -> list[str]:
    return [f"{one.code} {one.message}" for one in problems if one.severity is not Severity.ERROR]

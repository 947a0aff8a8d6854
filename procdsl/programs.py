"""The closed set of things the machine can do: generator programs and measurements, as frozen types.

Grammars, sources and evaluations are open families; each of their kinds lowers to these. Plans contain
programs, `procdsl.generate` says slowly what they mean, `runner.generators` says it fast, and the runner
knows nothing else. A program speaks in *ids*: the alphabet's ids come first, 0 .. A-1, then the specials.
`semantics` numbers live in the operations that hold programs.

Two shapes of row. A *word program* draws words of a length law: a row is ``<bos>`` and one word that fills
it, or as many whole words as fit, each followed by ``<end>``; its specials are always `SPECIALS`, in that
order. Any other program lays out its own rows. Everything a program compares when it samples is a whole
number, so that every backend decides alike.

To add a program of kind *x*: its type here and in `AnyProgram`; its meaning in `procdsl/generate/x.py`; its
kernel in `runner/generators/x.py`. Both are found by name; `docs/decisions/0010-generator-programs.md`
says what the two files must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator

from procdsl.kinds import ByKind, Grown, Node

SPECIALS = ("<bos>", "<end>", "<pad>")
# The ballot walk multiplies two lengths and 2**32 in 64 bits.
LONGEST = 65_534
SplitName = Literal["train", "validation", "test"]


class Interval(Node):
    """A number known to lie between two bounds; `measured` where simulation, not proof, puts it there."""

    low: float
    high: float
    measured: bool = False

    @property
    def exact(self) -> bool:
        """Whether the bounds leave nothing open but rounding."""
        return not self.measured and self.high - self.low <= 1e-9


# ---------------------------------------------------------------- what programs are made of


class Lengths(Node):
    """A law of word lengths: `values` ascending, each as likely as its weight (all alike without weights)."""

    values: tuple[Annotated[int, Field(ge=1, le=LONGEST)], ...] = Field(min_length=1)
    weights: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if list(self.values) != sorted(set(self.values)):
            raise ValueError("lengths ascend, each once")
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.weights)} weights for {len(self.values)} lengths")
        if not 0 < sum(self.weights or (1,)) < 2**32:
            raise ValueError("the weights of lengths sum to at least 1 and to less than 2**32")
        return self

    @property
    def shares(self) -> tuple[int, ...]:
        """A weight for every value."""
        return self.weights or (1,) * len(self.values)


def fillable(lengths: Lengths, context: int) -> int:
    """Which numbers of positions words of these lengths, each with its ``<end>``, can fill: bit by bit.

    >>> bin(fillable(Lengths(values=(2, 4)), 9))
    '0b1101101001'
    """
    bits, mask = 1, (1 << context + 1) - 1
    for length, share in zip(lengths.values, lengths.shares, strict=True):
        step = length + 1
        while share and step <= context:
            bits |= bits << step & mask
            step *= 2
    return bits


class Rank(Node):
    """Where the parts of the words of one length end, in the order of their hashes.

    Words whose hash is under `test` are the test part, those from there to under `validation` that one.
    """

    length: int = Field(ge=1, le=LONGEST)
    test: int = Field(ge=0, le=2**64)
    validation: int = Field(ge=0, le=2**64)


class Split(Node):
    """Which words are held out: those whose hash is under `test`, then under `test + validation`, of 2**64.

    `by` says what is hashed: the word, or the whole row where words are too few to be told apart. What
    belongs elsewhere is drawn again: the word; the row's words; with `layout`, the row's lengths as well. By
    `rank` it is the word, and `ranks` say for each length where parts of so many words end. With a `test` of
    2**64 all there is, is the test part.
    """

    validation: int = Field(default=2**64 // 200, ge=0, lt=2**64)
    test: int = Field(default=2**64 // 200, ge=0, le=2**64)
    by: Literal["word", "row", "layout", "rank"] = "word"
    ranks: tuple[Rank, ...] = Field(default=(), exclude_if=lambda ranks: not ranks)

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.validation + self.test >= 2**64 and (self.validation or not self.tests_all):
            raise ValueError("the held-out parts leave nothing for training")
        return self

    @property
    def tests_all(self) -> bool:
        """Whether all there is, is the test part."""
        return self.test == 2**64

    @property
    def hashed(self) -> Split:
        """The same shares of other words than those that were ranked."""
        return Split(validation=self.validation, test=self.test) if self.ranks else self

    def bounds(self, split: SplitName, length: int = 0) -> tuple[int, int]:
        """The part `split` holds, of words of a length: first and last hash; of none, (1, 0)."""
        test, rest = self.test, self.test + self.validation
        for rank in self.ranks:
            if rank.length == length:
                test, rest = rank.test, rank.validation
        low, high = {"test": (0, test), "validation": (test, rest)}.get(split, (rest, 2**64))
        return (low, high - 1) if low < high else (1, 0)


class Program(Node):
    """Rows as a pure function of (data seed, source name, split, index)."""

    split: Split = Split()


P = TypeVar("P", bound=Program)


class WordProgram(Program):
    """Words of a length law over `symbols` ids, laid out in rows by the common rule."""

    lengths: Lengths

    @property
    def symbols(self) -> int:
        """How many ids words are made of."""
        raise NotImplementedError


# ---------------------------------------------------------------- generator programs


class DyckProgram(WordProgram):
    """Words of k-Dyck. Ids: opening bracket of type t is t, its closing one k + t.

    `uniform`: every word of the length (and depth) alike. `process`: the walk of Jiang et al. 2026: opens
    with probability `p_open` (over 2**64) where it may, closes what is left when the end is near. Only words
    more than `beyond` deep, if that is given: either measure conditioned on them.
    """

    kind: Literal["dyck"] = "dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    beyond: int | None = Field(default=None, ge=1, exclude_if=lambda beyond: beyond is None)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: int = Field(default=2**63, ge=0, lt=2**64)

    @property
    def symbols(self) -> int:
        return 2 * self.k


class ShuffleDyckProgram(WordProgram):
    """Words of k-shuffle-Dyck: k kinds of brackets, each balanced by itself. Ids as in `DyckProgram`.

    `uniform`: every word of the length (and total depth) alike. `process`: the walk of Hu et al. 2025, which
    closes a type drawn evenly among the open ones; at the end it closes what is open (`closed`), or it is
    cut where it stands, as published. `beyond` as in `DyckProgram`, of the total depth.
    """

    kind: Literal["shuffle_dyck"] = "shuffle_dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    beyond: int | None = Field(default=None, ge=1, exclude_if=lambda beyond: beyond is None)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: int = Field(default=2**63, ge=0, lt=2**64)
    closed: bool = True

    @property
    def symbols(self) -> int:
        return 2 * self.k


class Unigrams(Node):
    """A law to be counted: that of the likeliest tokens of a corpus, by the first `tokens` for training.

    Symbol i is as likely as the token that comes i-th by how often it is there, among as many as there are
    symbols: rarer ones are left out.
    """

    corpus: str
    tokens: int = Field(ge=1)


class IidProgram(WordProgram):
    """Independent symbols: `count` of them, alike, or by thresholds of their cumulated probabilities.

    Symbol i is drawn when a word of 32 bits is under thresholds[i] and under none before it. With `unigrams`
    the thresholds are not known yet: `weighed` sets them.
    """

    kind: Literal["iid"] = "iid"
    count: int = Field(ge=1, le=2**24)
    thresholds: tuple[int, ...] = ()
    unigrams: Unigrams | None = Field(default=None, exclude_if=lambda law: law is None)

    @property
    def symbols(self) -> int:
        return self.count


class PluginProgram(WordProgram):
    """Words that a plug-in draws (`procdsl.plugins`): the one of this distribution, place and digest."""

    kind: Literal["plugin"] = "plugin"
    plugin: str
    distribution: str
    source: str
    digest: str
    options: tuple[tuple[str, bool | int | float | str], ...] = ()
    count: int = Field(ge=1, le=2**20)

    @property
    def symbols(self) -> int:
        return self.count


class ShuffledProgram(Program):
    """The rows of another source, their symbols permuted: each row keeps its symbols, and its specials stay.

    `name` is that source's, so that row i is row i of it; ids below `alphabet` are permuted among their own
    positions, uniformly, by the stream of this source's name. Scoring stays with positions.
    """

    kind: Literal["shuffled"] = "shuffled"
    name: str
    of: AnyProgram
    alphabet: int = Field(ge=1)


class CorruptedProgram(Program):
    """The rows of another program, sent through a channel that errs symbol by symbol.

    Of 2**32 times a symbol (an id below `alphabet`) is left out `delete`, replaced by another one, all alike,
    `substitute`, and it changes places with the next one, if that is a symbol too, `swap` times; both then
    pass. What is left out moves the rest of the row up, and `pad` fills its end. Scoring moves with symbols.
    """

    kind: Literal["corrupted"] = "corrupted"
    of: AnyProgram
    alphabet: int = Field(ge=1)
    pad: int = Field(ge=0)
    substitute: int = Field(default=0, ge=0, le=2**32)
    swap: int = Field(default=0, ge=0, le=2**32)
    delete: int = Field(default=0, ge=0, le=2**32)


class Fit(Node):
    """What an n-gram is counted on: training rows 0 .. rows - 1 of a program, as data seed 0 draws them."""

    of: AnyProgram
    name: str
    tokens: tuple[str, ...]
    context: int = Field(gt=0)
    rows: int = Field(gt=0)


class NgramProgram(WordProgram):
    """Each symbol drawn by the `order` - 1 before it, as often as it followed them in the fitted rows.

    A context that was never seen gives way to the longest end of it that was. Words begin as rows' words do.
    """

    kind: Literal["ngram"] = "ngram"
    count: int = Field(ge=1, le=65_536)
    order: int = Field(ge=1, le=8)
    fit: Fit

    @property
    def symbols(self) -> int:
        return self.count


class TreeShape(Node):
    """Productions of one head that differ only in their terminals, each a member with its own weight.

    A yield is one sequence of codes for each of the head's components: a code from 0 up is the place of a
    terminal among the member's, one below is component j of child i, written -1 - (8 i + j).
    """

    head: int = Field(ge=0)
    children: tuple[int, ...] = ()
    yields: tuple[tuple[int, ...], ...] = Field(min_length=1)
    members: tuple[tuple[int, ...], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(min_length=1)


class TreeProgram(WordProgram):
    """Words read off random trees: a weighted regular tree grammar with a yield, conditioned on the length.

    Nonterminal 0 is the start; terminals are `count` ids. Context-free where every yield has one component.
    `unambiguous` where whoever made the rules knows that every word has one derivation; else it is searched.
    Where only some words of a language are drawn, `language` are its shapes: those that words are read by.
    """

    kind: Literal["tree"] = "tree"
    count: int = Field(ge=1, le=2**24)
    shapes: tuple[TreeShape, ...] = Field(min_length=1)
    unambiguous: bool = False
    language: tuple[TreeShape, ...] = Field(default=(), exclude_if=lambda shapes: not shapes)

    @property
    def symbols(self) -> int:
        return self.count


class Letters(Node):
    """What an arrow writes: one of these symbols, each as likely as its weight; all alike without any."""

    symbols: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0)], ...] = ()


class AutomatonProgram(WordProgram, Grown):
    """Walks of a finite automaton from state 0 to one of `accepts`, conditioned on their length.

    Arrow i leads from sources[i] (which ascend) to targets[i] and writes one of letters[writes[i]]. Walks
    are as likely as the products of their arrows' weights, and of the weight in `stops` of the state they end
    in, where there are any. With the number of letters as weight, and no two walks that write the same, every
    word of a length is alike.
    """

    later: ClassVar[frozenset[str]] = frozenset({"stops"})
    kind: Literal["automaton"] = "automaton"
    count: int = Field(ge=1, le=2**24)
    letters: tuple[Letters, ...] = Field(min_length=1)
    sources: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    targets: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    writes: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)
    accepts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    stops: tuple[Annotated[float, Field(gt=0)], ...] = ()

    @property
    def symbols(self) -> int:
        return self.count

    @property
    def states(self) -> int:
        """How many states the arrows and accepting states name, from 0 up."""
        return 1 + max(*self.sources, *self.targets, *self.accepts, 0)


class CellularProgram(Program, Grown):
    """Cells that are 0 or 1, drawn and then changed together by a rule of the row's own, frame by frame.

    A `line`'s rule has a bit for each neighbourhood, left cell first (Wolfram); a `grid`'s bit n says what a
    0 beside n ones becomes, bit 9 + n what a 1 does. Beyond the border lies the other side (`wraps`) or
    zeros. A token is a patch of cells, its first the highest bit; after each frame comes a token of its own,
    if `separated`; then padding. Frame 0, after `burn_in` changes, is what is hashed; it is scored only if
    `scores_first`. From one frame to the next there are `ahead` changes.
    """

    later: ClassVar[frozenset[str]] = frozenset({"ahead"})
    kind: Literal["cellular"] = "cellular"
    shape: Literal["line", "grid"]
    rules: tuple[Annotated[int, Field(ge=0, lt=2**18)], ...] = Field(min_length=1)
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    patch: tuple[int, int] = (1, 1)
    steps: int = Field(ge=1)
    burn_in: int = Field(default=0, ge=0)
    wraps: bool = True
    density: int = Field(ge=0, le=2**32)
    separated: bool = True
    scores_first: bool = False
    ahead: int = Field(default=1, ge=1)

    @property
    def frame(self) -> int:
        """How many tokens a frame is, its separator included."""
        patches = (self.height // self.patch[0]) * (self.width // self.patch[1])
        return patches + self.separated

    @property
    def symbols(self) -> int:
        """How many ids patches have."""
        return int(2 ** (self.patch[0] * self.patch[1]))


class LsystemProgram(Program):
    """An axiom and `generations` of it, in each of which all symbols are replaced at once by their images.

    The axiom is fixed, or as many of `heads` as the law `drawn` says, drawn evenly. A symbol with several
    images has one drawn, by thresholds over 2**32 as in `IidProgram`; one that is no head stays. A separator,
    id `symbols`, follows each generation; then padding. What is hashed is a drawn axiom, else the last
    generation. The axiom is scored only if `scores_first`.
    """

    kind: Literal["lsystem"] = "lsystem"
    symbols: int = Field(ge=1, le=65_536)
    axiom: tuple[Annotated[int, Field(ge=0)], ...] = ()
    drawn: Lengths | None = None
    heads: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    images: tuple[tuple[tuple[Annotated[int, Field(ge=0)], ...], ...], ...] = Field(min_length=1)
    thresholds: tuple[tuple[int, ...], ...] = Field(min_length=1)
    generations: int = Field(ge=1)
    scores_first: bool = False


class Pool(Node):
    """Networks that rows share, as Lee et al. 2026 draw them: row i has number i mod `rules` of its part's.

    Their weights are normal and cut off at two deviations. Channels wrap as cells do: the last state is seen
    once more before the first, the first once more behind the last. Each is drawn until `gzip -9` makes
    `least` to `most` bytes of the patches, four bytes each, of `frames` frames from a start of its own.
    """

    rules: int = Field(ge=1, le=2**20)
    frames: int = Field(default=10, ge=1)
    least: int = Field(ge=0)
    most: int


class NeuralProgram(Program, Grown):
    """Cells of `states` states on a torus, changed together by a small random network of the row's own.

    The network: one-hot states of the 3 × 3 cells around, to `channels` sums, to `hidden` rectified sums, to
    a sum for each state, the greatest of which is next, the first of equals. It has no biases, so that the
    scale of its weights does not matter: they are whole numbers, nearly normal. The start's cells are
    independent, of shares that the row draws too. Networks are drawn until `activity` cells or more differ
    between frames 0 and 1. A token is a patch of cells, its first the highest digit; after each frame comes
    a token of its own; then padding. Frame 0 is what is hashed; it is scored only if `scores_first`.

    With a `pool` shares are those of normal logits, and another token, with the id before, begins each frame.
    The row ends before its last frame does, and the first one's end is followed by one more unscored token.
    """

    later: ClassVar[frozenset[str]] = frozenset({"pool"})
    kind: Literal["neural"] = "neural"
    states: int = Field(ge=2, le=16)
    channels: int = Field(ge=1, le=64)
    hidden: int = Field(ge=1, le=256)
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    patch: tuple[int, int] = (1, 1)
    steps: int = Field(ge=1)
    burn_in: int = Field(default=0, ge=0)
    activity: int = Field(default=0, ge=0)
    scores_first: bool = False
    pool: Pool | None = None

    @property
    def frame(self) -> int:
        """How many tokens a frame is, those that begin and end it included."""
        patches = (self.height // self.patch[0]) * (self.width // self.patch[1])
        return patches + (1 if self.pool is None else 2)

    @property
    def row(self) -> int:
        """How many tokens a row is, without its padding."""
        return self.frame * (self.steps + 1) - (self.pool is not None)

    @property
    def unscored(self) -> int:
        """How many of them come before the first that is scored."""
        return 1 if self.scores_first else self.frame + (self.pool is not None)

    @property
    def symbols(self) -> int:
        """How many ids patches have."""
        return int(self.states ** (self.patch[0] * self.patch[1]))


class EchoPart(Node):
    """A part of an echo: the first part's symbols, perhaps from the last to the first, each id `shift` up."""

    backward: bool = False
    shift: int = Field(default=0, ge=0)


class EchoProgram(WordProgram):
    """Words in parts of one length: symbols of `count`, all alike, and what `parts` make of them.

    With a `mark`, its id, the last, stands between any two parts.
    """

    kind: Literal["echo"] = "echo"
    count: int = Field(ge=1, le=2**20)
    parts: tuple[EchoPart, ...] = Field(min_length=1)
    mark: bool = False

    @property
    def symbols(self) -> int:
        return max(part.shift for part in self.parts) + self.count + self.mark


class DependencyProgram(WordProgram):
    """Words whose symbols depend on one another in pairs: nested, at drawn distances, or some of each.

    A position that is not taken yet opens a pair at a drawn distance with probability `crossing` (over
    2**64), else opens one that nests with `p_open` (over 2**64), else closes the one that was opened last.
    `distances` are drawn among the free places; failing these the partner's is the nearest one. Not `closed`:
    the walk of Papadimitriou & Jurafsky 2023, which looks two places about it for a free one, gives up
    there, and is cut where it stands. Types are drawn by `thresholds` or `unigrams` as in `IidProgram`; the
    partner of type t is t itself, or `count` + t if `paired`.
    """

    kind: Literal["dependencies"] = "dependencies"
    count: int = Field(ge=1, le=2**20)
    thresholds: tuple[int, ...] = ()
    paired: bool = True
    crossing: int = Field(ge=0, le=2**64)
    p_open: int = Field(default=2**63, ge=0, le=2**64)
    distances: Lengths
    closed: bool = True
    unigrams: Unigrams | None = Field(default=None, exclude_if=lambda law: law is None)

    @property
    def symbols(self) -> int:
        return self.count * (1 + self.paired)


class MarkovProgram(WordProgram):
    """Words of a Markov chain of the word's own, whose rows have a symmetric Dirichlet prior.

    The chain is integrated out (Pólya's urn): after the same `order` symbols as before, a symbol is as likely
    as the times that it followed them plus prior[0] / prior[1]. The first `order` symbols are all alike.
    """

    kind: Literal["markov"] = "markov"
    count: int = Field(ge=1, le=65_536)
    order: int = Field(ge=0, le=16)
    prior: tuple[Annotated[int, Field(ge=1, lt=2**31)], Annotated[int, Field(ge=1, lt=2**15)]] = (1, 1)

    @property
    def symbols(self) -> int:
        return self.count


class RandomAutomatonProgram(Program):
    """Rows that each draw an automaton of their own, then words of it, packed by the rule of word programs.

    A number of `states` and of `symbols` out of `count`; each state, of its own `degree` or of as many as
    there are, different symbols, all alike, and for each the state that it leads to. Words are walks from
    state 0 that may end anywhere and take each way out of a state alike. What is hashed for the splits is
    the drawn automaton, made least and numbered in the order of its symbols: the language.
    """

    kind: Literal["random_automaton"] = "random_automaton"
    count: int = Field(ge=1, le=1_024)
    states: Lengths
    symbols: Lengths
    degree: Lengths
    lengths: Lengths


class Draw(Node):
    """A random input of a task: a word over `count` ids from `first` on; a number's id is its value.

    `uniform`: each symbol by itself; `weighted`: so, by `thresholds` over 2**32, as in `IidProgram`;
    `permutation`: all different; `number`: decimal digits, the first not 0 unless it is alone; `mapping`:
    different keys, each with a value out of `values` (first, count). `choice`: one symbol of register `of`,
    or, of 2**32 times all but `present`, one of the draw's own that is not in it. `part`: likewise some of
    register `of` in one piece, at most half of it, or as many of the draw's own that are nowhere in it.
    `runs`: symbols in runs, any number of them and any lengths alike; `bag`: these in any order. `among`:
    each one of the symbols of register `of`, at most `count` different ones; `shuffle`: all of them in any
    order. `word`: a word of the program `words`, whose symbol s is `ids`[s] here; it has a slot of its own,
    its split no say.

    Drawn when the first `after` instructions have run.
    """

    # fmt: off
    kind: Literal[
        "uniform", "permutation", "weighted", "number", "mapping", "choice", "runs", "bag", "part", "among",
        "shuffle", "word",
    ]
    # fmt: on
    first: int = Field(ge=0)
    count: int = Field(ge=1)
    lengths: Lengths
    thresholds: tuple[int, ...] = ()
    values: tuple[int, int] = (0, 1)
    of: int = 0
    present: int = Field(default=2**32, ge=0, le=2**32)
    after: int = Field(default=0, ge=0)
    words: AnyProgram | None = Field(default=None, exclude_if=lambda words: words is None)
    ids: tuple[int, ...] = Field(default=(), exclude_if=lambda ids: not ids)


Formula = tuple[tuple[str, float], ...]


class Instruction(Node):
    """A word function applied to registers; its value, at most `longest` long, is the next register.

    Besides word functions: `number` is the constant `number`. `each_word` (`each_symbol`) holds, one after
    another, the words of a word of words (the symbols of a word); what stands between it and the register
    `number`, a `collect_words` or `collect_symbols`, is done for each, and the value of that one's first
    argument is appended there, at most `room` times. Its second argument is what `each` goes through, its
    `number` the register of `each`. For functions of a group's elements, `number` is the first one's id.
    `formula` is the value of that postfix, in which the sizes are the arguments, numbers.
    """

    function: str
    arguments: tuple[int, ...] = ()
    number: int = 0
    longest: int = Field(default=1, ge=0)
    room: int = Field(default=0, ge=0)
    group: str = ""
    formula: Formula = Field(default=(), exclude_if=lambda formula: not formula)


class Piece(Node):
    """A part of a task's row: a token, or the word that a register holds, its ids shifted.

    Where it is scored, its first `skip` tokens are not.
    """

    token: int | None = None
    word: int | None = None
    scored: bool = False
    shift: int = 0
    skip: int = Field(default=0, ge=0)


class TaskProgram(Program):
    """Prompt to answer. Registers hold the draws, then the value of each instruction; pieces write them out.

    What is hashed for the splits is the draws, each followed by `pad`: the prompt. Where a row does not show
    them all, or not as they are, it is the registers `hashed`, which it shows. `longest` and `shortest` bound
    a row's tokens. `symbols` bounds the ids of symbols that are no numbers. With `scores_pad` the first
    padding is scored, where there is any. A prompt for which register `where` holds 0 is drawn again, and the
    instructions behind that one are not carried out.
    """

    kind: Literal["task"] = "task"
    symbols: int = Field(ge=1)
    draws: tuple[Draw, ...] = Field(min_length=1)
    code: tuple[Instruction, ...]
    pieces: tuple[Piece, ...] = Field(min_length=1)
    pad: int = Field(ge=0)
    longest: int = Field(gt=0)
    shortest: int = Field(default=0, ge=0)
    scores_pad: bool = Field(default=False, exclude_if=lambda scores: not scores)
    hashed: tuple[int, ...] = Field(default=(), exclude_if=lambda hashed: not hashed)
    where: int | None = Field(default=None, exclude_if=lambda where: where is None)

    @property
    def prompt(self) -> tuple[int, ...]:
        """The registers that are hashed."""
        return self.hashed or tuple(range(len(self.draws)))

    @property
    def answers_one(self) -> bool:
        """Whether an answer is always one scored token, made by the last instruction."""
        scored = [piece.word for piece in self.pieces if piece.scored]
        return scored == [len(self.draws) + len(self.code) - 1] and self.code[-1].longest == 1


class Memory(Node):
    """What a machine remembers: a word with two ends, a set, a number, a symbol or none (`register`), or a
    symbol for each of some keys (`map`). `room` bounds how many, or the number.
    """

    kind: Literal["stack", "queue", "set", "counter", "register", "map"]
    room: int = Field(ge=1)


class Taken(Node):
    """A symbol that an instruction takes and writes: one of `count` from `first` on.

    It is one that the memories `inside` hold, a map among its keys, and those `outside` do not.
    """

    first: int = Field(ge=0)
    count: int = Field(ge=1)
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()


class Trace(Node):
    """What is written when a move is done: the register `word`, when code[start:stop] has run, and `ends`."""

    start: int = Field(ge=0)
    stop: int = Field(ge=0)
    word: int = Field(ge=0)
    ends: int | None = None


class Move(Node):
    """An instruction of a machine: what it writes, when it may be done, how likely, and what it does.

    It writes `token`, if that is one, then the symbols that it takes: the first, if there are any, as
    `Taken` says, and `more`. `guard` and `weight` are formulas in postfix. What it does, it does with
    `operands`: the place of a symbol among those taken, or -1 - m for what register m holds. It may be done
    only if those registers hold something.
    """

    token: int | None = None
    first: int = 0
    count: int = Field(default=0, ge=0)
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()
    guard: Formula = ()
    weight: Formula = ()
    does: Literal["push", "pop", "remove", "add", "set", "swap", "put", "pass"]
    memory: int = Field(ge=0)
    amount: int = 1
    more: tuple[Taken, ...] = Field(default=(), exclude_if=lambda more: not more)
    operands: tuple[int, ...] = Field(default=(0,), exclude_if=lambda operands: operands == (0,))
    trace: Trace | None = Field(default=None, exclude_if=lambda trace: trace is None)

    @property
    def takes(self) -> tuple[Taken, ...]:
        """All symbols that it takes."""
        if not self.count:
            return self.more
        first = Taken(first=self.first, count=self.count, inside=self.inside, outside=self.outside)
        return (first, *self.more)


class MachineProgram(Program):
    """A random run of a machine, and a word function of what it remembers in the end.

    At every step one of the moves that may be done is drawn by its weight, then each of the symbols that it
    takes, all alike. Registers hold the run, as it is written; then the memories, as words (a counter as its
    number, a map as keys and values by turns); then, for traces, the symbols that the move took; then the
    value of each instruction. The first piece is the run: traces are scored, the rest of it as the piece
    says. `split` hashes the run.
    """

    kind: Literal["machine"] = "machine"
    symbols: int = Field(ge=1)
    steps: Lengths
    memories: tuple[Memory, ...] = Field(min_length=1)
    moves: tuple[Move, ...] = Field(min_length=1)
    code: tuple[Instruction, ...]
    pieces: tuple[Piece, ...] = Field(min_length=1)
    pad: int = Field(ge=0)
    longest: int = Field(gt=0)

    @property
    def slots(self) -> int:
        """How many registers hold the symbols that a move took."""
        return max((len(move.takes) for move in self.moves if move.trace), default=0)

    @property
    def answer(self) -> int:
        """Where the instructions begin that are done in the end, behind those of traces."""
        return max((move.trace.stop for move in self.moves if move.trace), default=0)


AnyProgram = Annotated[
    DyckProgram
    | ShuffleDyckProgram
    | IidProgram
    | PluginProgram
    | NgramProgram
    | ShuffledProgram
    | CorruptedProgram
    | TreeProgram
    | AutomatonProgram
    | CellularProgram
    | NeuralProgram
    | LsystemProgram
    | EchoProgram
    | DependencyProgram
    | MarkovProgram
    | RandomAutomatonProgram
    | TaskProgram
    | MachineProgram,
    ByKind(),
]


def awaited(program: Program) -> Unigrams | None:
    """The law that a program, or one that it is made of, waits for; until then it has no rows."""
    match program:
        case IidProgram() | DependencyProgram():
            return program.unigrams
        case ShuffledProgram():
            return awaited(program.of)
        case NgramProgram():
            return awaited(program.fit.of)
    return None


def weighed(program: P, counts: Sequence[int]) -> P:
    """The program with the law it waits for, by how often each token of the corpus is there.

    >>> iid = IidProgram(count=2, lengths=Lengths(values=(4,)), unigrams=Unigrams(corpus="c", tokens=9))
    >>> [part / 2**32 for part in weighed(iid, [1, 0, 6, 2]).thresholds]
    [0.75]
    """
    match program:
        case IidProgram():
            return program.model_copy(update=_counted(program.count, counts))
        case DependencyProgram():
            return program.model_copy(update=_counted(program.count, counts))
        case ShuffledProgram():
            return program.model_copy(update={"of": weighed(program.of, counts)})
        case NgramProgram():
            fit = program.fit.model_copy(update={"of": weighed(program.fit.of, counts)})
            return program.model_copy(update={"fit": fit})
    return program


def _counted(symbols: int, counts: Sequence[int]) -> dict[str, object]:
    likeliest = sorted(counts, reverse=True)[:symbols]
    parts = list(accumulate([*likeliest, *[0] * (symbols - len(likeliest))]))
    return {"thresholds": tuple((part << 32) // parts[-1] for part in parts[:-1]), "unigrams": None}


# ---------------------------------------------------------------- measurements


class Measurement(Grown):
    """What a model is asked on `source`. `headline` is the number to look at first."""

    headline: ClassVar[str] = "loss"
    source: str


class LossMeasurement(Measurement):
    """Teacher-forced cross-entropy on held-out rows of one source.

    Text: `loss` (nats a token), `perplexity`, `bits_per_byte`; generated rows: `loss`, `accuracy` (next
    symbol), and `loss_over_floor` where the floor is exact; `closer_accuracy` is over the targets among
    `closers`, the source's ids of closing brackets. Text losses are over the text's ids only. Where positions
    are frames, `loss` and `accuracy` are of their cells, `frame_loss` and `exact_match` of whole frames.
    """

    later: ClassVar[frozenset[str]] = frozenset({"closers"})
    kind: Literal["loss"] = "loss"
    split: Literal["train", "validation", "test"] = "validation"
    rows: int = Field(gt=0)
    closers: tuple[int, ...] = ()


class AnswerMeasurement(Measurement):
    """Answers of a task: `token_accuracy`, `exact_match` and `loss` over the scored positions.

    `exact_match/prompt_*` and `token_accuracy/prompt_*`: by how many tokens stand before the first scored
    one; `token_accuracy/answer_*`: by the place among the scored ones, from 1.
    """

    headline: ClassVar[str] = "exact_match"
    kind: Literal["answer"] = "answer"
    split: Literal["train", "validation", "test"] = "validation"
    rows: int = Field(gt=0)


class GrammaticalityMeasurement(Measurement):
    """What a model takes for legal, over the scored positions of rows, and what it writes itself.

    `mass`: the probability of all symbols that some word goes on with, the end included; `argmax_legal`: how
    often the likeliest id is one of them. `accepted`: the share, of `words` words that the model writes, that
    are words. Of brackets, `mass/depth_*`: by how many are open; `mass/distance_*`: where one closes, by how
    far back its partner stands.
    """

    headline: ClassVar[str] = "mass"
    kind: Literal["grammaticality"] = "grammaticality"
    split: SplitName = "validation"
    rows: int = Field(gt=0)
    words: int = Field(ge=0)


class MinimalPairsMeasurement(Measurement):
    """Of two sentences, or words, the right one should be the likelier: `accuracy`, whole and of each subset.

    Sentences are those of `files`, in the ids of the corpus `source`; binding sets `digest`, of their
    content, which then stands for them in keys. Without files, words of the grammar, and each with one symbol
    replaced so that it is no word. `rows` bounds the pairs, of a file or of the grammar.
    """

    headline: ClassVar[str] = "accuracy"
    kind: Literal["minimal_pairs"] = "minimal_pairs"
    split: SplitName = "validation"
    rows: int = Field(gt=0)
    files: tuple[str, ...] = ()
    digest: str = ""
    begin: Literal["separator", "nothing"] = "separator"


class AttentionMeasurement(Measurement):
    """Where heads look, in rows of a source: of every head, `<metric>/l0h0` (layer and head from 0).

    `entropy`, in nats, the mean over positions; `previous`, the mass on the position before; `bracket`, in
    rows of brackets, what one that closes puts on its partner; `induction`, in rows of `source`'s ids drawn
    evenly and then repeated, what the second time puts on the position behind the same id's first. By itself,
    `entropy` is the mean over all heads, the others are the greatest head's.
    """

    headline: ClassVar[str] = "induction"
    kind: Literal["attention"] = "attention"
    split: SplitName = "validation"
    rows: int = Field(gt=0)


class RetrievalMeasurement(Measurement):
    """Verbatim retrieval of a list that stands twice in text: `first` and `second`, its mean losses in nats.

    A row: the document separator, `items` different tokens drawn from held-out text, `between` tokens of that
    text, the same list. `ratio` is `second` over `first`; `whole` the mean loss of all positions;
    `second/item_*` the losses by place in the list, from 1.
    """

    headline: ClassVar[str] = "ratio"
    kind: Literal["retrieval"] = "retrieval"
    rows: int = Field(gt=0)
    items: int = Field(gt=0)
    between: int = Field(ge=0)


AnyMeasurement = Annotated[
    LossMeasurement
    | AnswerMeasurement
    | GrammaticalityMeasurement
    | MinimalPairsMeasurement
    | AttentionMeasurement
    | RetrievalMeasurement,
    ByKind(),
]

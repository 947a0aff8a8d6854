"""What a grammar is: a description of a formal language, with a distribution, that lowers to a program."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from procdsl.errors import Severity
from procdsl.grammars._held_out import HeldOut
from procdsl.grammars._lengths import Length, law
from procdsl.kinds import AnyKind, Node
from procdsl.programs.base import SPECIALS, AnyProgram, Lengths, Rank, Split, fillable
from procdsl.splits import content, spelling

END = SPECIALS[1]
# Fewer words than this of one length, and half a per cent of them is too few to measure anything on.
PLENTY = 100_000


class Problem(NamedTuple):
    """A finding about a grammar: `path` leads to the value inside the grammar's own table.

    Where the value is a text in a language of its own, `span` says which characters of it (first, how many).
    """

    code: str
    message: str
    path: tuple[str | int, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR
    span: tuple[int, int] | None = None


class Grammar(Node):
    """A formal language with a distribution. The docstring of each kind holds the TOML that makes one."""

    held_out: HeldOut = HeldOut()

    @abstractmethod
    def program(self) -> AnyProgram:
        """The generator program whose words this grammar means."""

    @abstractmethod
    def alphabet(self) -> tuple[str, ...]:
        """How the symbols are spelt, in the order of the program's ids."""

    def tokens(self) -> tuple[str, ...]:
        """The alphabet, then the specials of a row."""
        return (*self.alphabet(), *SPECIALS)

    @abstractmethod
    def longest(self) -> int:
        """The context that a row needs: positions fed."""

    def cells(self) -> int:
        """Where a position of a row is a frame: how many cells that has. 0 where it is one token."""
        return 0

    @abstractmethod
    def reason(self, word: Sequence[str]) -> str | None:
        """Why this is no word of the language, in the user's terms; None if it is one."""

    def accepts(self, word: Sequence[str]) -> bool:
        """Whether this is a word of the language."""
        return self.reason(word) is None

    @abstractmethod
    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        """The symbols that some word goes on with after this prefix, `END` if it is a word itself.

        With `length`, only words of that length count. Empty where no word begins so.
        """

    def problems(self, context: int) -> Iterator[Problem]:
        """What is wrong, or worth saying, about this grammar in rows of `context` positions."""
        return iter(())

    def language(self) -> tuple[str, str] | None:
        """The language's class and the reason, where the program, made for some lengths, would mislead."""
        return None

    def holds_out(self) -> frozenset[str]:
        """What `held_out` may tell the test part by, besides shares."""
        return frozenset()

    def tested(self) -> Self:
        """The grammar of the test part, where that has all words of one sort; else this one."""
        return self._with(self.held_out.of_test) if self.held_out.sorts else self

    def _with(self, held_out: HeldOut) -> Self:
        """This grammar with other words held out, and nothing that was worked out before."""
        made = self.model_copy(update={"held_out": held_out})
        for name in made.__dict__.keys() - type(made).model_fields.keys():
            del made.__dict__[name]
        return made

    def references(self) -> tuple[str, ...]:
        """The names of other grammars that this one is made of."""
        return ()

    def texts(self) -> tuple[str, ...]:
        """The names of the corpora whose tokens are counted for it."""
        return ()

    def bound(self, grammars: Mapping[str, Grammar]) -> Self:
        """This grammar with the names it refers to replaced by what they name (already bound themselves)."""
        return self


class WordGrammar(Grammar):
    """A grammar whose rows are words of a length law, packed by the common rule (`WordProgram`)."""

    length: Length

    @abstractmethod
    def possible(self, longest: int) -> int:
        """Which lengths up to `longest` have words at all: bit n stands for length n."""

    @abstractmethod
    def count(self, length: int) -> int | None:
        """How many words there are of this length, exactly; None where nobody can tell."""

    def plenty(self, length: int) -> bool:
        """Whether there are enough words of this length to hold some out."""
        return (self.count(length) or 0) >= PLENTY

    def law(self) -> Lengths:
        """The law of lengths, without those that no word has. ValueError where none is left."""
        return law(self.length, self.possible)

    def lengths(self) -> Lengths:
        """The law without the lengths that are held out. ValueError where none is left."""
        return self.held_out.within(self.law())

    def asked(self) -> Lengths:
        """The law as written, lengths without words included."""
        return law(self.length, None)

    def longest(self) -> int:
        # A word of the one length fills a row; words of several are each followed by an end.
        return self.lengths().values[-1] + (len(self.law().values) > 1)

    def holds_out(self) -> frozenset[str]:
        return frozenset({"length", "rank"})

    def words(self, length: int) -> Iterator[tuple[str, ...]]:
        """All words of this length, each once."""
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            prefix = waiting.pop()
            if len(prefix) == length:
                yield prefix
            else:
                waiting += [(*prefix, symbol) for symbol in self.legal_next(prefix, length)]

    def split(self) -> Split:
        """The held-out parts, by word where every length has words to spare, else by row."""
        by, shares = self.held_out.by, self.held_out.split()
        if self.held_out.tests_all:
            return shares
        if by == "rank":
            ranks = self._ranks if self.held_out.any() else ()
            return shares.model_copy(update={"by": "rank" if ranks else "word", "ranks": ranks})
        enough = all(map(self.plenty, self.lengths().values))
        return self.held_out.split(by or ("word" if enough else "row"))

    @cached_property
    def _ranks(self) -> tuple[Rank, ...]:
        return tuple(self._rank(length) for length in self.lengths().values)

    def _rank(self, length: int) -> Rank:
        """Where the parts of the words of a length end, in the order of their hashes."""
        spelt = {symbol: spelling(symbol) for symbol in self.alphabet()}
        hashes = sorted(content(map(spelt.__getitem__, word)) for word in self.words(length))
        test, validation = _whole(self.held_out, len(hashes))
        return Rank(length=length, test=hashes[test], validation=hashes[test + validation])

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            lengths = self.lengths()
        except ValueError as none_left:
            yield self._none_left(str(none_left))
            return
        yield from self._length_problems(lengths, context)
        yield from self._part_problems()

    def _none_left(self, message: str) -> Problem:
        """P350, P359: no length, or none that is not held out."""
        try:
            self._with(HeldOut()).lengths()
        except ValueError as none:
            return Problem("P350", str(none), ("length",), "give a length that some word has")
        return no_words(self, "nothing is left to train on", message)

    def _part_problems(self) -> Iterator[Problem]:
        """P359: a test part without words."""
        if self.held_out.sorts and not self.held_out.tests_all:
            try:
                self.tested().lengths()
            except ValueError as none:
                yield no_words(self, "nothing is held out", str(none))

    def _length_problems(self, lengths: Lengths, context: int) -> Iterator[Problem]:
        dropped = len(self.asked().values) - len(self.law().values)
        if dropped:
            yield Problem(
                "P351",
                f"{dropped} of the lengths asked for have no words and are left out",
                ("length",),
                severity=Severity.NOTE,
            )
        longest = lengths.values[-1]
        packed = longest if lengths.values == (context,) else longest + 1
        if packed > context:
            help = f"make the context at least {packed}, or the words shorter"
            yield Problem(
                "P352", f"words of {longest} symbols do not fit a context of {context}", ("length",), help
            )
            return
        if lengths.values != (context,) and (blank := context - fillable(lengths, context).bit_length() + 1):
            yield Problem(
                "P354",
                f"{blank} of {context} positions of each row stay empty: no words of these lengths fill them",
                ("length",),
                severity=Severity.WARNING if blank * 10 > context else Severity.NOTE,
            )
        yield from self._scarcity(lengths, context)

    def _scarcity(self, lengths: Lengths, context: int) -> Iterator[Problem]:
        if not self.held_out.any():
            return
        if self.held_out.by == "rank":
            yield from self._rankless(lengths)
            return
        scarce = [n for n in lengths.values if not self.plenty(n)]
        if not scarce:
            return
        found = self.count(scarce[0]) or 0
        few = "is only 1 word" if found == 1 else f"are only {found:,} words"
        few = f"there {few} of length {scarce[0]}"
        if self.held_out.by == "word" or (len(lengths.values) == 1 and context < 2 * (scarce[0] + 1)):
            yield Problem(
                "P353",
                f"{few}: too few to hold some out",
                ("length",),
                'hold out by rank (held_out = { by = "rank" }), or nothing ({ validation = 0, test = 0 }); '
                "or make the words longer",
            )
        else:
            message = f"{few}: whole rows are held out, not words"
            yield Problem("P355", message, ("length",), severity=Severity.NOTE)

    def _rankless(self, lengths: Lengths) -> Iterator[Problem]:
        """P353, P359: words that cannot be counted one by one, or too few for a part."""
        at = ("held_out", "by")
        for n in lengths.values:
            found = self.count(n) if not self.plenty(n) else None
            if found is None:
                message = f"words of length {n} are too many to be ranked, or cannot be counted"
                yield Problem("P353", message, at, 'by = "word" tells many apart, by = "row" any')
                return
            parts = _whole(self.held_out, found)
            for part, share in zip(parts, (self.held_out.test, self.held_out.validation), strict=True):
                if share and not part:
                    message = f"{share:.3g} of the {found:,} words of length {n} is not one word"
                    yield Problem("P359", message, at, f"hold out at least {1 / found:.2g}, or longer words")
                    return
            if sum(parts) >= found:
                message = f"of the {found:,} words of length {n} none is left to train on"
                yield Problem("P359", message, at, "hold out less")
                return


def _whole(held_out: HeldOut, words: int) -> tuple[int, int]:
    """How many of so many words are test, and validation: the nearest whole numbers to the shares."""
    return round(held_out.test * words), round(held_out.validation * words)


def no_words(grammar: Grammar, what: str, why: str) -> Problem:
    """P359: a part without words, by what tells it."""
    sort = [*grammar.held_out.sorts, "by"][0]
    return Problem("P359", f"{what}: {why}", ("held_out", sort), "let both parts have words")


# The type of a field that holds any grammar.
AnyGrammar = Annotated[Grammar, AnyKind()]

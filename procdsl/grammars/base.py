"""What a grammar is: a description of a formal language, with a distribution, that lowers to a program."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from pydantic import Field

from procdsl.errors import Severity
from procdsl.grammars._lengths import Length, law
from procdsl.kinds import Node, any_of
from procdsl.programs import SPECIALS, AnyProgram, Lengths, Split, fillable

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


class HeldOut(Node):
    """What part of the words is kept from training. `by` is settled by how many words there are."""

    validation: float = Field(default=0.005, ge=0, le=0.5)
    test: float = Field(default=0.005, ge=0, lt=0.5)
    by: Literal["word", "row"] | None = None


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
    """A grammar whose rows are words of a length law, packed by the common rule (`programs.WordProgram`)."""

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

    def lengths(self) -> Lengths:
        """The law of lengths, without those that no word has. ValueError where none is left."""
        return law(self.length, self.possible)

    def asked(self) -> Lengths:
        """The law as written, lengths without words included."""
        return law(self.length, None)

    def longest(self) -> int:
        # A word of the one length fills a row; words of several are each followed by an end.
        values = self.lengths().values
        return values[-1] + (len(values) > 1)

    def split(self) -> Split:
        """The held-out parts, by word where every length has words to spare, else by row."""
        by = self.held_out.by or ("word" if all(map(self.plenty, self.lengths().values)) else "row")
        return Split(
            validation=int(self.held_out.validation * 2**64), test=int(self.held_out.test * 2**64), by=by
        )

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            lengths = self.lengths()
        except ValueError as none_left:
            yield Problem("P350", str(none_left), ("length",), "give a length that some word has")
            return
        yield from self._length_problems(lengths, context)

    def _length_problems(self, lengths: Lengths, context: int) -> Iterator[Problem]:
        dropped = len(self.asked().values) - len(lengths.values)
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
        scarce = [n for n in lengths.values if not self.plenty(n)]
        if not scarce or not (self.held_out.validation or self.held_out.test):
            return
        found = self.count(scarce[0]) or 0
        if self.held_out.by == "word" or (len(lengths.values) == 1 and context < 2 * (scarce[0] + 1)):
            yield Problem(
                "P353",
                f"there are only {found:,} words of length {scarce[0]}: too few to hold some out",
                ("length",),
                "make the words longer, pack several in a row, or hold nothing out (held_out)",
            )
        else:
            message = (
                f"there are only {found:,} words of length {scarce[0]}: whole rows are held out, not words"
            )
            yield Problem("P355", message, ("length",), severity=Severity.NOTE)


if TYPE_CHECKING:
    AnyGrammar = Grammar
else:
    AnyGrammar = any_of(Grammar)

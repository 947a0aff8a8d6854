"""What grammars of rules share: reading them, the law of lengths, and what can be said about them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from procdsl.errors import Severity
from procdsl.grammars._lengths import (
    NATURAL_LONGEST,
    NATURAL_REST,
    Length,
    Natural,
    NaturalLength,
    natural_law,
)
from procdsl.grammars.base import PLENTY, Problem, WordGrammar, no_words
from procdsl.grammars.rules import ambiguity, branching, counting, families, findings, listing, parting
from procdsl.grammars.rules.expand import Surroundings, expand
from procdsl.grammars.rules.families import Identifier, Spelling, Written
from procdsl.grammars.rules.lowering import shapes, unweighted
from procdsl.grammars.rules.syntax import parse
from procdsl.grammars.rules.trees import Trees
from procdsl.grammars.rules.written import Rule, RuleError, RuleErrors, parameters
from procdsl.programs.base import Lengths
from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.trees import flattened, structure, tilt, vector_inside

# Tables hold a double for each nonterminal or sequence of children and each length: half a GiB.
MOST_CELLS = 2**26
# A double loses its last digits below this; 64-bit tables built from less would be noise.
_FAINT = 1e-290
# Larger tables are checked when they are made for good.
_CHECKED_WORK = 2**27


class RuleGrammar(WordGrammar):
    """A grammar written as rules. Numbers that rules name are keys of the grammar's own table."""

    model_config = ConfigDict(extra="allow", serialize_by_alias=True)
    __pydantic_extra__: dict[str, float]

    rules: str
    families: dict[Identifier, Written] = Field(default={}, alias="tokens")
    index: dict[Identifier, tuple[Spelling, ...]] = Field(default={})
    switch: dict[Identifier, Annotated[int, Field(ge=0, le=1)]] = Field(default={})
    measure: Literal["weighted", "uniform", "natural"] = "weighted"
    length: Length | Natural | NaturalLength  # type: ignore[assignment]

    @model_validator(mode="before")
    @classmethod
    def _only_what_rules_name(cls, value: Any) -> Any:
        """Keys that are no fields are numbers that the rules use; any other is a slip."""
        if not isinstance(value, dict):
            return value
        known = {field.alias or name for name, field in cls.model_fields.items()}
        extra = {name: part for name, part in value.items() if name not in known}
        used = _used(value.get("rules")) if extra else None
        slips = [
            name
            for name, part in extra.items()
            if (name not in used if used is not None else not _number(part))
        ]
        if slips:
            faults = [
                InitErrorDetails(type=_slip(value[name], used), loc=(name,), input=value[name])
                for name in slips
            ]
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return value

    @model_validator(mode="after")
    def _one_law(self) -> RuleGrammar:
        if self._natural and self.measure == "uniform":
            raise ValueError(
                'uniform words have no lengths of their own: give a length, or measure = "natural"'
            )
        if self.measure == "natural" and not self._natural:
            raise ValueError('measure = "natural" draws the rules\' own lengths: length = "natural"')
        return self

    # ------------------------------------------------------------ what a grammar is asked

    def program(self) -> TreeProgram:
        return self._program

    def alphabet(self) -> tuple[str, ...]:
        """The tokens as rules name them; none where the rules cannot be read, which `problems` tells."""
        try:
            return self._trees.alphabet
        except ValueError:
            return ()

    def possible(self, longest: int) -> int:
        # The empty word is left out.
        return counting.possible(self._shapes, longest)[0] & ~1

    def count(self, length: int) -> int | None:
        """How many derivations words of this length have: as many as words, unless they are ambiguous."""
        try:
            return counting.counts(self._shapes, length)[length]
        except ValueError:  # endlessly many
            return None

    def words(self, length: int) -> Iterator[tuple[str, ...]]:
        alphabet = self.alphabet()
        for word in listing.words(self._shapes, length):
            yield tuple(alphabet[symbol] for symbol in word)

    def plenty(self, length: int) -> bool:
        return bool(self._plenty >> length & 1)

    def law(self) -> Lengths:
        return self._lengths

    def asked(self) -> Lengths:
        return self.law() if self._natural else super().asked()

    def holds_out(self) -> frozenset[str]:
        return super().holds_out() | {"rules", "depth"}

    def derivations(self) -> Trees:
        """The rules that words are derived by. ValueError where there are none."""
        return self._alive

    @property
    def productions(self) -> Trees:
        """The rules multiplied out, without what no word needs. ValueError where there is no word."""
        return self._alive

    def verdict(self) -> ambiguity.Verdict:
        """Whether words have several derivations, as far as is known."""
        return ambiguity.verdict(self._whole)

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            trees = self._trees
        except RuleErrors as errors:
            yield from (self._problem(fault) for fault in errors.faults)
            return
        yield from findings.unused(self._parsed, self.families, self.index, self.switch)
        yield from findings.spelling(self.families, trees.alphabet)
        for ask in (
            partial(parting.problems, self.held_out, self._parsed, trees.alphabet),
            self._tree_problems,
            partial(super().problems, context),
            self._measure_problems,
        ):
            found = list(ask())
            yield from found
            if any(problem.severity is Severity.ERROR for problem in found):
                return

    # ------------------------------------------------------------ the parts

    @property
    def _natural(self) -> bool:
        return isinstance(self.length, str | NaturalLength)

    @cached_property
    def _parsed(self) -> tuple[Rule, ...]:
        return parse(self.rules)

    @cached_property
    def _trees(self) -> Trees:
        """The rules multiplied out. RuleErrors where they mean nothing."""
        try:
            rules = self._parsed
        except RuleError as fault:
            raise RuleErrors([fault]) from None
        if misfits := list(self._misfits(rules)):
            raise RuleErrors(misfits)
        return expand(rules, self._surroundings(), parting.places(self.held_out, rules))

    @abstractmethod
    def _misfits(self, rules: Sequence[Rule]) -> Iterator[RuleError]:
        """What is wrong with the rules' yields."""

    @cached_property
    def _alive(self) -> Trees:
        """What words are made of. ValueError where there is no word."""
        alive = self._trees.trimmed()
        if alive is None:
            raise ValueError("the rules derive no word")
        return alive

    @cached_property
    def _part(self) -> Trees:
        """What the words of this part are made of. ValueError where there is none."""
        return parting.part(self._alive, self.held_out)

    @cached_property
    def _whole(self) -> tuple[TreeShape, ...]:
        return self._weighed(self._alive)

    @cached_property
    def _shapes(self) -> tuple[TreeShape, ...]:
        return self._whole if self._part is self._alive else self._weighed(self._part)

    def _weighed(self, trees: Trees) -> tuple[TreeShape, ...]:
        return unweighted(shapes(trees)) if self.measure == "uniform" else shapes(trees)

    @cached_property
    def _program(self) -> TreeProgram:
        parted = self._part is not self._alive
        return TreeProgram(
            count=len(self._alive.alphabet),
            shapes=self._shapes,
            unambiguous=parted and self.verdict().certain,
            language=self._whole if parted and self.held_out.tests_all else (),
            lengths=self.lengths(),
            split=self.split(),
        )

    @cached_property
    def _plenty(self) -> int:
        try:
            return counting.plenty(self._shapes, self.lengths().values[-1], PLENTY)
        except ValueError:  # endlessly many derivations
            return -1

    @cached_property
    def _lengths(self) -> Lengths:
        if not self._natural:
            return super().law()
        shares = self._natural_shares[0]
        parted = self._part is not self._alive
        return natural_law(branching.lengths(self._shapes, len(shares) - 1) if parted else shares)

    @cached_property
    def _natural_shares(self) -> tuple[list[float], float]:
        """How likely each length is, and how likely a longer one. ValueError where the rules never stop."""
        if branching.radius(self._whole) >= 1:
            raise ValueError("the rules make words without end")
        most = self.length.natural if isinstance(self.length, NaturalLength) else NATURAL_LONGEST
        longest = most if isinstance(self.length, NaturalLength) else 64
        while True:
            shares = branching.lengths(self._whole, longest)
            rest = 1 - sum(shares)
            if longest == most or rest <= NATURAL_REST:
                return shares, rest
            longest = min(2 * longest, most)

    def _surroundings(self) -> Surroundings:
        for name, family in self.families.items():
            for feature in getattr(family, "features", ()):
                if feature not in self.index:
                    message = f"the feature {feature} of {name} has no values"
                    spot = self._parsed[0].head.spot
                    raise RuleErrors([RuleError("P372", message, spot, f"list them: index.{feature} = […]")])
        return Surroundings(
            families={name: families.read(name, one, self.index) for name, one in self.families.items()},
            index=self.index,
            parameters=self.__pydantic_extra__,
            switches=self.switch,
        )

    # ------------------------------------------------------------ what is wrong, or worth saying

    def _problem(self, fault: RuleError, severity: Severity = Severity.ERROR) -> Problem:
        return findings.placed(self.rules, fault, severity)

    def _at_start(self, code: str, message: str, help: str, severity: Severity = Severity.ERROR) -> Problem:
        return self._problem(RuleError(code, message, self._parsed[0].head.spot, help), severity)

    def _tree_problems(self) -> Iterator[Problem]:
        """What keeps words from being drawn at all."""
        yield from findings.useless(self.rules, self._parsed, self._trees)
        if self._trees.trimmed() is None:
            return
        try:
            self._part  # noqa: B018
        except ValueError as none:
            yield no_words(self, "nothing is left to train on", str(none))
            return
        try:
            flat = flattened(self._shapes)
        except ValueError as endless:
            help = "let no symbol derive itself alone, or the empty word in several ways"
            yield self._at_start("P379", str(endless), help)
            return
        if self._natural and (radius := branching.radius(self._whole)) >= 1 - 1e-9:
            ends = branching.terminates(self._whole)
            what = "words without end" if radius > 1 + 1e-9 else "words of no mean length"
            message = f"the rules make {what}: growth {radius:.3g} a step, {ends:.1%} of them stop"
            help = "lower the weight of a rule that grows, or ask for a length: each is drawn exactly"
            yield Problem("P380", message, ("length",), help)
            return
        longest = self.asked().values[-1]
        cells = (len(flat.empty) + len(flat.head)) * longest
        if cells > MOST_CELLS:
            message = (
                f"the tables of {len(flat.head):,} sequences up to length {longest:,} hold {cells:,} numbers"
            )
            yield Problem(
                "P383", message, ("length",), f"at most {MOST_CELLS:,}: shorter words, or fewer rules"
            )

    def _measure_problems(self) -> Iterator[Problem]:
        """What the distribution over words is, where it may not be what was meant."""
        try:
            lengths = self.lengths()
        except ValueError:
            return
        yield from self._ambiguity_problems()
        if self._natural and (rest := self._natural_shares[1]) > NATURAL_REST:
            message = f"{rest:.1%} of the rules' words have over {lengths.values[-1]:,} symbols: left out"
            yield Problem(
                "P380", message, ("length",), "length = { natural = … } sets the end", Severity.NOTE
            )
        if (longest := findings.longest_word(self._shapes)) is not None:
            yield Problem("P384", self._finite(longest), ("rules",), severity=Severity.NOTE)
        if len(self._alive.names) * lengths.values[-1] ** 2 <= _CHECKED_WORK:
            yield from self._faint(lengths)

    def _ambiguity_problems(self) -> Iterator[Problem]:
        found = self.verdict()
        if found.certain:
            return
        if self.held_out.rules and found.witness is not None:
            ways = "several derivations: with the rules held out, and perhaps without"
            message = f"{self._spelt(found.witness)} has {ways}"
            help = "write rules with one derivation for each word, or hold out by length or depth"
            yield Problem("P357", message, ("held_out", "rules"), help)
            return
        if found.witness is None:
            message = (
                f"no word of up to {found.searched} symbols has two derivations; nothing is proved beyond"
            )
            if self.measure == "uniform":
                yield Problem("P382", message, ("measure",), severity=Severity.NOTE)
            return
        word = self._spelt(found.witness)
        ways = f"{found.derivations} derivations" if found.derivations else "endlessly many derivations"
        if self.measure == "uniform":
            help = 'measure = "weighted" draws derivations; or write rules with one derivation for each word'
            yield Problem("P381", f"words are not alike: {word} has {ways}", ("measure",), help)
        else:
            message = f"{word} has {ways}: counts are of derivations, and the loss floor is an interval"
            yield Problem("P382", message, ("rules",), severity=Severity.NOTE)

    def _spelt(self, word: Sequence[int]) -> str:
        return repr(" ".join(self.alphabet()[symbol] for symbol in word)) if word else "the empty word"

    def _finite(self, longest: int) -> str:
        if longest > 64:
            return f"the language is finite: no word has over {longest:,} symbols"
        try:
            words = sum(counting.counts(self._shapes, longest)[1:])
        except ValueError:
            return f"the language is finite: no word has over {longest} symbols"
        return f"the language is finite: {words:,} words of up to {longest} symbols"

    def _faint(self, lengths: Lengths) -> Iterator[Problem]:
        """P385: words so unlikely that doubles lose them."""
        program = self._program
        alpha, _ = vector_inside(structure(program), tilt(program), lengths.values[-1])
        lost = [n for n in lengths.values if not _FAINT < alpha[0][n] < 1 / _FAINT]
        if lost:
            message = (
                f"words of length {lost[0]:,} are too likely or unlikely for the tables to tell them apart"
            )
            yield Problem("P385", message, ("length",), "shorter words, or weights that differ less")


def _used(text: Any) -> frozenset[str] | None:
    """The parameters that rules use, if they can be read."""
    try:
        return parameters(parse(text)) if isinstance(text, str) else None
    except RuleError:
        return None


def _slip(value: Any, used: frozenset[str] | None) -> str | PydanticCustomError:
    """What is wrong with a key that rules do not use; of a number, which ones they do use."""
    if not used or not _number(value):
        return "extra_forbidden"
    named = " and ".join(sorted(used))
    return PydanticCustomError("value_error", f"rules use {named}, and no number of this name")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

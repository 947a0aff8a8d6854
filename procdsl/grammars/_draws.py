"""The random inputs of a task, as they are written: ``uniform(sym, length=8)``, ``choice(keys(m))`` …"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from procdsl.grammars._expressions import Call, Expression, ExpressionError, Name, Number, Text
from procdsl.grammars._held_out import HeldOut
from procdsl.grammars._known import Known, Pool
from procdsl.grammars._lengths import UniformLength, law
from procdsl.grammars._tasks import Lowering, functions, meant
from procdsl.grammars._words import Words
from procdsl.grammars.base import WordGrammar
from procdsl.grammars.words import Extent
from procdsl.programs.base import LONGEST, Lengths, Split, WordProgram
from procdsl.programs.plugin import PluginProgram
from procdsl.programs.task import Draw

_ALONE = Lengths(values=(1,))


def is_value(text: str, lowering: Lowering, named: Collection[str]) -> bool:
    """Whether a text says what is made of these names, and draws nothing."""
    try:
        node = lowering.parse(text)
    except ExpressionError:
        return False
    if isinstance(node, Call):
        return node.function.text in functions()
    return isinstance(node, Text) or (isinstance(node, Name) and node.text in named)


def draw(text: str, lowering: Lowering) -> None:
    """Lowers the next input: its draw, and what its register then holds. ExpressionError if it is none."""
    call = lowering.parse(text)
    if not isinstance(call, Call) or call.function.text not in _FORMS:
        raise meant(call, tuple(_FORMS), "way to draw an input", 'as in "uniform(sym, length=8)"')
    made, known = _FORMS[call.function.text](_Form(call), lowering)
    lowering.registers[len(lowering.draws)] = known
    lowering.draws.append(made.model_copy(update={"after": len(lowering.code)}))


class _Form:
    """The arguments of a draw, taken one by one; what is left over is a fault."""

    def __init__(self, call: Call) -> None:
        self.call, self.name = call, call.function.text
        self.named = {name.text: (name, value) for name, value in call.named}

    def pools(self, lowering: Lowering, count: int) -> list[Pool]:
        if len(self.call.arguments) != count:
            raise self.fault(f"{self.name} draws from {'one pool' if count == 1 else 'two pools'}")
        return [lowering.pool(argument) for argument in self.call.arguments]

    def word(self, lowering: Lowering) -> tuple[int, Known]:
        """The register of the word that is drawn from."""
        if len(self.call.arguments) != 1:
            raise self.fault(f"{self.name} takes one word, as in {self.name}(x)")
        of = lowering.value(self.call.arguments[0])
        known = lowering.registers[of]
        if known.shape != "word" or known.extent.least == 0:
            kind = "a word that may be empty" if known.shape == "word" else str(known)
            raise ExpressionError(f"nothing can be chosen from {kind}", self.call.arguments[0].at)
        return of, known

    def lengths(self, name: str, default: int | None = None) -> Lengths:
        """What ``length=`` says: a number, or ``uniform(a, b)``; no other name may be left."""
        value = self.named.pop(name)[1] if name in self.named else None
        self.done()
        if value is None and default is not None:
            return law(default, None)
        match value:
            case Number(value=int(n)) if 1 <= n <= LONGEST:
                return law(n, None)
            case Call(
                function=Name(text="uniform"), arguments=(Number(value=int(least)), Number(value=int(most)))
            ) if 1 <= least <= most <= LONGEST:
                return law(UniformLength(uniform=(least, most)), None)
        message = f"a length is 1 to {LONGEST:,}: {name}=8, {name}=uniform(1, 8)"
        raise ExpressionError(message, value.at if value else self.call.at)

    def number(self, name: str, default: float, most: float) -> float:
        """A number given by name."""
        value: Any = self.named.pop(name)[1] if name in self.named else Number(default, 0)
        if not isinstance(value, Number) or value.value > most:
            raise ExpressionError(f"{name} is a number up to {most:g}", value.at)
        return value.value

    def done(self) -> None:
        if self.named:
            name = next(iter(self.named.values()))[0]
            raise ExpressionError(f"{self.name} takes no {name.text!r}", name.at, len(name.text))

    def fault(self, message: str) -> ExpressionError:
        return ExpressionError(message, self.call.at, len(self.name))


def _uniform(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """Symbols of a pool, or of a word: each by itself."""
    if len(form.call.arguments) == 1 and not lowering.is_pool(form.call.arguments[0]):
        return _among(form, lowering)
    (pool,) = form.pools(lowering, 1)
    lengths = form.lengths("length")
    return _drawn("uniform", pool, lengths), _word(pool, lengths)


def _among(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    of, known = form.word(lowering)
    lengths, extent = form.lengths("length"), known.extent
    count = min(extent.most, extent.high - extent.low + 1)
    made = Draw(kind="among", first=extent.low, count=count, lengths=lengths, of=of)
    return made, replace(known, extent=extent._replace(least=lengths.values[0], most=lengths.values[-1]))


def _shuffle(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """The symbols of a word in any order."""
    of, known = form.word(lowering)
    form.done()
    if known.extent.most > LONGEST:
        raise form.fault(f"a word of {known.extent.most:,} symbols is too long to be shuffled")
    return Draw(kind="shuffle", first=0, count=1, lengths=law(known.extent.most, None), of=of), known


def _weighted(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """The symbols of a pool by their shares: ``weighted(range(0, 3), 8, 1, 1, length=4)``."""
    shares = [one.value for one in form.call.arguments[1:] if isinstance(one, Number)]
    pool = lowering.pool(form.call.arguments[0]) if form.call.arguments else Pool(0, 0)
    if len(shares) != pool.count or len(shares) < len(form.call.arguments) - 1 or not sum(shares):
        raise form.fault("each symbol of the pool needs its share: weighted(range(0, 3), 8, 1, 1, length=4)")
    lengths = form.lengths("length")
    return _shared(pool, shares, lengths), _word(pool, lengths)


def _zipf(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """The r-th symbol of the pool as likely as r to the power of minus `s`."""
    (pool,) = form.pools(lowering, 1)
    power = form.number("s", 1.0, 16.0)
    lengths = form.lengths("length")
    return _shared(pool, [rank**-power for rank in range(1, pool.count + 1)], lengths), _word(pool, lengths)


def _permutation(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    (pool,) = form.pools(lowering, 1)
    lengths = form.lengths("length", pool.count if form.name == "permutation" else None)
    _different(lengths, pool, form.call.arguments[0])
    return _drawn("permutation", pool, lengths), _word(pool, lengths)


def _number(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    if form.call.arguments:
        raise form.fault("a number is drawn by its digits: number(digits=5), number(digits=uniform(1, 5))")
    pool, lengths = Pool(0, 10, "number"), form.lengths("digits")
    return _drawn("number", pool, lengths), _word(pool, lengths)


def _mapping(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    keys, values = form.pools(lowering, 2)
    lengths = form.lengths("size")
    _different(lengths, keys, form.call.arguments[0])
    made = _drawn("mapping", keys, lengths).model_copy(update={"values": (values.first, values.count)})
    inner = (values.first, values.first + values.count - 1)
    known = _word(keys, lengths)
    return made, Known(known.extent._replace(inner=inner), "mapping", keys.element, values.element)


def _choice(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """One symbol of a word; with ``present=0.75, pool=sym`` every fourth is one that is not in it."""
    of, known = form.word(lowering)
    present = form.number("present", 1, 1)
    other = lowering.pool(form.named.pop("pool")[1]) if "pool" in form.named else None
    form.done()
    if (present < 1) != (other is not None):
        raise form.fault(f"what is absent comes from a pool: {form.name}(x, present=0.75, pool=sym)")
    pool = other or Pool(known.extent.low, known.extent.high - known.extent.low + 1, known.element, "")
    if other and (other.element != known.element or other.count <= known.extent.most):
        raise form.fault(f"the pool needs more than {known.extent.most} symbols of the word's sort")
    low, high = min(known.extent.low, pool.first), max(known.extent.high, pool.first + pool.count - 1)
    made = _drawn("choice", pool, _ALONE).model_copy(update={"of": of, "present": round(present * 2**32)})
    return made, Known(Extent(1, 1, low, high), "word", known.element, pool=known.pool)


def _runs(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """Symbols in runs, or the same in any order (`bag`)."""
    (pool,) = form.pools(lowering, 1)
    lengths = form.lengths("length")
    return _drawn(form.name, pool, lengths), _word(pool, lengths)


def _part(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """At most half of a word; with ``present=0.75, pool=sym`` every fourth is nowhere in it."""
    made, known = _choice(form, lowering)
    of = lowering.registers[made.of]
    lengths = Lengths(values=tuple(range(1, max(of.extent.most // 2, 1) + 1)))
    made = made.model_copy(update={"kind": "part", "lengths": lengths})
    return made, replace(known, extent=known.extent._replace(most=lengths.values[-1]))


def _word_of(form: _Form, lowering: Lowering) -> tuple[Draw, Known]:
    """A word of a grammar, its symbols among the task's."""
    match form.call.arguments:
        case (Name(text=name, at=at) as node,) if name in lowering.grammars:
            form.done()
        case (node,):
            raise meant(
                node, tuple(lowering.grammars), "grammar", "a grammar of the spec, or of `grammars` here"
            )
        case _:
            raise form.fault("a word is drawn from one grammar: word(brackets)")
    # What it holds out itself has no say.
    grammar = lowering.grammars[name]._with(HeldOut(validation=0, test=0))
    try:
        program = grammar.program()
    except ValueError as fault:
        raise ExpressionError(f"{name} has no words: {fault}", at, len(name)) from None
    if not isinstance(grammar, WordGrammar) or not isinstance(program, WordProgram):
        raise ExpressionError(f"{name} has rows that are no words of it", at, len(name))
    if isinstance(program, PluginProgram):
        raise ExpressionError(f"{name} is a plug-in, which draws its rows by itself", at, len(name))
    return word_draw(grammar, program, lowering)


def word_draw(grammar: WordGrammar, program: WordProgram, lowering: Lowering) -> tuple[Draw, Known]:
    """The draw of a word, and what its register then holds."""
    words = Words(grammar, {token: lowering.symbol(token) for token in grammar.alphabet()})
    lowering.words[len(lowering.draws)] = words
    ids, lengths = tuple(words.ids.values()), program.lengths
    made = Draw(
        kind="word",
        first=min(ids),
        count=len(ids),
        lengths=lengths,
        words=program.model_copy(update={"split": Split(validation=0, test=0)}),
        ids=ids,
    )
    element = "number" if all(token.isdecimal() for token in words.ids) else "symbol"
    return made, Known(Extent(lengths.values[0], lengths.values[-1], min(ids), max(ids)), "word", element)


_FORMS: dict[str, Any] = {
    "uniform": _uniform,
    "runs": _runs,
    "bag": _runs,
    "part": _part,
    "permutation": _permutation,
    "sample": _permutation,
    "zipf": _zipf,
    "weighted": _weighted,
    "shuffle": _shuffle,
    "choice": _choice,
    "mapping": _mapping,
    "number": _number,
    "word": _word_of,
}


def _drawn(kind: Any, pool: Pool, lengths: Lengths) -> Draw:
    return Draw(kind=kind, first=pool.first, count=pool.count, lengths=lengths)


def _shared(pool: Pool, shares: Sequence[float], lengths: Lengths) -> Draw:
    """Each symbol by its share."""
    parts = list(accumulate(shares, initial=0.0))[1:]
    thresholds = tuple(min(2**32, round(part / parts[-1] * 2**32)) for part in parts)[:-1]
    return _drawn("weighted", pool, lengths).model_copy(update={"thresholds": thresholds})


def _word(pool: Pool, lengths: Lengths) -> Known:
    extent = Extent(lengths.values[0], lengths.values[-1], pool.first, pool.first + pool.count - 1)
    return Known(extent, "word", pool.element, pool=pool)


def _different(lengths: Lengths, pool: Pool, node: Expression) -> None:
    if lengths.values[-1] > pool.count:
        width = len(node.text) if isinstance(node, Name) else 1
        raise ExpressionError(
            f"no {lengths.values[-1]} of {pool.count} symbols are all different", node.at, width
        )

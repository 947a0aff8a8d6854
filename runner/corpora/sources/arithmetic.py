"""Problems made here: arithmetic and algebra in questions and answers worded like DeepMind's mathematics.

Problem i of a part is a pure function of i: modules take turns, numbers come from the stream at its address.
A question whose hash is one of sixteen belongs to `interpolate` and is in no part that is trained on; numbers
of `extrapolate` have more digits than any that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import count

from procdsl.streams import Stream, key

# Raised where problems change: it is in the digest.
VERSION = 1
# How many digits numbers have, by part; an interpolated problem is as large as one of the first three.
DIGITS = {"train-easy": (1, 2), "train-medium": (1, 3), "train-hard": (1, 5), "extrapolate": (6, 7)}
_TRAINED = ("train-easy", "train-medium", "train-hard")
_ATTEMPTS = 10_000

Problem = tuple[str, str]


class _Numbers:
    """Whole numbers of a random number of digits, within some."""

    def __init__(self, stream: Stream, least: int, digits: int) -> None:
        self.stream, self.least, self.digits = stream, least, digits

    def below(self, n: int) -> int:
        return self.stream.below(n)

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def natural(self, digits: int | None = None, least: int = 0) -> int:
        """At least `least`, of at most so many digits, if they are said, each number of digits alike."""
        size = self.between(1, digits) if digits else self.between(self.least, self.digits)
        return max(least, self.between(10 ** (size - 1) if size > 1 else 0, 10**size - 1))

    def whole(self, digits: int | None = None) -> int:
        return self.natural(digits) * (-1 if self.below(2) else 1)

    def other(self, digits: int | None = None) -> int:
        """Not zero."""
        return self.whole(digits) or 1

    def one(self, *texts: str) -> str:
        return texts[self.below(len(texts))]


def problems(files: tuple[tuple[str, str], ...], start: int) -> Iterator[Problem]:
    """The problems of some (part, module) by turns, from number `start` on, without end."""
    return (problem(*files[i % len(files)], i // len(files)) for i in count(start))


def problem(part: str, module: str, index: int) -> Problem:
    """Problem `index` of a module.

    >>> problem("train-easy", "arithmetic__add_or_sub", 0)
    ('Work out -9 + -42.', '-51')
    """
    address = key(VERSION, "problems", part, module)
    for attempt in range(_ATTEMPTS):
        stream = Stream(address, index, attempt)
        size = _TRAINED[stream.below(3)] if part == "interpolate" else part
        made = MODULES[module](_Numbers(stream, *DIGITS[size]))
        if part == "extrapolate" or _kept(made[0]) == (part == "interpolate"):
            return made
    raise AssertionError(f"{module} has too few problems")


def _kept(question: str) -> bool:
    """Whether a question is kept from training."""
    return blake2b(question.encode(), digest_size=1).digest()[0] < 16


# ---------------------------------------------------------------- modules


def _add_or_sub(draw: _Numbers) -> Problem:
    a, b = draw.whole(), draw.whole()
    if draw.below(2):
        return draw.one(f"What is {a} + {b}?", f"Work out {a} + {b}.", f"Add {a} and {b}."), str(a + b)
    return draw.one(f"What is {a} - {b}?", f"Work out {a} - {b}.", f"Subtract {b} from {a}."), str(a - b)


def _mul(draw: _Numbers) -> Problem:
    a, b = draw.whole(), draw.whole()
    return draw.one(f"What is {a} * {b}?", f"Multiply {a} and {b}.", f"Product of {a} and {b}."), str(a * b)


def _div(draw: _Numbers) -> Problem:
    b, answer = draw.other(), draw.whole()
    return draw.one(f"Divide {b * answer} by {b}.", f"What is {b * answer} divided by {b}?"), str(answer)


def _mixed(draw: _Numbers) -> Problem:
    """A sum of sums, products and numbers."""
    text, value = _term(draw, 2)
    for _ in range(draw.between(1, 3)):
        other, by = _term(draw, 2)
        plus = draw.below(2)
        text, value = f"{text} {'+' if plus else '-'} {other}", value + by if plus else value - by
    return draw.one(f"What is {text}?", f"Calculate {text}.", f"Evaluate {text}."), str(value)


def _term(draw: _Numbers, depth: int) -> tuple[str, int]:
    if not depth or draw.below(2):
        value = draw.natural(min(draw.digits, 3))
        return str(value), value
    (left, a), (right, b) = _term(draw, depth - 1), _term(draw, depth - 1)
    if draw.below(2):
        return f"({left} + {right})", a + b
    return f"({left} - {right})", a - b


def _gcd(draw: _Numbers) -> Problem:
    shared = draw.natural(max(1, draw.digits // 2), 1)
    a, b = shared * draw.natural(least=1), shared * draw.natural(least=1)
    text = draw.one("greatest common divisor", "greatest common factor", "highest common factor")
    return draw.one(f"Calculate the {text} of {a} and {b}.", f"What is the {text} of {a} and {b}?"), str(
        math.gcd(a, b)
    )


def _lcm(draw: _Numbers) -> Problem:
    a, b = draw.natural(least=1), draw.natural(least=1)
    text = draw.one("least common multiple", "lowest common multiple", "smallest common multiple")
    return f"What is the {text} of {a} and {b}?", str(math.lcm(a, b))


def _remainder(draw: _Numbers) -> Problem:
    b = draw.natural(least=2)
    a = b * draw.natural() + draw.below(b)
    text = f"remainder when {a} is divided by {b}"
    return draw.one(f"What is the {text}?", f"Calculate the {text}."), str(a % b)


def _place_value(draw: _Numbers) -> Problem:
    names = ("units", "tens", "hundreds", "thousands", "ten thousands", "hundred thousands", "millions")
    number = str(draw.natural())
    place = draw.below(min(len(number), len(names)))
    return f"What is the {names[place]} digit of {number}?", number[-1 - place]


def _is_prime(draw: _Numbers) -> Problem:
    number = draw.natural(least=2)
    # Half of the answers are yes, or a guess is right nearly always.
    if draw.below(2):
        while not _prime(number):
            number += 1
    text = draw.one("prime", "a prime number", "composite")
    yes = _prime(number) != (text == "composite")
    return f"Is {number} {text}?", str(yes)


def _prime(number: int) -> bool:
    return number > 1 and all(number % by for by in range(2, math.isqrt(number) + 1))


def _linear(draw: _Numbers) -> Problem:
    """a x + b = c x + d, with a whole solution."""
    x, name = draw.whole(), draw.one(*"abcdfghjklmnpqrstuvwxyz")
    a, c, b = draw.other(2), draw.whole(2), draw.whole()
    a += a == c
    d = (a - c) * x + b
    left, right = _polynomial({1: a, 0: b}, name), _polynomial({1: c, 0: d}, name)
    return f"Solve {left} = {right} for {name}.", str(x)


def _evaluate(draw: _Numbers) -> Problem:
    name, at = draw.one(*"fghjkpqrt"), draw.whole(1)
    terms = {power: draw.whole(min(draw.digits, 3)) for power in range(draw.between(1, 3) + 1)}
    value = sum(factor * at**power for power, factor in terms.items())
    text = draw.one("Calculate", "Determine", "Give", "What is")
    end = "?" if text == "What is" else "."
    return f"Let {name}(x) = {_polynomial(terms, 'x')}. {text} {name}({at}){end}", str(value)


def _expand(draw: _Numbers) -> Problem:
    name, digits = draw.one(*"abcdfghjklmnpqrstuvwxyz"), min(draw.digits, 4)
    one, two = ({1: draw.other(digits), 0: draw.other(digits)} for _ in range(2))
    whole = {2: one[1] * two[1], 1: one[1] * two[0] + one[0] * two[1], 0: one[0] * two[0]}
    return f"Expand ({_polynomial(one, name)})*({_polynomial(two, name)}).", _polynomial(whole, name)


def _polynomial(terms: dict[int, int], name: str) -> str:
    """Terms by falling power, those with the factor 0 left out."""
    text = ""
    for power, factor in sorted(terms.items(), reverse=True):
        if not factor:
            continue
        sign = (" - " if factor < 0 else " + ") if text else "-" if factor < 0 else ""
        size = "" if abs(factor) == 1 and power else str(abs(factor)) + "*" * bool(power)
        text += sign + size + (name if power else "") + (f"**{power}" if power > 1 else "")
    return text or "0"


def _pair(draw: _Numbers) -> Problem:
    a, b = draw.whole(), draw.whole()
    b += a == b
    if draw.below(2):
        return draw.one(f"Which is bigger: {a} or {b}?", f"Which is greater: {a} or {b}?"), str(max(a, b))
    return draw.one(f"Which is smaller: {a} or {b}?", f"Which is less: {a} or {b}?"), str(min(a, b))


def _sort(draw: _Numbers) -> Problem:
    numbers = [draw.whole() for _ in range(draw.between(3, 6))]
    falling = bool(draw.below(2))
    text = draw.one("Sort", "Put") + " " + ", ".join(map(str, numbers))
    order = draw.one("descending", "decreasing") if falling else draw.one("ascending", "increasing")
    return f"{text} in {order} order.", ", ".join(map(str, sorted(numbers, reverse=falling)))


MODULES: dict[str, Callable[[_Numbers], Problem]] = {
    "algebra__linear_1d": _linear,
    "arithmetic__add_or_sub": _add_or_sub,
    "arithmetic__div": _div,
    "arithmetic__mixed": _mixed,
    "arithmetic__mul": _mul,
    "comparison__pair": _pair,
    "comparison__sort": _sort,
    "numbers__div_remainder": _remainder,
    "numbers__gcd": _gcd,
    "numbers__is_prime": _is_prime,
    "numbers__lcm": _lcm,
    "numbers__place_value": _place_value,
    "polynomials__evaluate": _evaluate,
    "polynomials__expand": _expand,
}
# Whose numbers are as long in every part.
_BOUNDED = frozenset({"arithmetic__mixed", "polynomials__evaluate", "polynomials__expand"})


def modules(part: str) -> tuple[str, ...]:
    """The modules that a part has."""
    return tuple(name for name in MODULES if part != "extrapolate" or name not in _BOUNDED)

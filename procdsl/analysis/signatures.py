"""The names of number sequences: how many words there are of each length often tells what was written.

A sequence is looked for as it stands and times a·bⁿ, as k-Dyck has kⁿ times the Catalan numbers. Sequences
and their numbers are those of the OEIS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb, factorial

# Fewer terms than this prove nothing, as two are spent on the factor.
LEAST = 5


def signature(counts: Sequence[int]) -> str | None:
    """What the numbers are called; None where they have no name here, or are too few.

    >>> signature([1, 2, 5, 14, 42, 132]), signature([3, 18, 135, 1134, 10206])
    ('Catalan numbers (A000108)', 'Catalan numbers (A000108) × 3ⁿ')
    >>> signature([4, 16, 64, 256, 1024]), signature([2, 3, 5, 8, 13, 21])
    ('powers of 4', 'Fibonacci numbers (A000045)')
    """
    if len(counts) < LEAST or not all(counts):
        return None
    if factor := _geometric(counts, [1] * len(counts)):
        return _power(*factor)
    for name, term in _SEQUENCES.items():
        for offset in (0, 1, 2, 3):
            known = [term(n) for n in range(offset, offset + len(counts))]
            if all(known) and (factor := _geometric(counts, known)):
                return name + _times(*factor)
    return None


def _geometric(counts: Sequence[int], known: Sequence[int]) -> tuple[Fraction, Fraction] | None:
    """a and b where counts[n] = a · bⁿ · known[n], b a whole number; the first term stands for n = 1."""
    ratios = [Fraction(count, one) for count, one in zip(counts, known, strict=True)]
    base = ratios[1] / ratios[0]
    if base.denominator > 1 or any(b != base * a for a, b in pairwise(ratios)):
        return None
    return ratios[0] / base, base


def _power(first: Fraction, base: Fraction) -> str:
    if base == 1:
        return "one word of each length" if first == 1 else f"{first} words of each length"
    return f"powers of {base}" if first == 1 else f"{first} · {base}ⁿ"


def _times(first: Fraction, base: Fraction) -> str:
    return (f" × {first}" if first != 1 else "") + (f" × {base}ⁿ" if base != 1 else "")


def _catalan(n: int) -> int:
    return comb(2 * n, n) // (n + 1)


def _recurrence(first: Sequence[int], step: Callable[[Sequence[int], int], int]) -> Callable[[int], int]:
    """A sequence by its first terms and the next one from those before."""
    terms = list(first)

    def term(n: int) -> int:
        while len(terms) <= n:
            terms.append(step(terms, len(terms)))
        return terms[n]

    return term


_SEQUENCES: dict[str, Callable[[int], int]] = {
    "Catalan numbers (A000108)": _catalan,
    "Motzkin numbers (A001006)": _recurrence(
        (1, 1), lambda a, n: ((2 * n + 1) * a[-1] + (3 * n - 3) * a[-2]) // (n + 2)
    ),
    "Fibonacci numbers (A000045)": _recurrence((1, 1), lambda a, n: a[-1] + a[-2]),
    "every other Fibonacci number (A001519)": _recurrence((1, 1), lambda a, n: 3 * a[-1] - a[-2]),
    "tribonacci numbers (A000073)": _recurrence((1, 1, 2), lambda a, n: a[-1] + a[-2] + a[-3]),
    "Jacobsthal numbers (A001045)": _recurrence((1, 1), lambda a, n: a[-1] + 2 * a[-2]),
    "Padovan numbers (A000931)": _recurrence((1, 1, 1), lambda a, n: a[-2] + a[-3]),
    "Narayana's cows (A000930)": _recurrence((1, 1, 1), lambda a, n: a[-1] + a[-3]),
    "(3ⁿ + 1) / 2 (A007051)": lambda n: (3**n + 1) // 2,
    "2ⁿ - 1 (A000225)": lambda n: 2**n - 1,
    "central binomial coefficients (A000984)": lambda n: comb(2 * n, n),
    "middle binomial coefficients (A001405)": lambda n: comb(n, n // 2),
    "large Schröder numbers (A006318)": _recurrence(
        (1, 2), lambda a, n: ((6 * n - 3) * a[-1] - (n - 2) * a[-2]) // (n + 1)
    ),
    "little Schröder numbers (A001003)": _recurrence(
        (1, 1), lambda a, n: ((6 * n - 3) * a[-1] - (n - 2) * a[-2]) // (n + 1)
    ),
    "products of Catalan neighbours, two shuffled stacks (A005568)": lambda n: _catalan(n) * _catalan(n + 1),
    "ternary trees (A001764)": lambda n: comb(3 * n, n) // (2 * n + 1),
    "whole numbers": lambda n: n,
    "odd numbers": lambda n: 2 * n + 1,
    "squares": lambda n: n * n,
    "triangular numbers": lambda n: n * (n + 1) // 2,
    "factorials": factorial,
}

"""Word functions of numbers, which are whole and not negative, and of their digits, first one first."""

from __future__ import annotations

from itertools import accumulate

from procdsl.grammars.words import Extent, number, word_function

Word = list[int]
# Values fit 64 bits: what can pass this is no number of one token.
GREATEST = 10**18
SIGNS = ("+", "-", "*", "(", ")")


def _digit_count(value: int) -> int:
    return len(str(value))


def _written(value: Extent) -> Extent:
    return Extent(_digit_count(value.low), _digit_count(min(value.high, GREATEST)), 0, 9)


def _apart(a: Extent, b: Extent) -> Extent:
    return number(max(a.low - b.high, b.low - a.high, 0), max(a.high - b.low, b.high - a.low))


def _left_over(word: Extent, by: Extent) -> Extent:
    return word._replace(low=0, high=max(by.high - 1, 0) if by.low else max(word.high, by.high - 1))


def _residue(word: Extent, by: Extent, *_: Extent) -> Extent:
    # The product of two of them fits 64 bits.
    return number(0, max(by.high - 1, 0) if by.high <= 2**31 else GREATEST + 1)


@word_function("numbers -> number", lambda word: number(word.least * word.low, word.most * word.high))
def sum_(word: Word) -> int:
    """The numbers added up.

    >>> sum_([3, 1, 2])
    6
    """
    return sum(word)


@word_function("numbers -> numbers", lambda word: word._replace(high=word.most * word.high))
def prefix_sums(word: Word) -> Word:
    """The sum of the numbers up to each.

    >>> prefix_sums([3, 1, 2])
    [3, 4, 6]
    """
    return list(accumulate(word))


@word_function("numbers, number -> numbers", _left_over)
def mod(word: Word, by: int) -> Word:
    """What is left of each number when it is divided; all of it by 0.

    >>> mod([3, 11, 5], 5)
    [3, 1, 0]
    """
    return [value % by if by else value for value in word]


@word_function("numbers -> number", lambda word: number(0, 1))
def parity(word: Word) -> int:
    """1 if the sum of the numbers is odd, else 0.

    >>> parity([1, 0, 1, 1])
    1
    """
    return sum(word) % 2


@word_function("number, number -> number", lambda a, b: number(a.low + b.low, a.high + b.high))
def plus(a: int, b: int) -> int:
    """The sum of two numbers.

    >>> plus(7, 8)
    15
    """
    return a + b


@word_function("number, number -> number", _apart)
def minus(a: int, b: int) -> int:
    """How far two numbers are apart.

    >>> minus(7, 8)
    1
    """
    return abs(a - b)


@word_function("number, number -> number", lambda a, b: number(a.low * b.low, a.high * b.high))
def times(a: int, b: int) -> int:
    """The product of two numbers.

    >>> times(7, 8)
    56
    """
    return a * b


@word_function("word, word -> number", lambda a, b: number(0, 2))
def compare(a: Word, b: Word) -> int:
    """0 if the first word is before the second, 1 if they are alike, 2 if it is behind: shorter words first.

    >>> compare([9], [1, 0])
    0
    """
    one, other = (len(a), a), (len(b), b)
    return 1 + (one > other) - (one < other)


@word_function("number -> digits", _written)
def digits(value: int) -> Word:
    """The decimal digits of a number.

    >>> digits(507)
    [5, 0, 7]
    """
    return _digits(value)


@word_function("digits, digits -> digits", lambda a, b: Extent(1, max(a.most, b.most, 1) + 1, 0, 9))
def add(a: Word, b: Word) -> Word:
    """The sum of two numbers written in digits, without leading zeros.

    >>> add([9, 5], [7])
    [1, 0, 2]
    """
    return _digits(_value(a) + _value(b))


@word_function("digits, digits -> digits", lambda a, b: Extent(1, max(a.most, b.most, 1), 0, 9))
def subtract(a: Word, b: Word) -> Word:
    """How far two numbers written in digits are apart, without leading zeros.

    >>> subtract([1, 0, 2], [7])
    [9, 5]
    """
    return _digits(abs(_value(a) - _value(b)))


@word_function("digits, digits -> digits", lambda a, b: Extent(1, max(a.most + b.most, 1), 0, 9))
def multiply(a: Word, b: Word) -> Word:
    """The product of two numbers written in digits, without leading zeros.

    >>> multiply([2, 5], [4])
    [1, 0, 0]
    """
    return _digits(_value(a) * _value(b))


@word_function("word, number -> number", _residue, signs=SIGNS)
def value(word: Word, by: int, signs: Word) -> int:
    """What an expression of digits, `+ - *` and parentheses comes to, modulo a number of up to 2³¹.

    Before a value a sign is its own, as in `2 * - 3`. Other symbols are passed over, what is open is closed
    at the end; all of it is 0 by 0.

    >>> value([2, 10, 3, 12, 13, 4, 11, 1, 14], 100, [10, 11, 12, 13, 14])
    11
    """
    plus, minus, times, opens, closes = signs
    by = max(by, 1)
    # What waits outside each parenthesis: a sum, and what the next factor is multiplied by.
    outside = list[tuple[int, int]]()
    total, factor, current, due = 0, 1, 0, True
    for symbol in word:
        if symbol == times:
            factor, current, due = factor * current % by, 0, True
        elif symbol in (plus, minus):
            if not due:
                total, factor, current, due = (total + factor * current) % by, 1, 0, True
            factor = factor if symbol == plus else -factor % by
        elif symbol == opens:
            outside.append((total, factor))
            total, factor, current, due = 0, 1, 0, True
        elif symbol == closes and outside:
            current, due = (total + factor * current) % by, False
            total, factor = outside.pop()
        elif symbol <= 9:
            current, due = (10 * current + symbol) % by, False
    while outside:
        current = (total + factor * current) % by
        total, factor = outside.pop()
    return (total + factor * current) % by


def _digits(value: int) -> Word:
    return [int(digit) for digit in str(value)]


def _value(word: Word) -> int:
    return int("".join(map(str, word)) or "0")

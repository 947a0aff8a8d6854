"""Word functions: their worked examples, their bounds, and their kernels."""

from __future__ import annotations

import doctest
import inspect
from random import Random
from typing import Any

import numpy as np
import pytest

from procdsl.grammars.words import word_functions
from runner.generators.word_functions import NAMES, Registers, apply

FUNCTIONS = word_functions()
every_function = pytest.mark.parametrize("name", FUNCTIONS)


@every_function
def test_the_worked_example_is_true(name: str) -> None:
    meaning = FUNCTIONS[name].meaning
    finder = doctest.DocTestFinder()
    (found,) = finder.find(meaning, meaning.__name__, globs=dict(vars(inspect.getmodule(meaning))))
    assert found.examples, "every word function shows an example"
    assert doctest.DocTestRunner().run(found).failed == 0


@every_function
def test_values_are_within_bounds_and_the_kernel_agrees(name: str) -> None:
    function, random = FUNCTIONS[name], Random(name)
    for _ in range(200):
        arguments = [_argument(type, random) for type in function.parameters]
        if function.repeats:
            arguments += [_argument(function.parameters[-1], random) for _ in range(random.randrange(3))]
        value = function.meaning(*arguments)
        bounds = [(len(a), len(a)) if isinstance(a, list) else (a, a) for a in arguments]
        least, most = function.bounds(*bounds)
        assert least <= (len(value) if isinstance(value, list) else value) <= most
        assert _by_kernel(name, arguments, most) == (value if isinstance(value, list) else [value])


def _argument(type: str, random: Random) -> Any:
    return (
        [random.randrange(9) for _ in range(random.randrange(80))] if type == "word" else random.randrange(9)
    )


def _by_kernel(name: str, arguments: list[Any], most: int) -> list[int]:
    words = [np.array(a if isinstance(a, list) else [a], np.int64) for a in arguments]
    lengths = np.array([word.size for word in words])
    registers = Registers(
        np.concatenate(words), np.cumsum([0, *lengths])[:-1], lengths, np.zeros(9, np.bool_)
    )
    out = np.zeros(max(most, 1), np.int64)
    size = apply(NAMES.index(name), 0, registers, np.arange(len(words)), out)
    assert not registers.seen.any()
    return list(out[:size].tolist())

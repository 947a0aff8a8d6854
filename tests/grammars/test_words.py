"""Word functions: their worked examples, their bounds, and their kernels."""

from __future__ import annotations

import doctest
import inspect
from itertools import pairwise
from random import Random
from typing import Any

import networkx
import numpy as np
import pytest

from procdsl.grammars.words import Extent, word_functions
from procdsl.groups import products, spellings
from runner.generators.word_functions import NAMES, Registers, apply, begins, size_of

FUNCTIONS = word_functions()
GROUP = "S3"
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def test_paths_are_as_short_as_networkx_finds_them() -> None:
    random, meaning = Random(3), FUNCTIONS["shortest_path"].meaning
    for _ in range(300):
        edges = [random.randrange(8) for _ in range(2 * random.randrange(1, 10))]
        graph = networkx.Graph(zip(edges[::2], edges[1::2], strict=True))
        start, goal = random.choice(edges), random.choice(edges)
        path = meaning(edges, start, goal)
        if not networkx.has_path(graph, start, goal):
            assert path == []
            continue
        assert len(path) == networkx.shortest_path_length(graph, start, goal) + 1
        assert (path[0], path[-1]) == (start, goal)
        assert all(graph.has_edge(*step) for step in pairwise(path))


def test_every_function_has_a_kernel() -> None:
    assert {*NAMES} == {*FUNCTIONS, "number"}


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
        types = [*function.parameters]
        if function.repeats:
            types += [function.parameters[-1]] * random.randrange(3)
        arguments = [_argument(type, random) for type in types]
        table = [products(GROUP)] if "elements" in types else []
        signs = [list(range(3, 3 + len(function.signs)))] if function.signs else []
        value = function(*arguments, *table, *signs)
        extent = function.bounds(*map(_extent, types, arguments))
        if "elements" in types:
            # A word over a group may hold any of its elements.
            extent = extent._replace(low=0, high=5)
        found = _extent(function.result, value)
        assert extent.least <= found.least <= extent.most
        if [symbol for symbol in value if symbol != []]:
            assert extent.low <= found.low <= found.high <= extent.high
            assert extent.inner[0] <= found.inner[0] <= found.inner[1] <= extent.inner[1]
        most = extent.most * {"pairs": 2, "words": 3}.get(function.result, 1)
        told = ["numbers"] * len(signs)
        assert _by_kernel(name, [*types, *told], [*arguments, *signs], most) == value


def _argument(type: str, random: Random) -> Any:
    match type:
        case "number" | "one":
            return [random.randrange(9)]
        case "words":
            return [_argument("word", random) for _ in range(random.randrange(1, 5))]
        case "mapping":
            keys = random.sample(range(9), random.randrange(9))
            return [id for key in keys for id in (key, random.randrange(9))]
        case "digits":
            return list(map(int, str(random.randrange(10 ** random.randrange(30)))))
        case "elements":
            return [random.randrange(6) for _ in range(random.randrange(20))]
    most = random.choice((3, 9, 2**40)) if type == "numbers" else 9
    return [random.randrange(most) for _ in range(random.randrange(random.choice((4, 80))))]


def _extent(type: str, value: Any) -> Extent:
    """What is known of a value when it is there."""
    if type in ("mapping", "pairs"):
        keys, values = value[::2] or [0], value[1::2] or [0]
        return Extent(len(value) // 2, len(value) // 2, min(keys), max(keys), (min(values), max(values)))
    inner = (0, 0)
    flat = value
    if value and isinstance(value[0], list):
        inner = (min(map(len, value)), max(map(len, value)))
        flat = [symbol for word in value for symbol in word]
    low, high = min(flat, default=0), max(flat, default=0)
    return Extent(len(value), len(value), low, high, inner)


def _by_kernel(name: str, types: list[str], arguments: list[Any], most: int) -> list[Any]:
    words = [word for a, type in zip(arguments, types, strict=True) if type == "words" for word in a]
    starts = np.cumsum([0, *map(len, words)])
    handles = iter([int(start) << 24 | len(word) for start, word in zip(starts, words, strict=False)])
    flat = [
        [next(handles) for _ in a] if type == "words" else a for a, type in zip(arguments, types, strict=True)
    ]
    memory = np.array([id for word in (*words, *flat) for id in word] + [0] * (most + 1), np.int64)
    lengths = np.array([len(word) for word in flat])
    first = starts[-1] + np.cumsum([0, *lengths])
    table = [6, *(product for row in products(GROUP) for product in row)]
    registers = Registers(
        memory, first, lengths, np.zeros(9, np.int64), np.zeros(9, np.int64), np.array(table)
    )
    size = apply(NAMES.index(name), 0, 0, registers, np.arange(len(flat)), first[-1])
    assert not registers.marks.any()
    value: list[int] = memory[first[-1] : first[-1] + size].tolist()
    if FUNCTIONS[name].result != "words":
        return value
    return [memory[begins.py_func(h) : begins.py_func(h) + size_of.py_func(h)].tolist() for h in value]


@pytest.mark.parametrize(("name", "order"), [("S5", 120), ("A5", 60), ("Z60", 60), ("S3 x Z4", 24)])
def test_groups_are_groups(name: str, order: int) -> None:
    table = np.array(products(name))
    assert table.shape == (order, order)
    assert len(set(spellings(name))) == order
    assert (table[0] == np.arange(order)).all()
    assert (np.sort(table, axis=0) == np.arange(order)[:, None]).all()
    random = np.random.default_rng(0).integers(0, order, (3, 1_000))
    assert (
        table[table[random[0], random[1]], random[2]] == table[random[0], table[random[1], random[2]]]
    ).all()


def test_products_of_permutations_apply_the_left_one_first() -> None:
    table, spelt = products("S5"), spellings("S5")
    a, b = spelt.index("12034"), spelt.index("10234")
    assert spelt[table[a][b]] == "02134"

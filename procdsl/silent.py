"""Rules without terminals: the weights of the empty word, and of symbols that stand for others by themselves.

Both are systems of equations, solved in one fixed order of + - * /, so that plans come out alike everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Silent = Sequence[tuple[int, tuple[int, ...], float]]


def empty_words(count: int, rules: Silent) -> list[float]:
    """The weight of the empty word from each nonterminal: the least fixed point, part by part."""
    found = [0.0] * count
    nullable = _nullable(rules)
    used: dict[int, list[tuple[tuple[int, ...], float]]] = {a: [] for a in nullable}
    for a, children, weight in rules:
        if a in nullable and nullable.issuperset(children):
            used[a].append((children, weight))
    edges = [{b: 0.0 for children, _ in used.get(a, ()) for b in children} for a in range(count)]
    for part in components(count, edges):
        if part[0] in nullable:
            _newton(part, used, found)
    return found


def _newton(part: list[int], used: Any, found: list[float]) -> None:
    """The weights of the empty word of mutually dependent nonterminals, by Newton's method from below."""
    places = {a: i for i, a in enumerate(part)}
    for _ in range(64):
        image, slope = [0.0] * len(part), [[0.0] * len(part) for _ in part]
        for a, i in places.items():
            for children, weight in used[a]:
                image[i] += weight * product([found[c] for c in children])
                for j, c in enumerate(children):
                    if c in places:
                        others = [found[d] for k, d in enumerate(children) if k != j]
                        slope[i][places[c]] += weight * product(others)
        step = _solved(slope, [image[i] - found[a] for a, i in places.items()])
        # From below the steps go up; where they do not, there is no fixed point.
        if not all(-1e-9 <= move < math.inf for move in step):
            raise ValueError("the empty word has endlessly many derivations")
        if max(abs(move) for move in step) <= 1e-16:
            break
        for a, i in places.items():
            found[a] += step[i]
    if any(not found[a] <= 1e12 for a in part):
        raise ValueError("the empty word has endlessly many derivations")


def _nullable(rules: Silent) -> set[int]:
    found = set[int]()
    while more := {a for a, children, _ in rules if a not in found and found.issuperset(children)}:
        found |= more
    return found


def unit_edges(count: int, rules: Silent, empty: Sequence[Any]) -> list[dict[int, Any]]:
    """U: edges[A][B] is the weight of B standing alone for A, its siblings empty."""
    edges: list[dict[int, Any]] = [{} for _ in range(count)]
    for a, children, weight in rules:
        for i, b in enumerate(children):
            alone = weight * product([empty[c] for j, c in enumerate(children) if j != i])
            if alone:
                edges[a][b] = edges[a].get(b, 0.0) + alone
    return edges


def components(count: int, edges: Sequence[dict[int, float]]) -> list[list[int]]:
    """Strongly connected components, those that others need first (Tarjan 1972, without recursion)."""
    number: dict[int, int] = {}
    low, on_path, path, found = dict[int, int](), set[int](), list[int](), list[list[int]]()
    for root in range(count):
        stack = [(root, iter(edges[root]))] if root not in number else []
        while stack:
            a, successors = stack[-1]
            if a not in number:
                number[a] = low[a] = len(number)
                path.append(a)
                on_path.add(a)
            for b in successors:
                if b not in number:
                    stack.append((b, iter(edges[b])))
                    break
                if b in on_path:
                    low[a] = min(low[a], number[b])
            else:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[a])
                if low[a] == number[a]:
                    cut = path.index(a)
                    found.append(path[cut:])
                    on_path.difference_update(path[cut:])
                    del path[cut:]
    return found


def inverses(parts: Sequence[list[int]], edges: Sequence[dict[int, float]]) -> tuple[list[float], list[int]]:
    """(I - U)^-1 of each part, flat, and where each begins. ValueError where U does not die out."""
    flat, starts = list[float](), list[int]()
    for part in parts:
        starts.append(len(flat))
        within = [[edges[a].get(b, 0.0) for b in part] for a in part]
        columns = [_solved(within, [float(i == j) for i in range(len(part))]) for j in range(len(part))]
        if any(not 0 <= value < 1e12 for column in columns for value in column):
            raise ValueError("unit rules form a cycle in which a word has endlessly many derivations")
        flat += [columns[j][i] for i in range(len(part)) for j in range(len(part))]
    return flat, starts


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """x of (I - matrix) x = right, by Gaussian elimination with row pivots; NaN where there is none."""
    size = len(right)
    rows = [[float(i == j) - matrix[i][j] for j in range(size)] + [right[i]] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        if rows[pivot][i] == 0:
            return [math.nan] * size
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i], strict=True)]
    solution = [0.0] * size
    for i in reversed(range(size)):
        known = total_of([rows[i][j] * solution[j] for j in range(i + 1, size)])
        solution[i] = (rows[i][size] - known) / rows[i][i]
    return solution


def product(values: Sequence[Any]) -> Any:
    """Factor by factor, in order."""
    total = 1.0
    for value in values:
        total *= value
    return total


def total_of(values: Sequence[float]) -> float:
    """Their sum, in order."""
    total = 0.0
    for value in values:
        total += value
    return total

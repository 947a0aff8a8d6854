"""Rules as a branching process, when nobody fixes the length: does it stop, and how long are its words?

Grenander 1967; Soule 1974; Chi 1999. M[A][B] is how many B a derivation step from A makes on average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from procdsl.programs.tree import TreeShape
from procdsl.silent import components
from procdsl.trees import flattened, plain_inside, tilts

Shapes = Sequence[TreeShape]


def radius(shapes: Shapes) -> float:
    """The spectral radius of M: under 1, words are short and end; over 1, some never do."""
    import numpy as np

    edges = _offspring(shapes)
    largest = 0.0
    for part in components(len(edges), edges):
        matrix = np.array([[edges[a].get(b, 0.0) for b in part] for a in part])
        largest = max(largest, float(np.abs(np.linalg.eigvals(matrix)).max()))
    return largest


def terminates(shapes: Shapes) -> float:
    """The probability that a derivation from the start symbol ends."""
    found = [0.0] * len(_offspring(shapes))
    for _ in range(100_000):
        image = [0.0] * len(found)
        for shape in shapes:
            image[shape.head] += math.fsum(shape.weights) * math.prod(found[c] for c in shape.children)
        if max(abs(a - b) for a, b in zip(image, found, strict=True)) < 1e-14:
            break
        found = image
    return found[0]


def expected_length(shapes: Shapes) -> float:
    """The mean length of a word; infinite where the radius is 1 or more."""
    import numpy as np

    if radius(shapes) >= 1:
        return math.inf
    # The symbols of every step of a derivation, on average: e_S (I - M)^-1 symbols.
    edges = _offspring(shapes)
    matrix: Any = np.eye(len(edges))
    for a, row in enumerate(edges):
        for b, mean in row.items():
            matrix[a, b] -= mean
    symbols = np.zeros(len(edges))
    for shape in shapes:
        symbols[shape.head] += math.fsum(shape.weights) * len(shape.members[0])
    return float(np.linalg.solve(matrix, symbols)[0])


def _offspring(shapes: Shapes) -> list[dict[int, float]]:
    count = 1 + max(max((shape.head, *shape.children)) for shape in shapes)
    edges: list[dict[int, float]] = [{} for _ in range(count)]
    for shape in shapes:
        weight = math.fsum(shape.weights)
        for child in shape.children:
            edges[shape.head][child] = edges[shape.head].get(child, 0.0) + weight
    return edges


def lengths(shapes: Shapes, longest: int) -> list[float]:
    """How likely the rules make a word of each length up to `longest`."""
    flat = flattened(tuple(shapes))
    alpha, _ = plain_inside(flat, tilts(1.0, flat.slots), longest)
    return alpha[0]

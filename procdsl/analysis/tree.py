"""Trees: the entropy of derivations of a length, which is that of words where each has one derivation.

H(D | n) = ln Z - r / Z, where Z sums the weights w of all derivations and r sums w ln w. As r is the slope
of Z in a common exponent of all weights, it is the imaginary part of Z for the weights w ** (1 + ih), over h
(Squire & Trapp 1998): every step to Z is analytic, so the tables are the sampler's, in complex numbers.

Where words may have several derivations, who knows the tree but not the terminals that its productions chose
among alike knows where each stands: words have at least the entropy of these choices. It is the mean, over
trees, of a sum over their productions, and so a slope as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from procdsl.analysis.rows import exactly
from procdsl.grammars.rules.ambiguity import derived_once
from procdsl.programs.base import Interval
from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.silent import product, unit_edges
from procdsl.trees import Structure, structure, tilt, vector_inside

_H = 1e-30


def entropy(program: TreeProgram, length: int) -> Interval:
    """Nats a word: exact where it is proved that every word has one derivation, else between two bounds."""
    low, high = entropies(program)
    return exactly(float(high[length])) if low is high else Interval(low=low[length], high=high[length])


def chance(program: TreeProgram) -> float | None:
    """How often the likeliest symbol occurs is not computed."""
    return None


def entropies(program: TreeProgram) -> tuple[Any, Any]:
    """The bounds of the entropy of a word of each length; NaN where there is none. One array if exact."""
    import numpy as np

    high = _entropies(program)
    return (high, high) if derived_once(program) else (np.minimum(_chosen(program), high), high)


def log_weights(program: TreeProgram) -> Any:
    """ln of the weight of all derivations of each length."""
    import numpy as np

    step, longest = tilt(program), program.lengths.values[-1]
    with np.errstate(divide="ignore"):
        found = np.log(vector_inside(structure(program), step, longest)[0][0])
    return found - np.arange(longest + 1) * math.log(step)


@lru_cache(maxsize=16)
def _entropies(program: TreeProgram) -> Any:
    """The entropy of the derivations of each length; NaN where there are none."""
    import numpy as np

    slopes = [math.fsum(w * math.log(w) for w in shape.weights) for shape in _by_head(program)]
    weights, mean = _slope(program, slopes)
    with np.errstate(divide="ignore"):
        return np.log(weights) - np.arange(len(weights)) * math.log(tilt(program)) - mean


@lru_cache(maxsize=16)
def _chosen(program: TreeProgram) -> Any:
    """The entropy of the terminals that productions choose, to who knows the tree; NaN where none is."""
    return _slope(program, [_choice(shape) for shape in _by_head(program)])[1]


def _choice(shape: TreeShape) -> float:
    """Nats of the terminals of a production, times its weight."""
    alike: dict[tuple[int, ...], float] = {}
    for member, weight in zip(shape.members, shape.weights, strict=True):
        alike[member] = alike.get(member, 0.0) + weight
    whole = math.fsum(alike.values())
    return whole * math.log(whole) - math.fsum(w * math.log(w) for w in alike.values())


def _by_head(program: TreeProgram) -> list[TreeShape]:
    return sorted(program.shapes, key=lambda shape: shape.head)


def _slope(program: TreeProgram, slopes: Sequence[float]) -> tuple[Any, Any]:
    """Of each length the tilted weight of all derivations, and the mean of slopes over weights along them."""
    import numpy as np

    sloped = _sloped(program, slopes)
    alpha, _ = vector_inside(sloped, tilt(program), program.lengths.values[-1], number=complex)
    weight, slope = alpha[0].real, alpha[0].imag / _H
    with np.errstate(divide="ignore", invalid="ignore"):
        return weight, slope / weight


def _sloped(program: TreeProgram, slopes: Sequence[float]) -> Structure:
    """The program's structure with these slopes of its productions' weights, over h, as imaginary parts."""
    import numpy as np

    flat, shapes = structure(program), _by_head(program)
    weight = [complex(w, _H * slope) for w, slope in zip(flat.weight, slopes, strict=True)]
    silent: list[tuple[int, tuple[int, ...], Any]] = [
        (shape.head, shape.children, w)
        for shape, w in zip(shapes, weight, strict=True)
        if not shape.members[0]
    ]
    empty = _empty(flat.empty, silent)
    edges = unit_edges(len(empty), silent, empty)
    inverse = list[complex]()
    for begin, end in zip(flat.parts, flat.parts[1:], strict=False):
        part = flat.order[begin:end]
        within = np.array([[edges[a].get(b, 0.0) for b in part] for a in part])
        inverse += list(np.linalg.inv(np.eye(len(part)) - within).ravel())
    unit_by = [edges[a][b] for a in range(len(empty)) for b in flat.unit_to[flat.unit[a] : flat.unit[a + 1]]]
    return flat._replace(weight=weight, empty=empty, inverse=inverse, unit_by=unit_by)


def _empty(real: list[float], silent: Sequence[tuple[int, tuple[int, ...], Any]]) -> list[complex]:
    """The weight of the empty word: its slope solves a linear system, given the weight itself."""
    import numpy as np

    places = {a: i for i, a in enumerate(a for a, value in enumerate(real) if value)}
    slope, matrix = np.zeros(len(places)), np.eye(len(places))
    for a, children, weight in silent:
        if a in places and all(c in places for c in children):
            slope[places[a]] += weight.imag / _H * product([real[c] for c in children])
            for i, c in enumerate(children):
                others = product([real[d] for j, d in enumerate(children) if j != i])
                matrix[places[a], places[c]] -= weight.real * others
    solved = np.linalg.solve(matrix, slope)
    return [complex(value, _H * solved[places[a]]) if a in places else 0j for a, value in enumerate(real)]

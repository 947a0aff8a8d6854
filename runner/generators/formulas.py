"""Values of the formulas of machines and templates, as `procdsl.grammars._formulas` says."""

from __future__ import annotations

import numpy as np
from numba import int64

from runner.generators.compiling import kernel

OPERATORS = (
    *("number", "t", "T", "size", "not", "if", "or", "and", "<", "<=", ">", ">=", "==", "!=", "+", "-", "*"),
    *("//", "%"),
)
DEEPEST = 64


@kernel
def formula(operators, numbers, first, last, t, steps, sizes, stack):
    """The value of the formula from first to last; of none, 1. `stack` has room for `DEEPEST` numbers."""
    if first == last:
        return 1.0
    top = 0
    for j in range(first, last):
        operator = operators[j]
        if operator == 0:
            stack[top] = numbers[j]
            top += 1
        elif operator == 1:
            stack[top] = t
            top += 1
        elif operator == 2:
            stack[top] = steps
            top += 1
        elif operator == 3:
            stack[top] = sizes[int64(numbers[j])]
            top += 1
        elif operator == 4:
            stack[top - 1] = 1.0 if stack[top - 1] == 0 else 0.0
        elif operator == 5:
            top -= 2
            stack[top - 1] = stack[top - 1] if stack[top] != 0 else stack[top + 1]
        else:
            top -= 1
            stack[top - 1] = _applied(operator, stack[top - 1], stack[top])
    return stack[0]


@kernel
def _applied(operator, a, b):
    if operator == 6:
        return 1.0 if a != 0 or b != 0 else 0.0
    if operator == 7:
        return 1.0 if a != 0 and b != 0 else 0.0
    if operator == 8:
        return 1.0 if a < b else 0.0
    if operator == 9:
        return 1.0 if a <= b else 0.0
    if operator == 10:
        return 1.0 if a > b else 0.0
    if operator == 11:
        return 1.0 if a >= b else 0.0
    if operator == 12:
        return 1.0 if a == b else 0.0
    if operator == 13:
        return 1.0 if a != b else 0.0
    if operator == 14:
        return a + b
    if operator == 15:
        return a - b
    if operator == 16:
        return a * b
    whole = np.floor(a / b) if b != 0 else 0.0
    if operator == 17:
        return whole
    return a - whole * b if b != 0 else 0.0

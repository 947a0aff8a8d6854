"""A number of several sequences at once: one vector of floats, with a lane for each sequence.

Kernels over lanes are written as for one sequence, and every value that is not an index is a vector: nothing
is left to the compiler's own vectoriser. Arrays of lanes are float32 with the lanes as their last axis.
"""

from __future__ import annotations

import operator
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

# As many as the widest register holds: 16 floats of AVX-512, else 8.
LANES = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_VECTOR, _INTS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
# a * b + c may be rounded once; nan and infinity are kept, for training looks for them.
_FLAGS = ("contract", "nsz")


class _Lanes(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name=f"lanes{LANES}")


lanes = _Lanes()


@register_model(_Lanes)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _vector(context, builder, kind, value):
    """A value as lanes: a scalar stands in each of them."""
    if kind == lanes:
        return value
    value = context.cast(builder, value, kind, types.float32)
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INT(0))
    return builder.shuffle_vector(first, first, ir.Constant(_INTS, [0] * LANES))


def _arithmetic(symbol: Any, instruction: str) -> None:
    scalars = (types.float32, types.float64)
    pairs = [(lanes, lanes), *((lanes, s) for s in scalars), *((s, lanes) for s in scalars)]

    cases = [signature(lanes, *pair) for pair in pairs]
    infer_global(symbol)(type("Arithmetic", (ConcreteTemplate,), {"cases": cases}))

    def lower(context, builder, sig, args):
        one, other = (
            _vector(context, builder, kind, value) for kind, value in zip(sig.args, args, strict=True)
        )
        return getattr(builder, instruction)(one, other, flags=_FLAGS)

    for pair in pairs:
        lower_builtin(symbol, *pair)(lower)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def _place(context, builder, sig, args):
    """The address of the lanes array[i, j], for indices that are in it."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    columns = builder.extract_value(array.shape, 1)
    i, j = (context.cast(builder, args[n], sig.args[n], types.intp) for n in (1, 2))
    floats = builder.mul(builder.add(builder.mul(i, columns), j), context.get_constant(types.intp, LANES))
    return builder.bitcast(builder.gep(array.data, [floats]), _VECTOR.as_pointer())


@intrinsic
def at(context, array, i, j):
    """The lanes array[i, j]."""

    def code(context, builder, sig, args):
        return builder.load(_place(context, builder, sig, args), align=4)

    return lanes(array, i, j), code


@intrinsic
def put(context, array, i, j, value):
    """array[i, j] = value."""

    def code(context, builder, sig, args):
        builder.store(args[3], _place(context, builder, sig, args), align=4)
        return context.get_dummy_value()

    return types.void(array, i, j, lanes), code


@intrinsic
def every(context, value):
    """The number in every lane."""
    return lanes(value), lambda context, builder, sig, args: _vector(context, builder, sig.args[0], args[0])


@intrinsic
def larger(context, one, other):
    """The larger of both, `other` where one of them is nan."""

    def code(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return lanes(lanes, lanes), code


@intrinsic
def where_less(context, one, other, then, otherwise):
    """`then` in the lanes where one < other."""

    def code(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), code


def _unary(name: str) -> Any:
    def code(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{LANES}f32")
        return builder.call(function, args)

    return code


@intrinsic
def nearest(context, value):
    """The nearest whole numbers."""
    return lanes(lanes), _unary("llvm.rint")


@intrinsic
def root(context, value):
    """Square roots."""
    return lanes(lanes), _unary("llvm.sqrt")


@intrinsic
def power_of_two(context, whole):
    """2 to the power of whole numbers from -126 to 127."""

    def code(context, builder, sig, args):
        exponent = builder.add(builder.fptosi(args[0], _INTS), ir.Constant(_INTS, [127] * LANES))
        return builder.bitcast(builder.shl(exponent, ir.Constant(_INTS, [23] * LANES)), _VECTOR)

    return lanes(lanes), code


@intrinsic
def total(context, value):
    """The sum over the lanes, in a fixed order: halves onto halves."""

    def code(context, builder, sig, args):
        value, width = args[0], LANES
        while width > 1:
            width //= 2
            half = [
                ir.Constant(ir.VectorType(_INT, width), [*range(first, first + width)])
                for first in (0, width)
            ]
            value = builder.fadd(*(builder.shuffle_vector(value, value, mask) for mask in half))
        return builder.extract_element(value, _INT(0))

    return types.float32(lanes), code

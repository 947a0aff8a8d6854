"""Amounts with units as a spec writes them: ``2.05B tokens``, ``500 steps``, ``0.3% of c4_only.text``."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from procdsl.kinds import Node
from procdsl.language.base import NAME

_SCALES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_NUMBER = r"(?P<number>[0-9][0-9_]*(?:\.[0-9]+)?)"
_AMOUNT = re.compile(rf"{_NUMBER}\s*(?P<scale>[kKMBT]?)\s*(?P<unit>tokens?|steps?|rows?)?")
_PERCENT = re.compile(rf"{_NUMBER}\s*%(?:\s+of\s+(?P<anchor>{NAME}(?:\.{NAME})?))?")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%\s*\.\.\s*([0-9]+(?:\.[0-9]+)?)\s*%")
_RANGE = re.compile(r"([0-9]{1,9})\s*\.\.\s*([0-9]{1,9})")
# Beyond this no budget means anything, and arithmetic on it only hides the slip of a key.
_MOST = 10**18

Unit = Literal["tokens", "steps", "rows", "%"]


class Quantity(Node):
    """An exact amount of something; of the phase `anchor` when it is a share of that phase's tokens."""

    amount: Decimal
    unit: Unit
    anchor: str | None = None

    def __str__(self) -> str:
        if self.unit == "%":
            return f"{self.amount}%" + (f" of {self.anchor}" if self.anchor else "")
        whole = self.amount.to_integral_value()
        return f"{whole if whole == self.amount else self.amount:,} {self.unit}"

    @property
    def share(self) -> Fraction:
        """A percentage as a part of one."""
        assert self.unit == "%", f"{self} is no share"
        return Fraction(self.amount) / 100


def parse(value: Any, *, bare: Unit, units: tuple[Unit, ...], example: str) -> Quantity:
    """A quantity in one of these units; a bare number is in `bare`. ValueError says what would be one.

    >>> print(parse("2.05B tokens", bare="tokens", units=("tokens",), example="655M"))
    2,050,000,000 tokens
    """
    quantity = value if isinstance(value, Quantity) else _read(value, bare)
    if quantity is None or quantity.unit not in units:
        raise _refusal(value, example)
    if quantity.unit != "%" and quantity.amount != quantity.amount.to_integral_value():
        raise _refusal(value, example, f"is not a whole number of {quantity.unit}")
    if quantity.amount > _MOST:
        raise _refusal(value, example, "is more than anybody could mean")
    return quantity


def _read(value: Any, bare: Unit) -> Quantity | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Quantity(amount=Decimal(str(value)), unit=bare) if value >= 0 else None
    if not isinstance(value, str) or len(value) > 200:
        return None
    if found := _PERCENT.fullmatch(value.strip()):
        return Quantity(amount=_number(found), unit="%", anchor=found["anchor"])
    if found := _AMOUNT.fullmatch(value.strip()):
        unit = (found["unit"] or bare).rstrip("s") + "s"
        return Quantity.model_validate({"amount": _number(found) * _SCALES[found["scale"]], "unit": unit})
    return None


def _number(found: re.Match[str]) -> Decimal:
    return Decimal(found["number"].replace("_", ""))


def _refusal(
    value: Any, example: str, why: str = "is not a quantity that can stand here"
) -> PydanticCustomError:
    shown = repr(value)[:60]
    return PydanticCustomError(
        "quantity", "{value} {why}; write {example}", {"value": shown, "why": why, "example": example}
    )


def _quantity(bare: Unit, units: tuple[Unit, ...], example: str) -> Any:
    def read(value: Any) -> Quantity:
        return parse(value, bare=bare, units=units, example=example)

    schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": [example]}]}
    return Annotated[Quantity, BeforeValidator(read), WithJsonSchema(schema)]


TokenBudget = _quantity("tokens", ("tokens", "%"), "655M, 2.05B tokens or 55% of baseline.text")
StepBudget = _quantity("steps", ("steps",), "500 or 500 steps")
Stretch = _quantity("steps", ("steps", "%"), "500 steps or 10% (of the phase)")
Cadence = _quantity("steps", ("steps", "tokens", "%"), "500 steps, 10M tokens or 5% (of the phase)")


class Span(Node):
    """A stretch of a phase, in parts of one."""

    start: Fraction
    end: Fraction


def _span(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise _refusal(value, "0%..20%", "is not a stretch of a phase")
    start, end = (Fraction(Decimal(part)) / 100 for part in found.groups())
    if not start < end <= 1:
        raise _refusal(value, "0%..20%", "does not run forward within the phase")
    return Span(start=start, end=end)


PhaseSpan = Annotated[
    Span, BeforeValidator(_span), WithJsonSchema({"type": "string", "examples": ["0%..20%"]})
]


def _whole_range(value: Any) -> Any:
    """``"0..9"`` as the whole numbers from 0 to 9; lists stay what they are."""
    if not isinstance(value, str):
        return value
    found = _RANGE.fullmatch(value.strip())
    if found is None or int(found[1]) > int(found[2]):
        raise _refusal(value, '[0, 1, 2] or "0..9"', "is not a range of whole numbers")
    if int(found[2]) - int(found[1]) >= 10_000:
        raise _refusal(value, "at most 10,000 of them", "is too many")
    return tuple(range(int(found[1]), int(found[2]) + 1))


Seed = Annotated[int, Field(ge=0, lt=2**63)]
Seeds = Annotated[
    tuple[Seed, ...],
    BeforeValidator(_whole_range, json_schema_input_type=str | tuple[Seed, ...]),
    Field(min_length=1, max_length=10_000),
]


def layer_range(value: Any) -> Any:
    """``"0..5"`` as (0, 5), the first and the last layer; one number as that layer alone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    return (min(_whole_range(value)), max(_whole_range(value))) if isinstance(value, str) else value


Layers = Annotated[
    tuple[Seed, Seed], BeforeValidator(layer_range, json_schema_input_type=str | int | tuple[Seed, Seed])
]

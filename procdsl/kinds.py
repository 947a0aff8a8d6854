"""Families of nodes, one file per kind. Those of specs are open, those of plans (`ByKind`) are not.

A family is an abstract `Node`; a kind is a subclass of it whose ``kind`` field is a one-value ``Literal``
and whose file, in the family's package, is named for it. Writing the file is all it takes. A kind's file is
imported when a text names it, so that a hundred kinds cost a study no more than the three it uses. Helpers of
a family live in packages, or in modules that begin with an underscore. Plug-ins are the entry points of the
group `procdsl.kinds`, each called ``<family>.<kind>``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from procdsl.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PLUGINS = "procdsl.kinds"
_NOT_KINDS = frozenset({"base"})


class Node(BaseModel):
    """A frozen, strict value: what every part of a spec, a program and a plan is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


def later(default: Any, **bounds: Any) -> Any:
    """A field that a node got when plans had keys already: at its default it is not written."""
    return Field(default=default, exclude_if=lambda value: value == default, **bounds)


N = TypeVar("N", bound=Node)


def names(family: type[Node]) -> tuple[str, ...]:
    """The family's kinds, in name order, none of them imported."""
    return tuple(sorted({*_files(family), *_plugins(family)}))


def load(family: type[N], kind: str) -> type[N]:
    """The class of a kind that `names` lists."""
    if kind in _files(family):
        module = importlib.import_module(f"{_package(family)}.{kind}")
        found = [node for node in vars(module).values() if _is_kind(node, family, kind)]
        if len(found) != 1:
            raise TypeError(f"{module.__name__} defines {len(found)} classes of kind {kind!r}, not one")
        only: type[N] = found[0]
        return only
    return _plugin(family, kind)


class AnyKind:
    """In the annotation of a family: a field holds any kind of it, and ``kind`` says which class reads it."""

    def __get_pydantic_core_schema__(
        self, family: Any, schema: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def read(value: Any) -> Any:
            return value if isinstance(value, family) else _read(family, value)

        whole = core_schema.simple_ser_schema("any")
        return core_schema.no_info_before_validator_function(read, schema(family), serialization=whole)


class ByKind:
    """As `AnyKind`, of a closed union, or of a family whose kinds are all ours.

    As pydantic's discriminator, but a kind's validator is made, and a family's kind imported, when the first
    of it comes: all programs take a tenth of `procdsl check`.
    """

    def __get_pydantic_core_schema__(self, members: Any, _: Any) -> core_schema.CoreSchema:
        def read(value: Any) -> Any:
            if isinstance(value, members):
                return value
            member = _member(members, value.get("kind") if isinstance(value, dict) else None)
            return member.model_validate(value)

        return core_schema.no_info_plain_validator_function(read)


def _member(members: Any, kind: Any) -> type[Node]:
    """The class of a kind, of a union's or of a family's."""
    if isinstance(members, type):
        if isinstance(kind, str) and kind in _files(members):
            return load(members, kind)
    else:
        node: type[Node]
        for node in get_args(members):
            if _is_kind(node, Node, kind):
                return node
    raise PydanticCustomError("unknown_kind", "no kind {kind} is known here", {"kind": repr(kind)})


def _read(family: type[N], value: Any) -> N:
    """A table as the kind it names. Errors keep their places: pydantic prefixes them with the outer path."""
    if not isinstance(value, dict):
        raise PydanticCustomError("not_a_table", "should be a table with a `kind`")
    kind = value.get("kind")
    # The plug-ins are looked for among all that is installed, which takes as long as reading a study does.
    if not isinstance(kind, str) or (kind not in _files(family) and kind not in _plugins(family)):
        raise _unknown(family, value, names(family))
    return load(family, kind).model_validate(frozen(value), strict=True)


def frozen(value: Any) -> Any:
    """A plain tree with its lists as tuples, as strict models want them."""
    if isinstance(value, dict):
        return {name: frozen(part) for name, part in value.items()}
    return tuple(frozen(part) for part in value) if isinstance(value, (list, tuple)) else value


def _unknown(family: type[Node], value: dict[str, Any], known: tuple[str, ...]) -> ValidationError:
    title, context = family.__name__.lower(), {"known": list(known)}
    if "kind" not in value:
        problem = PydanticCustomError("missing_kind", f"a {title} needs a `kind`", context)
        return ValidationError.from_exception_data(title, [InitErrorDetails(type=problem, input=value)])
    problem = PydanticCustomError(
        "unknown_kind", f"unknown {title} kind {{kind}}", context | {"kind": repr(value["kind"])}
    )
    details = InitErrorDetails(type=problem, loc=("kind",), input=value["kind"])
    return ValidationError.from_exception_data(title, [details])


def _is_kind(node: Any, family: type[Node], kind: str) -> bool:
    if not (isinstance(node, type) and issubclass(node, family)):
        return False
    field = node.model_fields.get("kind")
    return field is not None and get_args(field.annotation) == (kind,)


def _plugin(family: type[N], kind: str) -> type[N]:
    point = _plugins(family)[kind]
    try:
        found: type[N] = point.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plug-in kind {point.name} = {point.value!r} cannot be loaded: {error}"
        ) from error
    if not _is_kind(found, family, kind):
        raise UsageError(f"the plug-in {point.value!r} is no {family.__name__} whose kind is {kind!r}")
    return found


def _package(family: type[Node]) -> str:
    return family.__module__.rpartition(".")[0]


@functools.cache
def _files(family: type[Node]) -> frozenset[str]:
    path = sys.modules[_package(family)].__path__
    found = {module.name for module in pkgutil.iter_modules(path) if not module.ispkg}
    return frozenset(name for name in found - _NOT_KINDS if not name.startswith("_"))


@functools.cache
def _plugins(family: type[Node]) -> dict[str, EntryPoint]:
    """Kinds that other distributions bring, by entry points called ``<family>.<kind>``."""
    from importlib.metadata import entry_points

    prefix = family.__name__.lower() + "."
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=PLUGINS):
        kind = point.name.removeprefix(prefix)
        if kind == point.name:
            continue
        if kind in found or kind in _files(family):
            raise UsageError(f"two kinds are called {kind!r}: {point.value} must be renamed or uninstalled")
        found[kind] = point
    return found

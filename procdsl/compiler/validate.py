"""A tree to its typed form: Pydantic's errors, told at their places in the words of the person who wrote it.

P100 too large or deep      P106 missing key            P112 not one of the words allowed
P101 not UTF-8 text         P107 wrong type             P113 breaks a rule of its own table
P102 syntax                 P108 out of range           P114 not a quantity
P103 duplicate key          P109 not a finite number    P115 not a name
P104 unknown kind           P110 a date or time         P120-P129 extends, include, profiles, …
P105 unknown key            P111 YAML: tag, alias, null P130 a note: the profile that was chosen
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from procdsl import kinds
from procdsl.compiler.near import hint, nearest
from procdsl.compiler.source import Source
from procdsl.compiler.tree import Path
from procdsl.errors import Diagnostic, Place, SpecError

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "string": "a string",
    "bool": "true or false",
    "dict": "a table",
    "model": "a table",
    "not": "a table",
    "list": "a list",
    "tuple": "a list",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_MISTYPED = ("type", "parsing", "from_float", "a_table", "neither")
_COUNTS = {"too_short": ("min_length", "at least"), "too_long": ("max_length", "at most")}
_NAMES = "small letters, digits and _, beginning with a letter"


def validate(source: Source, model: type[M]) -> M:
    """The study as the model's values; raises SpecError with everything that keeps it from being one."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        faults = [_fault(detail, source.data) for detail in error.errors(include_url=False)]
        found = [_told(fault, source, model) for fault in _without_slips(list(_meant(faults)))]
        raise SpecError(source.quote([*source.notes, *found])) from None


class _Fault(NamedTuple):
    """One error of Pydantic's. `path` is in the text; `tried` says which members of which unions it is of."""

    type: str
    path: Path
    tried: tuple[tuple[Path, str], ...]
    value: Any
    message: str
    context: dict[str, Any]
    on_key: bool


def _fault(detail: Any, data: Any) -> _Fault:
    """Pydantic's error with its location as a path in the text: steps that only name a type are left out."""
    loc, type_ = detail["loc"], detail["type"]
    path: list[str | int] = []
    tried: list[tuple[Path, str]] = []
    here = data
    for number, step in enumerate(loc, 1):
        if _has(here, step):
            here = here[step]
            path.append(step)
        elif type_ == "missing" and number == len(loc):
            path.append(step)
        elif step != "[key]" and not (isinstance(here, dict) and here.get("kind") == step):
            tried.append((tuple(path), str(step)))
    on_key = loc[-1:] == ("[key]",)
    context = detail.get("ctx", {})
    return _Fault(type_, tuple(path), tuple(tried), detail["input"], detail["msg"], context, on_key)


def _has(here: Any, step: str | int) -> bool:
    if isinstance(here, dict):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)


def _meant(faults: Iterable[_Fault], within: int = 0) -> Iterator[_Fault]:
    """Of every union that failed, the faults of the member that was most likely meant; unions in it alike."""
    unions: dict[Path, dict[str, list[_Fault]]] = {}
    for fault in faults:
        if len(fault.tried) == within:
            yield fault
        else:
            union, member = fault.tried[within]
            unions.setdefault(union, {}).setdefault(member, []).append(fault)
    for union, members in unions.items():
        told = [list(_meant(own, within + 1)) for own in members.values()]
        tried = sorted(
            told, key=lambda own: (_unlike(own[0], union), -max(len(f.path) for f in own), len(own))
        )
        if _unlike(tried[0][0], union) < _MISTAKEN:
            yield from tried[0]
        else:
            yield _neither([own[0] for own in tried])


_MISTAKEN = 3


def _unlike(fault: _Fault, union: Path) -> int:
    """How unlikely it is that a member of a union was meant, by its first fault: 0 a word misspelt …"""
    if fault.type == "literal_error":
        near = nearest(_bare(fault.value), _quoted(str(fault.context.get("expected", ""))))
        return 0 if near else _MISTAKEN
    if fault.path == union and fault.type.endswith(_MISTYPED):
        return _MISTAKEN
    return 2 if fault.type in {"missing", "extra_forbidden"} else 1


def _neither(faults: list[_Fault]) -> _Fault:
    """One fault for a value that is nothing of what it may be."""
    expected = " or ".join(dict.fromkeys(text for fault in faults if (text := _expected(fault))))
    first = faults[0]
    return _Fault("neither", first.path, (), first.value, expected, {}, first.on_key)


def _expected(fault: _Fault) -> str:
    if fault.type == "neither":
        return fault.message
    if fault.type == "literal_error":
        return str(fault.context.get("expected", "")).replace("'", '"')
    return _EXPECTED.get(fault.type.split("_")[0], "")


def _without_slips(faults: list[_Fault]) -> Iterator[_Fault]:
    """The faults less the keys that are missing only because they are misspelt, and the lists that are too
    short only because of what their items are.
    """
    extra = [fault.path for fault in faults if fault.type == "extra_forbidden"]
    for fault in faults:
        beside = [str(path[-1]) for path in extra if path[:-1] == fault.path[:-1]]
        slip = fault.type == "missing" and nearest(str(fault.path[-1]), beside) is not None
        if not slip and not (fault.type == "too_short" and len(fault.value) >= fault.context["min_length"]):
            yield fault


# ---------------------------------------------------------------- in words


def _told(fault: _Fault, source: Source, model: type[BaseModel]) -> Diagnostic:
    code, message, help = _words(fault, source, model)
    return Diagnostic(code, message, _place(fault, source), help)


def _place(fault: _Fault, source: Source) -> Place:
    places = source.places
    if fault.type == "missing":
        return places.key_at(fault.path[:-1])
    if fault.type in {"union_tag_not_found", "missing_kind"}:
        return places.key_at(fault.path)
    if fault.type == "union_tag_invalid":
        return places.at((*fault.path, "kind"))
    if fault.type == "extra_forbidden" or fault.on_key:
        return places.key_at(fault.path)
    return places.at(fault.path)


def _words(fault: _Fault, source: Source, model: type[BaseModel]) -> tuple[str, str, str]:
    """Code, message and help."""
    context = fault.context
    match fault.type:
        case "extra_forbidden":
            known = _keys(model, fault.path[:-1], source.data)
            return "P105", f'unknown key "{fault.path[-1]}"', hint(str(fault.path[-1]), known)
        case "missing" if isinstance(fault.path[-1], int):
            return "P108", f"item {fault.path[-1] + 1} of this list is missing", "write as many as it has"
        case "missing":
            return (
                "P106",
                f'"{fault.path[-1]}" is missing',
                f"write {_sketch(fault.path, source.data, model)}",
            )
        case "missing_kind":
            return "P106", '"kind" is missing', hint("", context["known"])
        case "union_tag_not_found":
            return "P106", '"kind" is missing', 'say which it is: kind = "…"'
        case "unknown_kind" if "grammars" in fault.path and _bare(fault.value) in _presets():
            return "P104", _double(fault.message), f'it is a preset: write preset = "{fault.value}"'
        case "unknown_kind":
            way = hint(_bare(fault.value), context["known"])
            return (
                "P104",
                _double(fault.message),
                f"{way}{'' if way[-1] == '?' else ';'} `procdsl kinds` lists them all.",
            )
        case "union_tag_invalid":
            words = _quoted(context["expected_tags"])
            return "P104", f'unknown kind "{context["tag"]}"', hint(context["tag"], words)
        case "literal_error":
            words = _quoted(context["expected"])
            way = hint(_bare(fault.value), words) if words else f"write {context['expected']}"
            return "P112", f"{_shown(fault.value)} cannot stand here", way
        case "string_pattern_mismatch":
            return "P115", f"{_shown(fault.value)} is not a name", f"names are {_NAMES}"
        case "quantity":
            return "P114", _double(fault.message.partition("; write ")[0]), "write " + context["example"]
        case "finite_number":
            return "P109", "a number must be finite", "write a number that is"
        case "value_error":
            return "P113", fault.message.removeprefix("Value error, "), ""
        case "neither":
            return "P107", f"expected {fault.message}, got {_got(fault.value)}", ""
    return _by_table(fault)


def _presets() -> tuple[str, ...]:
    from procdsl import presets

    return presets.names()


def _by_table(fault: _Fault) -> tuple[str, str, str]:
    name = fault.type.removeprefix("string_")
    if fault.type in _BOUNDS:
        key, words = _BOUNDS[fault.type]
        bound = f"{fault.context[key]:,}".removesuffix(".0")
        return "P108", f"{_shown(fault.value)} is out of range", f"it must be {words} {bound}"
    if name in _COUNTS:
        key, words = _COUNTS[name]
        what = "characters" if name != fault.type else "items"
        count = fault.context.get("actual_length", len(fault.value))
        return "P108", f"{count:,} {what} here", f"there must be {words} {fault.context[key]:,}"
    if expected := _EXPECTED.get(fault.type.split("_")[0]):
        return "P107", f"expected {expected}, got {_got(fault.value)}", ""
    return "P113", _double(fault.message).replace("{{", "{").replace("}}", "}"), ""


def _got(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "a string"
        case int():
            return "a whole number"
        case float():
            return "a fraction"
        case dict():
            return "a table"
    return "a list"


def _shown(value: Any) -> str:
    """A value as the text has it, not too much of it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,}"
    text = f'"{value}"' if isinstance(value, str) else _got(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _double(text: str) -> str:
    return text.replace("'", '"')


# ---------------------------------------------------------------- which keys a table may have


def _keys(model: Any, path: Path, data: Any) -> set[str]:
    """The keys that the table at a path may have."""
    return {
        field.alias or name
        for annotation, value in _reached(model, path, data)
        for table in _tables(annotation, value)
        for name, field in table.model_fields.items()
    }


def _sketch(path: Path, data: Any, model: Any) -> str:
    """How a missing key may be written: of a table, with the keys that it needs; kinds beside the first."""
    written, others = "…", ""
    for annotation, value in _reached(model, path, data):
        for table in _tables(annotation, value):
            fields = {
                field.alias or name: field
                for name, field in table.model_fields.items()
                if field.is_required()
            }
            words = get_args(fields["kind"].annotation) if "kind" in fields else ()
            keys = [f'{name} = "{words[0]}"' if name == "kind" else f"{name} = …" for name in fields]
            written = f"{{ {', '.join(keys) or '…'} }}"
            others = "".join(f' or "{word}"' for word in words[1:])
        if annotation is str:
            written = '"…"'
    return f"{path[-1]} = {written}{others}"


def _reached(model: Any, path: Path, data: Any) -> list[tuple[Any, Any]]:
    """The annotations of what stands at a path, each with its value, found along the model's."""
    reached: list[tuple[Any, Any]] = [(model, data)]
    for step in path:
        inner = data[step] if _has(data, step) else None
        reached = [
            (found, inner) for annotation, value in reached for found in _under(annotation, step, value)
        ]
        data = inner
    return reached


def _under(annotation: Any, step: str | int, value: Any) -> Iterator[Any]:
    """The annotations of what stands under a key or index."""
    for part in _members(annotation):
        if get_origin(part) is dict:
            yield get_args(part)[1]
        elif get_origin(part) in (tuple, list):
            arguments = get_args(part)
            yield arguments[step] if isinstance(step, int) and step < len(arguments) - 1 else arguments[0]
    for table in _tables(annotation, value):
        for name, field in table.model_fields.items():
            if step == (field.alias or name):
                yield field.annotation


def _tables(annotation: Any, value: Any) -> Iterator[type[BaseModel]]:
    """The models an annotation admits; of a family or a tagged union, the one that the value's kind names."""
    kind = value.get("kind") if isinstance(value, dict) else None
    for part in _members(annotation):
        if not (isinstance(part, type) and issubclass(part, BaseModel)):
            continue
        own = part.model_fields.get("kind")
        words = get_args(own.annotation) if own else ()
        if issubclass(part, kinds.Node) and part.__module__.endswith(".base") and kind in kinds.names(part):
            yield kinds.load(part, str(kind))
        elif not words or kind is None or kind in words:
            yield part


def _members(annotation: Any) -> Iterator[Any]:
    """An annotation's alternatives, its metadata taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    else:
        yield annotation

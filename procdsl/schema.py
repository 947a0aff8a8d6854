"""The JSON Schema of a study, for editors: every kind of every family, and what overlays may leave out.

Pydantic's own schema is right but unhelpful there: `anyOf: [X, null]` turns a typing error into "not valid
under any of the schemas", and a `oneOf` over kinds reports each of them. So null is dropped, which TOML
cannot write anyway, and a kind's table is chosen by `if`/`then` on `kind`.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from pydantic.json_schema import models_json_schema

from procdsl import kinds, presets
from procdsl.grammars.base import Grammar
from procdsl.language.corpora.base import Corpus
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.schedules import MasterySchedule, RampSchedule, StepsSchedule
from procdsl.language.sources.base import Source
from procdsl.language.study import ExperimentSpec

FAMILIES: dict[str, type[kinds.Node]] = {
    "grammars": Grammar,
    "sources": Source,
    "corpora": Corpus,
    "evaluations": Evaluation,
}
_OVERLAYS = {
    "extends": {"type": "string", "description": "A file, relative to this one, that this one is laid over."},
    "include": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Files, relative to this one, whose grammars, sources, corpora, transfers come in.",
    },
    "profiles": {
        "type": "object",
        "description": "Tables laid over the study by --profile; cpu also where there is no accelerator.",
        "additionalProperties": {"type": "object"},
    },
    "sweep": {
        "type": "object",
        "description": 'Lists of values over paths, "grammars.dyck.k" = [8, 64]; what they change is copied.',
    },
}


def schema() -> dict[str, Any]:
    """The schema of a study's file, in JSON Schema 2020-12."""
    members = {
        family: [kinds.load(family, name) for name in kinds.names(family)] for family in FAMILIES.values()
    }
    models: list[type[kinds.Node]] = [ExperimentSpec, *(model for own in members.values() for model in own)]
    _, together = models_json_schema([(model, "validation") for model in models], by_alias=True)
    definitions: dict[str, Any] = together["$defs"]
    for family, own in members.items():
        definitions[family.__name__] = _by_kind([definitions[model.__name__] for model in own])
    definitions |= _schedules([definitions[model.__name__] for model in members[Grammar]])
    _or_preset(definitions["Grammar"])
    root = _tidied(definitions.pop("ExperimentSpec"))
    root["properties"] |= _OVERLAYS
    # A curriculum that is like another, a profile, or a file that extends one may leave out what they have.
    root.pop("required", None)
    for name in ("CurriculumSpec", "PhaseSpec", "Start"):
        definitions[name].pop("required", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "procdsl study",
        **{name: part for name, part in root.items() if name != "title"},
        "$defs": {name: _tidied(part) for name, part in sorted(definitions.items())},
    }


def _by_kind(members: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several tables, chosen by its `kind`."""
    words = [member["properties"]["kind"]["const"] for member in members]
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": words}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": word}}, "required": ["kind"]}, "then": member}
            for word, member in zip(words, members, strict=True)
        ],
    }


def _schedules(grammars: list[dict[str, Any]]) -> dict[str, Any]:
    """Lets every number of a grammar change over a phase; the definitions that it takes."""
    models: list[type[kinds.Node]] = [RampSchedule, StepsSchedule, MasterySchedule]
    _, together = models_json_schema([(model, "validation") for model in models], by_alias=True)
    ways = [{"$ref": f"#/$defs/{model.__name__}"} for model in models]
    for grammar in grammars:
        for name, part in grammar["properties"].items():
            grammar["properties"][name] = _or_one_of(part, ways)
    return {model.__name__: together["$defs"][model.__name__] for model in models}


def _or_one_of(part: dict[str, Any], ways: list[dict[str, Any]]) -> dict[str, Any]:
    """A value or, if it is a number or holds some, what says how it changes."""
    if not re.search('"(integer|number)"', json.dumps(part)):
        return part
    inner = part.get("additionalProperties")
    if isinstance(inner, dict):
        return {**part, "additionalProperties": _or_one_of(inner, ways)}
    return {**part, "anyOf": [*part["anyOf"], *ways]} if "anyOf" in part else {"anyOf": [part, *ways]}


def _or_preset(grammar: dict[str, Any]) -> None:
    """Lets a grammar's table name a preset instead of a kind."""
    del grammar["required"]
    grammar["properties"] |= {"preset": {"enum": [*presets.names()]}, "faithful": {"type": "boolean"}}
    grammar |= {"if": {"not": {"required": ["preset"]}}, "then": {"required": ["kind"]}}


def _tidied(part: Any) -> Any:
    """The schema without null, generated titles and internal defaults, and with choices by `kind`."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _tidied(value) for name, value in part.items() if not _noise(name, value)}
    if "description" in kept and isinstance(kept["description"], str):
        kept["description"] = kept["description"].partition("\n\n")[0].replace("\n", " ")
    choices = [choice for choice in kept.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


def _noise(name: str, value: Any) -> bool:
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)


def kinds_of(family: type[kinds.Node]) -> dict[str, str]:
    """The kinds of a family, each with its documentation."""
    return {name: inspect.getdoc(kinds.load(family, name)) or "" for name in kinds.names(family)}


def fields_of(family: type[kinds.Node], kind: str) -> dict[str, str]:
    """The keys of a kind's table, each with its default as TOML spells it, or that it is required."""
    found = {}
    for name, field in kinds.load(family, kind).model_fields.items():
        if name != "kind":
            default = field.get_default(call_default_factory=True) if not field.is_required() else None
            found[field.alias or name] = "required" if field.is_required() else _spelt(default)
    return found


def _spelt(value: Any) -> str:
    if isinstance(value, kinds.Node):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {_spelt(part)}" for name, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if value is None:
        return "left out"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_spelt, value))}]"
    return json.dumps(value, ensure_ascii=False)

"""What people build on, spelt out. What goes or comes is changed below, and told in CHANGELOG.md."""

from __future__ import annotations

import inspect

import typer.main

from procdsl import kinds
from procdsl.cli import app
from procdsl.compiler import compile
from procdsl.grammars.base import Grammar
from procdsl.language.corpora.base import Corpus
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Source

COMMANDS = [
    "accepts",
    "audit",
    "check",
    "compare",
    "data fetch",
    "data stats",
    "data verify",
    "describe",
    "diff",
    "doctor",
    "export",
    "export-model",
    "import",
    "kinds",
    "new",
    "next",
    "plan",
    "presets",
    "prune",
    "run",
    "sample",
    "schema",
    "search",
    "status",
    "sync",
    "ui",
]
GRAMMARS = [
    "automaton",
    "cfg",
    "copy",
    "counter",
    "crossing",
    "dyck",
    "eca",
    "expr",
    "flat",
    "hmm",
    "iid",
    "life",
    "lsystem",
    "machine",
    "majority",
    "mcfg",
    "motzkin",
    "nca",
    "nesting",
    "parity",
    "python",
    "random_automaton",
    "random_markov",
    "regex",
    "reversal",
    "shuffle_dyck",
    "task",
    "template",
    "tomita",
]
SOURCES = ["ngram", "shuffled"]
CORPORA = ["builtin", "deepmind_math", "files", "hub", "ngram", "shuffled"]
EVALUATIONS = ["answer", "attention", "grammaticality", "loss", "minimal_pairs", "retrieval"]


def commands() -> list[str]:
    """All of them, those of a group after its name."""
    found = []
    for name, command in typer.main.get_group(app).commands.items():
        inner = getattr(command, "commands", None)
        found += [f"{name} {one}" for one in inner] if inner else [name]
    return sorted(found)


def test_commands() -> None:
    assert commands() == COMMANDS


def test_kinds() -> None:
    assert list(kinds.names(Grammar)) == GRAMMARS
    assert list(kinds.names(Source)) == SOURCES
    assert list(kinds.names(Corpus)) == CORPORA
    assert list(kinds.names(Evaluation)) == EVALUATIONS


def test_compile() -> None:
    assert list(inspect.signature(compile).parameters) == ["path", "profile", "sets"]

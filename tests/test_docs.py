"""Every example in the README and the docs: specs compile, the tutorial runs, generated pages are current."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import procdsl
from procdsl.compiler import compile

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Kinds' own examples are under the laws of their family; here a table is part of a small study.
WRITTEN = [page for page in PAGES if "generated" not in page.parts]

STUDY = """
procdsl = 1
name = "example"
seeds = [0]
model = { layers = 1, heads = 1, width = 8, context = 4096 }
training = { batch_rows = 1, optimiser = { kind = "adamw", lr = 1e-3 }, schedule = { kind = "constant" } }
"""


def examples(language: str) -> Iterator[pytest.param]:
    for page in WRITTEN:
        blocks = re.findall(rf"^```{language}[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
        for number, block in enumerate(blocks, 1):
            yield pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")


@pytest.mark.parametrize("text", list(examples("toml")))
def test_specs_in_the_docs_compile(text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text(text if re.search(r"^procdsl\s*=", text, re.M) else study_around(text), "utf-8")
    assert compile(path, profile=None).plan.trials


def study_around(tables: str) -> str:
    """A study whose curricula train on one of the tables each, start by each transfer, or are compared."""
    if re.search(r"^\[(transfers|curricula)\.", tables, re.M):
        return around_transfers(tables)
    if re.search(r"^\[compar", tables, re.M):
        return around_comparisons(tables)
    named = re.findall(r"^\[(?:grammars|sources|corpora)\.(\w+)\]", tables, re.M)
    arms = [
        f'[curricula.on_{name}]\nphases = [{{ name = "only", data = "{name}", steps = 1 }}]' for name in named
    ]
    return "\n".join([STUDY, tables, arms[0] + "\nbaseline = true", *arms[1:]])


def around_transfers(tables: str) -> str:
    """The study that the page on transfers begins with, and an arm for each transfer that has none."""
    page = (ROOT / "docs" / "how-to" / "transfers.md").read_text("utf-8")
    frame = re.search(r"^```toml\n(.*?)^```", page, re.S | re.M)
    assert frame
    arms = [
        f'[curricula.by_{name}]\nlike = "dyck_first"\n'
        f'phases = [{{ name = "text", start = {{ transfer = "{name}" }} }}]'
        for name in re.findall(r"^\[transfers\.(\w+)\]", tables, re.M)
        if f'transfer = "{name}"' not in tables
    ]
    return "\n".join([frame[1], tables, *arms])


def around_comparisons(tables: str) -> str:
    """A study that is evaluated by what the comparisons name, each with a curriculum of its own."""
    named = dict.fromkeys(re.findall(r'^metric\s*= "(\w+)/', tables, re.M))
    parts = [
        f'[grammars.{name}]\nkind = "dyck"\nk = 2\nlength = 16\n'
        f'[evaluations.{name}]\nkind = "loss"\non = "{name}"\n'
        f'[curricula.{name}_only]\nphases = [{{ name = "only", data = "{name}", steps = 1 }}]'
        for name in named
    ]
    return "\n".join([STUDY, parts[0] + "\nbaseline = true", *parts[1:], tables])


def modules() -> list[str]:
    found = pkgutil.walk_packages(procdsl.__path__, "procdsl.")
    return [module.name for module in found if not module.name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_generated_pages_are_current() -> None:
    """In a process of its own, where no test has installed anything."""
    code = """if True:
        from docs.reference import pages
        print([path.name for path, text in pages().items() if path.read_text("utf-8") != text])
    """
    stale = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert stale.stdout.strip() == "[]", "run `make docs` and commit what it writes"


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    for name, block in re.findall(r"^```toml file=(\S+)\n(.*?)^```", text, re.S | re.M):
        (tmp_path / name).write_text(block, "utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M):
        for line in block.splitlines():
            command = [sys.executable, "-m", *shlex.split(line)]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            assert done.stdout.strip(), f"{line} said nothing"


def test_no_page_names_this_machine() -> None:
    assert not [page for page in PAGES if re.search(r"/(root|work|tmp)/", page.read_text("utf-8"))]

"""Text that every machine with Python has: docstrings (`pydocs`, English prose), or source code (`pysource`).

The files are the standard library's and those of a fixed list of packages, which our own constraints pin.
Files come in the order of their content's hash: a mix of all packages that can be read a little at a time.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import sysconfig
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from inspect import cleandoc
from pathlib import Path
from platform import python_version
from typing import Any, NamedTuple

from procdsl.errors import RunError
from procdsl.plan.sources.builtin import BuiltinSource
from runner.corpora.sources import Pinned, Reading

PACKAGES = (
    "numpy", "scipy", "pandas", "matplotlib", "torch", "numba", "sqlalchemy", "mlflow", "datasets",
    "pydantic", "networkx", "sympy", "huggingface_hub", "pyarrow", "scikit-learn", "fsspec", "jinja2",
)  # fmt: skip
# Not prose, not everywhere, or copies of what is there already.
_LEFT_OUT = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "_vendor"})
# A shorter document says nothing; a longer source file is a table that a program wrote.
_LEAST_PROSE, _MOST_CODE = 200, 200_000
# English prose has four letters in five characters, numpydoc's tables and diagrams far fewer.
_LEAST_LETTERS = 0.65
_DOCTEST = re.compile(r"^[ \t]*>>>.*(?:\n(?![ \t]*$).*)*\n?", re.MULTILINE)
_EMPTY_HEADING = re.compile(r"^Examples?\n-+\n(?=\s*(?:\Z|\S+\n-))", re.MULTILINE)
_BLANKS = re.compile(r"\n\s*\n\s*\n+")


class _File(NamedTuple):
    sha256: str
    name: str
    path: Path


def pin(source: BuiltinSource, *, offline: bool = True) -> Pinned:
    """The digest is over the hashes of all files, read or not: reading further never changes it."""
    files = _files()
    digest = hashlib.sha256("".join(f"{file.sha256} {file.name}\n" for file in files).encode()).hexdigest()
    packages = {file.name.partition("/")[0] for file in files}
    versions = (f"{name} {distribution(name).version}" for name in PACKAGES if name in packages)
    return Pinned(source, ", ".join((f"python {python_version()}", *versions)), digest)


def open(source: BuiltinSource, *, digest: str, cursor: dict[str, Any] | None) -> Reading:
    return Reading(documents(source, digest=digest), cursor=cursor)


def documents(source: BuiltinSource, *, digest: str) -> Iterator[str]:
    """Documents up to the megabytes asked for, none twice."""
    if (found := pin(source).digest) != digest:
        raise RunError(
            f"{source.name} is not the text this study is bound to: an installed package has changed "
            f"(digest {found[:12]}, bound to {digest[:12]})",
            reason="data-changed",
            help="install the versions of before, or run with --rebind to start again on the new text",
        )
    left = source.megabytes * 1e6
    seen: set[bytes] = set()
    for file in _files():
        for text in _prose(_read(file)) if source.name == "pydocs" else _code(_read(file)):
            mark = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
            if mark in seen:
                continue
            seen.add(mark)
            yield text
            if (left := left - len(text)) <= 0:
                return


@cache
def _files() -> tuple[_File, ...]:
    """Every file, in reading order. A package's hashes are taken from its record, and checked on reading."""
    standard = Path(sysconfig.get_paths()["stdlib"])
    found = [
        _File(hashlib.sha256(path.read_bytes()).hexdigest(), f"python/{name}", path)
        for path in standard.rglob("*.py")
        if _wanted((name := path.relative_to(standard)).parts)
    ]
    for package in PACKAGES:
        found += _installed(package)
    return tuple(sorted(found))


def _installed(package: str) -> Iterator[_File]:
    try:
        listed = distribution(package).files or ()
    except PackageNotFoundError:
        return
    for file in listed:
        if file.suffix == ".py" and file.hash and file.hash.mode == "sha256" and _wanted(file.parts):
            sha256 = base64.urlsafe_b64decode(file.hash.value + "=").hex()
            yield _File(sha256, f"{package}/{file.as_posix()}", Path(str(file.locate())))


def _wanted(parts: tuple[str, ...]) -> bool:
    return ".." not in parts and _LEFT_OUT.isdisjoint(parts)


def _read(file: _File) -> str:
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise RunError(
            f"{file.path} cannot be read: {error.strerror}", reason="data", help="install its package again"
        ) from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise RunError(
            f"{file.path} is not the file that its package installed",
            reason="data-changed",
            help=f"install {file.name.partition('/')[0]} again",
        )
    return content.decode("utf-8", "replace")


def _code(text: str) -> Iterator[str]:
    if _LEAST_PROSE <= len(text) <= _MOST_CODE:
        yield text


def _prose(text: str) -> Iterator[str]:
    """The docstrings of a module: its own, then one document for each function or class with its methods."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    yield from _document([ast.get_docstring(module, clean=False)])
    for node in module.body:
        yield from _document(
            [
                ast.get_docstring(inner, clean=False)
                for inner in ast.walk(node)
                if isinstance(inner, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            ]
        )


def _document(docstrings: list[str | None]) -> Iterator[str]:
    """One document of what is prose in some docstrings: examples to be run are cut out."""
    parts = [_DOCTEST.sub("", cleandoc(text)).strip() + "\n" for text in docstrings if text]
    parts = [_EMPTY_HEADING.sub("", part).strip() for part in parts]
    text = _BLANKS.sub("\n\n", "\n\n".join(part for part in parts if part))
    letters = sum(map(str.isalpha, text)) + text.count(" ") - text.count("  ")
    if len(text) >= _LEAST_PROSE and letters >= _LEAST_LETTERS * len(text):
        yield text

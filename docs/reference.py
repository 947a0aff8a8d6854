"""The reference pages, generated from the code: `python -m docs.reference --write`.

Kinds come from their docstrings and fields, commands from the command line itself, diagnostics from the bad
specs of the tests, each with what the compiler really says about it. The schema that the shipped specs name
in their first lines is written beside them.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from typer.testing import CliRunner

from procdsl import presets
from procdsl.cli import app
from procdsl.compiler import compile
from procdsl.errors import SpecError
from procdsl.schema import FAMILIES, fields_of, kinds_of

HERE = Path(__file__).parent
OUT = HERE / "generated"
BAD = HERE.parent / "tests" / "compiler" / "bad"


def pages() -> dict[Path, str]:
    """What each generated page should hold."""
    return {
        OUT / "kinds.md": _kinds(),
        OUT / "presets.md": _presets(),
        OUT / "commands.md": _commands(),
        OUT / "diagnostics.md": _diagnostics(),
        HERE.parent / "specs" / "procdsl.schema.json": CliRunner().invoke(app, ["schema"]).stdout,
    }


def main() -> None:
    """Writes the pages, or says which are out of date."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--write" not in sys.argv:
        sys.exit("\n".join(f"{path} is out of date: make docs" for path in stale))
    OUT.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(pages()[path], "utf-8")


def _kinds() -> str:
    parts = [
        "# Kinds",
        "Every kind of grammar, source, corpus and evaluation. `procdsl kinds` lists them in the terminal.",
    ]
    for title, family in FAMILIES.items():
        parts.append(f"## {title.title()}")
        for kind, text in kinds_of(family).items():
            parts += [f"### `{kind}`", text, _fields(fields_of(family, kind))]
    return "\n\n".join(parts) + "\n"


def _fields(keys: Mapping[str, str]) -> str:
    rows = (
        f"| `{key}` | {default if default in ('required', 'left out') else f'`{default}`'} |"
        for key, default in keys.items()
    )
    return "\n".join(("| key | default |", "|---|---|", *rows))


def _presets() -> str:
    parts = [
        "# Presets",
        "The generators of published studies, as `procdsl presets` lists them. Under each: the table that "
        "its name stands for, or another preset and what is laid over it; what `faithful = true` lays over "
        "that, and so brings back; in what the published generator is not followed even so; and what the "
        "tests hold it to.",
    ]
    for name in presets.names():
        one = presets.preset(name)
        parts += [f"## `{name}`", f"{one.about} {one.source}.", f"```toml\n{one.toml().rstrip()}\n```"]
        told = [("Faithful", "; ".join(one.quirks)), ("Not followed", one.differs), ("Checked", one.checked)]
        parts += ["\n".join(f"- **{title}**: {text}." for title, text in told if text)]
    return "\n\n".join(parts) + "\n"


def _commands() -> str:
    command = [sys.executable, "-m", "typer", "procdsl.cli", "utils", "docs", "--name", "procdsl"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "\n".join(line.rstrip() for line in made.rstrip().splitlines()) + "\n"


def _diagnostics() -> str:
    parts = [
        "# Diagnostics",
        "Each code with a text that earns it, from the tests, and what is said about it.",
        "P1xx: reading and types; P2xx: names; P3xx: meaning; P4xx: the plan.",
    ]
    seen = set[str]()
    for code, message, help_, path in sorted(_findings()):
        if code not in seen:
            parts += [f"## {code}", f"`{path}`: {message}" + (f"\n\n= help: {help_}" if help_ else "")]
        seen.add(code)
    return "\n\n".join(textwrap.dedent(part) for part in parts) + "\n"


def _findings() -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(BAD.iterdir()):
        if path.suffix in (".toml", ".yaml"):
            try:
                compile(path, profile=None)
            except SpecError as error:
                for found in error.diagnostics:
                    if found.severity == "error":
                        yield found.code, found.message, found.help, path.name


if __name__ == "__main__":
    main()

"""The group of commands, and the one place where what they raise becomes a message and an exit code."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from procdsl import report
from procdsl.errors import ProcdslError, RunError, Stopped

# Each module's commands, in the order of help.
MODULES = {
    "studies": ("check", "plan", "diff", "new"),
    "running": ("run", "status", "prune"),
    "comparing": ("compare",),
    "searching": ("search",),
    "grammars": ("describe", "accepts", "next", "audit", "import", "export"),
    "language": ("sample", "schema", "kinds", "presets", "doctor"),
    "tracking": ("sync", "ui"),
    "corpora": ("data",),
    "exporting": ("export-model",),
}
_MODULE_OF = {name: module for module, names in MODULES.items() for name in names}


class _Commands(Mapping[str, Any]):
    """The commands, each made when it is asked for: making them all costs a fifth of `procdsl check`."""

    def __getitem__(self, name: str) -> Any:
        app = importlib.import_module(f"procdsl.cli.{_MODULE_OF[name]}").app
        command = get_group(app).commands[name]
        # \b keeps the lines of a paragraph apart: each is a command to try.
        command.help = re.sub(r"\n\n(?= *procdsl )", "\n\n\b\n", command.help or "")
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULE_OF)

    def __len__(self) -> int:
        return len(_MODULE_OF)


class _Guarded(TyperGroup):
    """The group of commands, and the one place where what they raise becomes a message and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": _Commands()})

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["json"] = "--json" in args
        ctx.meta["debug"] = "--debug" in args or os.environ.get("PROCDSL_DEBUG") == "1"
        return super().parse_args(ctx, [arg for arg in args if arg != "--debug"])

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for names in MODULES.values() for name in names]

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)) or hasattr(
                error, "format_message"
            ):
                raise
            if ctx.meta["debug"]:
                import traceback

                traceback.print_exc()
            known = _told(error)
            if ctx.meta["json"]:
                report.data(report.failure_data(known))
            else:
                report.failure(known)
            raise typer.Exit(known.exit_code) from None


def _told(error: BaseException) -> ProcdslError:
    """What went wrong in our own terms; a bug is written to a file whose path is told."""
    if isinstance(error, ProcdslError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Stopped("interrupted; what was finished is kept, and the same command goes on from there")
    if isinstance(error, OSError) and error.strerror:
        subject = f"{error.filename}: " if error.filename else ""
        return RunError(f"{subject}{error.strerror}", reason="system")
    import tempfile
    import traceback
    from importlib.metadata import version

    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile("w", prefix="procdsl-", suffix=".log", delete=False) as file:
        file.write(f"procdsl {version('procdsl')}, Python {sys.version}\n{text}")
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    return RunError(
        f"this is a bug: {what}", reason="bug", help=f"the details are in {file.name}; please report them"
    )


app = typer.Typer(
    name="procdsl",
    cls=_Guarded,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _procdsl() -> None:
    """Declare, run and compare procedural-pretraining studies.

    \b
    procdsl new my_study            a first study, to be changed
    procdsl check my_study.toml     what is wrong with it
    procdsl plan my_study.toml      what it will do and cost
    procdsl run my_study.toml       do it; again, to go on
    """

"""The commands. Each gathers its arguments, calls what does the work, and hands the result to `report`.

Heavy things (the runner, torch) are imported inside the command that needs them. Errors are handled in one
place, `_Guarded`: commands just raise. Options that several commands share stand at the top.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from procdsl import report
from procdsl.errors import ProcdslError, RunError, Stopped

SpecArg = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The study, a .toml or .yaml file.", show_default=False)
]
SetOpt = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value, as in model.layers=4; repeatable."),
]
ProfileOpt = Annotated[
    str,
    typer.Option(
        "--profile",
        help="The [profiles.NAME] to lay over the spec; auto: by the machine.",
    ),
]
StoreOpt = Annotated[
    Path | None,
    typer.Option("--store", envvar="PROCDSL_STORE", help="Where results lie [.procdsl beside the spec]."),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
QuietOpt = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


_TYPERS_OWN = (typer.Exit, typer.Abort, BrokenPipeError)


class _Guarded(TyperGroup):
    """The group of commands, and the one place where what they raise becomes a message and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["json"] = "--json" in args
        ctx.meta["debug"] = "--debug" in args or os.environ.get("PROCDSL_DEBUG") == "1"
        return super().parse_args(ctx, [arg for arg in args if arg != "--debug"])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)) or hasattr(
                error, "format_message"
            ):
                raise
            if ctx.meta["debug"]:
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
    """Declare, run and compare procedural-pretraining studies."""


def main() -> None:
    """The entry point of the `procdsl` script."""
    app()


# ---------------------------------------------------------------- the language


@app.command()
def check(
    specs: Annotated[
        list[Path], typer.Argument(metavar="SPEC...", help="One or more studies.", show_default=False)
    ],
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
    quiet: QuietOpt = False,
) -> None:
    """Read specs and report everything that is wrong with them."""
    from procdsl.compiler import compile

    for spec in specs:
        compiled = compile(spec, profile=profile, sets=set_ or ())
        report.line(f"{spec}: {compiled.plan.study}")

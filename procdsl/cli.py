"""The commands. Each gathers its arguments, calls what does the work, and hands the result to `report`.

Heavy things (the runner, torch) are imported inside the command that needs them. Errors are handled in one
place, `_Guarded`: commands just raise. Options that several commands share stand at the top.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import traceback
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from procdsl import report
from procdsl.errors import ProcdslError, RunError, Stopped, UsageError

if TYPE_CHECKING:
    from procdsl.plan import Plan
    from runner.engine import Outcome
    from runner.execution import Execution
    from runner.store import Store

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


# ---------------------------------------------------------------- running


@app.command()
def run(
    spec: SpecArg,
    jobs: Annotated[int | None, typer.Option(help="Operations at once [cores; 1 on an accelerator].")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CURRICULUM", help="Only this one; repeatable.")
    ] = None,
    seeds: Annotated[str, typer.Option(metavar="A..B", help="Only these seeds, as in 0..2 or 0,4.")] = "",
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads of each operation [cores / jobs].")] = None,
    store: StoreOpt = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(help="An MLflow server [a database in the store].", envvar="MLFLOW_TRACKING_URI"),
    ] = None,
    tracking: Annotated[bool, typer.Option("--tracking/--no-tracking", help="Deliver to MLflow.")] = True,
    rebind: Annotated[bool, typer.Option("--rebind", help="Choose the corpora anew.")] = False,
    strict_data: Annotated[bool, typer.Option("--strict-data", help="Use no fallback corpus.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server for data.")] = False,
    micro_rows: Annotated[int | None, typer.Option(help="Rows on the device at once.", min=1)] = None,
    json: JsonOpt = False,
    quiet: QuietOpt = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Try again what failed three times alike.")
    ] = False,
) -> None:
    """Carry out a study: do what is missing of it, log it to MLflow, compare its curricula.

    Stop it with Ctrl-C at any time; the same command goes on. Run again when all is done, it only compares.
    A trial that fails stops no other.

        procdsl run specs/dyck_then_c4.toml --only dyck_first --seeds 0..2
    """
    from procdsl import progress
    from procdsl.compiler import compile
    from runner import engine, execution
    from runner.failures import forgive
    from runner.schedule import pending, wanted
    from runner.store import Store
    from runner.tracking import start_sender

    compiled = compile(spec, profile=profile, sets=set_ or ())
    if not quiet:
        report.diagnostics(compiled.diagnostics)
    chosen = execution.device(device)
    jobs, threads = execution.parallelism(compiled.plan, device=chosen, jobs=jobs, threads=threads)
    how = execution.Execution(
        store=execution.store_root(spec, store),
        device=chosen,
        threads=threads,
        jobs=jobs,
        tracking_uri=tracking_uri,
        strict_data=strict_data,
        offline=offline,
        rebind=rebind,
        only=tuple(only or ()),
        seeds=execution.seed_range(seeds),
        micro_rows=micro_rows,
    )
    results = Store(how.store)
    bound = _bound(compiled.plan, results, how, quiet=quiet)
    _keep_spec(spec, results.study(bound.study))
    if yes:
        forgive(bound, results)
    trials = wanted(bound, how)
    todo = pending(bound, trials, results)
    sender = start_sender(bound, results, how) if tracking else None
    with progress.watch(bound, trials, todo, quiet=quiet) as observe:
        outcome = engine.run(bound, how, observe)
    undelivered = sender.finish() if sender else 0
    _tell_outcome(spec, bound, results, outcome, undelivered, json=json, quiet=quiet)
    raise typer.Exit(outcome.exit_code)


def _bound(plan: Plan, store: Store, how: Execution, *, quiet: bool) -> Plan:
    """The plan with its corpora chosen; a fallback in use is said out loud."""
    from procdsl import progress
    from runner.bind import bind

    return bind(plan, store, how, (lambda event: None) if quiet else progress.note)


def _keep_spec(spec: Path, folder: Path) -> None:
    """The spec as it was written, beside the plan it became."""
    target, content = folder / f"spec{spec.suffix}", spec.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


@app.command()
def status(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Show how each trial of a study stands: done, running, failed or pending, and why.

    procdsl status specs/dyck_then_c4.toml
    """
    from procdsl.compiler import compile
    from runner.execution import Execution, store_root
    from runner.status import status
    from runner.store import Store

    plan = compile(spec, profile=profile, sets=set_ or ()).plan
    results = Store(store_root(spec, store))
    if not (results.root / "studies" / plan.study / "bindings.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    found = status(_bound(plan, results, Execution(store=results.root, offline=True), quiet=True), results)
    if json:
        trials = [asdict(trial) for trial in found]
        report.data({"study": plan.study, "profile": plan.profile, "trials": trials})
    else:
        report.trials(plan.study, [asdict(trial) for trial in found])


@app.command()
def prune(
    spec: Annotated[Path | None, typer.Argument(metavar="[SPEC]", show_default=False)] = None,
    store: StoreOpt = None,
    quota: Annotated[
        str, typer.Option(metavar="SIZE", help="Only as much, oldest first, as leaves 5GB.")
    ] = "",
    json: JsonOpt = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete; without it, only list.")] = False,
) -> None:
    """List, and with --yes delete, results that no study of the store needs any more.

    What a study needs is what its last run's plan holds; results of earlier versions of its spec are not.

        procdsl prune specs/dyck_then_c4.toml --quota 5GB --yes
    """
    from runner import pruning
    from runner.execution import store_root
    from runner.store import Store

    if spec is None and store is None:
        raise UsageError("nothing says which store is meant", help="name a SPEC, or a store with --store")
    results = Store(store_root(spec or Path("spec"), store))
    if not (results.root / "objects").is_dir():
        raise UsageError(f"there is no store at {results.root}", help="name one with --store")
    found = pruning.unneeded(results, [_plan_now(spec, results)] if spec else [])
    if quota:
        found = pruning.beyond(results, found, pruning.quota_bytes(quota))
    freed, busy = pruning.remove(results, found) if yes else (0, [])
    listed = [{"path": str(one.path), "bytes": one.bytes, "touched": one.touched} for one in found]
    outcome = {"deleted": yes, "objects": listed, "freed": freed, "busy": [str(path) for path in busy]}
    if json:
        report.data(outcome)
    else:
        report.pruned(outcome)


def _plan_now(spec: Path, store: Store) -> Plan:
    """The plan that a spec has today, bound as its study was: what it reuses must stay."""
    from procdsl.compiler import compile
    from runner.execution import Execution

    plan = compile(spec).plan
    known = (store.root / "studies" / plan.study / "bindings.json").exists()
    return _bound(plan, store, Execution(store=store.root, offline=True), quiet=True) if known else plan


def _tell_outcome(
    spec: Path, plan: Plan, store: Store, outcome: Outcome, undelivered: int, *, json: bool, quiet: bool
) -> None:
    """How a run ended, what came out of it, and what to type next."""
    again = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    compared = _compared(plan, store, spec=spec) if plan.comparison and not outcome.stopped else None
    if json:
        ended = asdict(outcome) | {"ok": outcome.exit_code == 0, "exit_code": outcome.exit_code}
        report.data({"study": plan.study, "undelivered": undelivered, "comparison": compared} | ended)
        return
    if compared and not quiet:
        report.comparison(compared)
    for name, reason in outcome.reasons.items():
        report.message(f"{name} failed: {reason}", help=f"to try again: {again}")
    if undelivered:
        report.line(
            f"{undelivered:,} points are not delivered yet; `procdsl sync {spec}` delivers them", stderr=True
        )
    if outcome.stopped:
        count = len(outcome.stopped)
        report.line(
            f"stopped with {count} trials unfinished; everything is saved. Go on with: {again}", stderr=True
        )
    elif not quiet:
        report.line(f"MLflow: procdsl ui {spec}")
        if plan.profile == "cpu":
            report.line("This was the cpu profile: it shows the machine at work, not the effect.")
            report.line(f"The study at full size, on a GPU: procdsl run {spec} --profile none")


@app.command()
def compare(
    spec: SpecArg,
    metric: Annotated[
        str | None, typer.Option(metavar="EVALUATION/METRIC", help="What to compare [the study's own].")
    ] = None,
    target: Annotated[float | None, typer.Option(help="Count tokens to this value of the metric.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Copy the page there.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Compare the curricula of a study, finished or not, and write the report.

    procdsl compare specs/dyck_then_c4.toml --metric c4/bits_per_byte --html report.html
    """
    from procdsl.compiler import compile
    from runner.execution import Execution, store_root
    from runner.store import Store, read_json

    plan = compile(spec, profile=profile, sets=set_ or ()).plan
    results = Store(store_root(spec, store))
    folder = results.root / "studies" / plan.study
    if not (folder / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    # What was run elsewhere, on a GPU say, is compared as it was run, whatever this machine would choose.
    if profile == "auto" and (ran := read_json(folder / "plan.json")["profile"]) != plan.profile:
        plan = compile(spec, profile=ran or "none", sets=set_ or ()).plan
    bound = _bound(plan, results, Execution(store=results.root, offline=True), quiet=True)
    compared = _compared(bound, results, spec=spec, metric=metric, target=target)
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(compared["html"], html)
        compared["html"] = str(html.resolve())
    if json:
        report.data(compared)
    else:
        report.comparison(compared)
    if open_:
        typer.launch(compared["html"])


def _compared(
    plan: Plan, store: Store, *, spec: Path, metric: str | None = None, target: float | None = None
) -> dict[str, Any]:
    """The comparison of a study as data, and the report it is drawn in."""
    from runner.compare import compare, write_report
    from runner.compare.document import document

    comparison = compare(plan, store, metric=metric, target=target)
    folder = store.study(plan.study) / "compare"
    again = shlex.join(["procdsl", "compare", str(spec), *(["--metric", metric] if metric else [])])
    if metric:
        folder = folder / metric.replace("/", "-")
    paths = write_report(comparison, folder, command=f"{shlex.join(['procdsl', 'run', str(spec)])}\n{again}")
    return document(comparison) | {"html": str(paths.html), "png": [str(path) for path in paths.png]}

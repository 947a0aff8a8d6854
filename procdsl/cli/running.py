"""Commands that carry a study out: run, status, prune."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import report
from procdsl.cli.comparing import comparison_of
from procdsl.cli.opening import begun
from procdsl.cli.options import (
    DeliverOpt,
    DeviceOpt,
    JobsOpt,
    JsonOpt,
    OfflineOpt,
    ProfileOpt,
    QuietOpt,
    ReplicasOpt,
    SetOpt,
    SpecArg,
    StoreOpt,
    StrictOpt,
    ThreadsOpt,
    TrackingOpt,
)
from procdsl.errors import UsageError
from procdsl.pages import comparisons

if TYPE_CHECKING:
    from procdsl.plan import Plan
    from runner.engine import Outcome
    from runner.execution import Execution
    from runner.store import Store

app = typer.Typer(rich_markup_mode=None)

_OnlyOpt = Annotated[list[str] | None, typer.Option(metavar="CURRICULUM", help="Only this one; repeatable.")]
_SeedsOpt = Annotated[str, typer.Option(metavar="A..B", help="Only these seeds, as in 0..2 or 0,4.")]
_RebindOpt = Annotated[bool, typer.Option("--rebind", help="Choose the corpora anew.")]
_RowsOpt = Annotated[int | None, typer.Option(help="Rows on the device at once.", min=1)]
_KernelsOpt = Annotated[
    bool | None,
    typer.Option("--kernels/--no-kernels", help="Train small models by kernels [if it pays]."),
]
_CompileOpt = Annotated[bool, typer.Option("--compile", help="Train by torch.compile.")]
_DeviceRowsOpt = Annotated[
    bool | None, typer.Option(help="Make rows on the device [on a GPU, those of neural automata].")
]
_AgainOpt = Annotated[bool, typer.Option("--yes", "-y", help="Try again what failed three times alike.")]


@app.command()
def run(
    spec: SpecArg,
    jobs: JobsOpt = None,
    only: _OnlyOpt = None,
    seeds: _SeedsOpt = "",
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    device: DeviceOpt = "auto",
    threads: ThreadsOpt = None,
    store: StoreOpt = None,
    tracking_uri: TrackingOpt = None,
    tracking: DeliverOpt = True,
    rebind: _RebindOpt = False,
    strict_data: StrictOpt = False,
    offline: OfflineOpt = False,
    micro_rows: _RowsOpt = None,
    kernels: _KernelsOpt = None,
    torch_compile: _CompileOpt = False,
    replicas: ReplicasOpt = "auto",
    device_rows: _DeviceRowsOpt = None,
    json: JsonOpt = False,
    quiet: QuietOpt = False,
    yes: _AgainOpt = False,
) -> None:
    """Carry out a study, log it to MLflow, compare its curricula. Only what is missing is done.

    Stop it with Ctrl-C at any time; the same command goes on. Run again when all is done, it only compares.
    A trial that fails stops no other.

        procdsl run specs/dyck_then_c4.toml --only dyck_first --seeds 0..2
    """
    from procdsl.compiler import compile
    from runner import execution
    from runner.failures import forgive
    from runner.store import Store
    from runner.tracking import start_sender

    compiled = compile(spec, profile=profile, sets=set_ or ())
    if not quiet:
        report.diagnostics(compiled.diagnostics)
    how = replace(
        execution.here(compiled.plan, spec, store=store, on=device, jobs=jobs, threads=threads),
        tracking_uri=tracking_uri,
        strict_data=strict_data,
        offline=offline,
        rebind=rebind,
        only=tuple(only or ()),
        seeds=execution.seed_range(seeds),
        micro_rows=micro_rows,
        kernels=kernels,
        compile=torch_compile,
        replicas=execution.replicas(replicas),
        device_rows=device_rows,
    )
    results = Store(how.store)
    bound = bound_plan(compiled.plan, results, how, quiet=quiet)
    _keep_spec(spec, results.study(bound.study))
    if yes:
        forgive(bound, results)
    sender = start_sender(bound, results, how) if tracking else None
    outcome = watched(bound, results, how, quiet=quiet)
    compared = comparison_of(bound, results, spec=spec) if bound.comparison and not outcome.stopped else None
    undelivered = sender.finish() if sender else 0
    named = shlex.join([str(spec), *(["--store", str(store)] if store else [])])
    _tell_outcome(named, bound, outcome, compared, undelivered, json=json, quiet=quiet)
    if compiled.spec.searches and not (json or quiet or outcome.exit_code):
        report.line(f"searches: {', '.join(compiled.spec.searches)}; procdsl search {named}")
    raise typer.Exit(outcome.exit_code)


def watched(plan: Plan, store: Store, how: Execution, *, quiet: bool) -> Outcome:
    """Does what is missing of a study, and shows how it goes."""
    from procdsl import progress
    from runner import engine
    from runner.schedule import pending, wanted

    trials = wanted(plan, how)
    with progress.watch(plan, trials, pending(plan, trials, store), quiet=quiet) as observe:
        return engine.run(plan, how, observe)


def bound_plan(plan: Plan, store: Store, how: Execution, *, quiet: bool) -> Plan:
    """The plan with its corpora chosen; a fallback in use is said out loud."""
    from procdsl import progress
    from runner.bind import bind

    return bind(plan, store, how, (lambda event: None) if quiet else progress.note)


def _keep_spec(spec: Path, folder: Path) -> None:
    """The spec as it was written, beside the plan it became."""
    from runner.store import write

    target, content = folder / f"spec{spec.suffix}", spec.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        write(target, content)


@app.command()
def status(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Show how each trial of a study stands. Done, running, failed or pending, and why.

    procdsl status specs/dyck_then_c4.toml
    """
    from runner.bind import recall
    from runner.search import probed
    from runner.status import status

    plan, results = begun(spec, profile, set_, store)
    plans = (recall(plan, results), *probed(results, plan.study))
    found = {one.study: [asdict(trial) for trial in status(one, results)] for one in plans}
    if json:
        trials = found.pop(plan.study)
        report.data({"study": plan.study, "profile": plan.profile, "trials": trials, "searches": found})
        return
    for study, trials in found.items():
        report.trials(study, trials)


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
    """List, and with --yes delete, results that no study needs.

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
    from runner.bind import recall

    return recall(compile(spec).plan, store)


def _tell_outcome(
    named: str,
    plan: Plan,
    outcome: Outcome,
    compared: dict[str, Any] | None,
    undelivered: int,
    *,
    json: bool,
    quiet: bool,
) -> None:
    """How a run ended, what came out of it, and what to type next; `named` is the spec and its store."""
    again = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    if json:
        ended = asdict(outcome) | {"ok": outcome.exit_code == 0, "exit_code": outcome.exit_code}
        report.data({"study": plan.study, "undelivered": undelivered, "comparison": compared} | ended)
        return
    if compared and not quiet:
        comparisons.compared(compared)
    for name, reason in outcome.reasons.items():
        report.message(f"{name} failed: {reason}", help=f"to try again: {again}")
    if undelivered:
        report.line(
            f"{undelivered:,} points are not delivered yet; `procdsl sync {named}` delivers them", stderr=True
        )
    if outcome.stopped:
        count = len(outcome.stopped)
        report.line(
            f"stopped with {count} trials unfinished; everything is saved. Go on with: {again}", stderr=True
        )
    elif not quiet:
        report.line(f"MLflow: procdsl ui {named}")
        if plan.profile == "cpu":
            report.line("This was the cpu profile: it shows the machine at work, not the effect.")
            report.line(f"The study at full size, on a GPU: procdsl run {named} --profile none")

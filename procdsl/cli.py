"""The commands. Each gathers its arguments, calls what does the work, and hands the result to `report`.

Heavy things (the runner, torch) are imported inside the command that needs them. Errors are handled in one
place, `_Guarded`: commands just raise. Options that several commands share stand at the top.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
import tempfile
import traceback
from dataclasses import asdict
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from procdsl import overview, report
from procdsl.errors import Diagnostic, ProcdslError, RunError, Severity, SpecError, Stopped, UsageError

if TYPE_CHECKING:
    from procdsl.estimate import Speed
    from procdsl.plan import GenerateOperation, Plan
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

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None and command.help:
            # \b keeps the lines of a paragraph apart: each is a command to try.
            command.help = re.sub(r"\n\n(?= *procdsl )", "\n\n\b\n", command.help)
        return command

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
    """Find everything that is wrong with specs, each fault at its line.

    Exits with 2 if there is an error, with 0 if there are none or only warnings.

        procdsl check specs/*.toml
        procdsl check study.toml --set grammars.dyck.k=8 --profile cpu
    """
    from procdsl.compiler import compile

    found: list[Diagnostic] = []
    well: list[dict[str, Any]] = []
    for spec in specs:
        try:
            compiled = compile(spec, profile=profile, sets=set_ or ())
        except SpecError as error:
            found += error.diagnostics
            continue
        found += compiled.diagnostics
        plan = compiled.plan
        well.append(
            {"spec": str(spec), "study": plan.study, "profile": plan.profile, **overview.counts(plan)}
        )
    wrong = [finding for finding in found if finding.severity is Severity.ERROR]
    if json:
        told = [report.diagnostic_data(finding) for finding in found]
        report.data({"ok": not wrong, "specs": well, "diagnostics": told})
    else:
        report.diagnostics(wrong if quiet else found)
        for one in [] if quiet else well:
            report.line(overview.checked(one))
    if wrong:
        raise typer.Exit(2)


@app.command()
def plan(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the plan itself there, for diff and for elsewhere."),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure this device's speed first.")
    ] = False,
    json: JsonOpt = False,
    quiet: QuietOpt = False,
) -> None:
    """Show what a study will do and cost: phases, tokens, steps, FLOPs, memory, disk, transfers, and time.

    What an earlier run built is reused and marked. The time comes from its speed, or from --calibrate.

        procdsl plan specs/dyck_then_c4.toml
        procdsl plan specs/dyck_then_c4.toml --profile none --json > full.json
    """
    from procdsl.compiler import compile
    from procdsl.estimate import cost

    compiled = compile(spec, profile=profile, sets=set_ or ())
    bound, built, speed = _built(spec, compiled.plan, store)
    if calibrate:
        speed = _calibrated(bound)
    costs = cost(bound)
    if output:
        output.write_text(compiled.plan.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if json:
        told = [report.diagnostic_data(finding) for finding in compiled.diagnostics]
        measured = speed.model_dump(mode="json") if speed else None
        facts = {"cost": costs.model_dump(mode="json"), "built": sorted(built), "speed": measured}
        whole = {"plan": bound.model_dump(mode="json"), "keys": bound.keys}
        report.data({"study": bound.study, "profile": bound.profile, "diagnostics": told, **facts, **whole})
        return
    if not quiet:
        report.diagnostics(compiled.diagnostics)
    overview.plan(bound, costs, built, speed)


def _built(spec: Path, plan: Plan, wanted: Path | None) -> tuple[Plan, set[str], Speed | None]:
    """The plan bound as its study was, what of it the store has, and the speed that was made at."""
    root = wanted or spec.parent / ".procdsl"
    if not (root / "objects").is_dir():
        return plan, set(), None
    from procdsl.estimate import Speed, flops
    from procdsl.plan import GenerateOperation, MeasureOperation, TrainOperation
    from runner.bind import recall
    from runner.execution import device, parallelism, store_root
    from runner.store import Store

    results = Store(store_root(spec, wanted))
    if (results.root / "studies" / plan.study / "plan.json").exists():
        plan = recall(plan, results)
    made = {
        operation.id: facts
        for operation in plan.operations
        if not isinstance(operation, GenerateOperation | MeasureOperation)
        and (facts := results.done(operation.kind, plan.key(operation.id))) is not None
    }
    rates = sorted(
        made[operation.id]["tokens_per_s"] * flops(plan, operation) / operation.tokens
        for operation in plan.operations
        if isinstance(operation, TrainOperation) and made.get(operation.id, {}).get("tokens_per_s")
    )
    jobs, _ = parallelism(plan, device=device(), jobs=None, threads=None)
    return plan, set(made), Speed(flops=rates[len(rates) // 2], jobs=jobs) if rates else None


def _calibrated(plan: Plan) -> Speed:
    """The speed of this device on the plan's most expensive phase."""
    from procdsl.estimate import Speed, flops, vocabulary_size
    from procdsl.plan import TrainOperation
    from runner.calibrate import tokens_per_second
    from runner.execution import device, parallelism

    trains = [operation for operation in plan.operations if isinstance(operation, TrainOperation)]
    most = max(trains, key=lambda operation: flops(plan, operation))
    size = vocabulary_size(plan, most.vocabulary)
    jobs, threads = parallelism(plan, device=device(), jobs=None, threads=None)
    rate = tokens_per_second(most, size, device=device(), threads=threads)
    return Speed(flops=rate * flops(plan, most) / most.tokens, jobs=jobs)


@app.command()
def diff(
    before: Annotated[
        Path, typer.Argument(metavar="A", help="A study, or a plan written by `plan --output`.")
    ],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another, or another version of it.")],
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Name what differs between two studies, field by field, and what must be made again. --set changes B.

    procdsl diff old.toml new.toml
    procdsl diff study.toml study.toml --set training.precision=fp32
    """
    from procdsl.differences import differences

    found = differences(_plan_of(before, profile, []), _plan_of(after, profile, set_ or []))
    if json:
        report.data(found.model_dump(mode="json"))
    else:
        overview.differences(found)


def _plan_of(path: Path, profile: str, sets: list[str]) -> Plan:
    """The plan in a file, or of the study in it."""
    if path.suffix != ".json":
        from procdsl.compiler import compile

        return compile(path, profile=profile, sets=sets).plan
    from pydantic import ValidationError

    from procdsl.plan import Plan

    if sets:
        raise UsageError("--set changes studies, not plans", help="name the study's .toml or .yaml")
    try:
        content = loads(path.read_bytes())
        return Plan.model_validate_json(dumps(content.get("plan", content)))
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (ValidationError, ValueError, AttributeError, RecursionError):
        raise UsageError(
            f"{path} holds no plan", help="`procdsl plan SPEC --output plan.json` writes one"
        ) from None


@app.command()
def sample(
    spec: SpecArg,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A grammar or a source of the study.")],
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, max=1_000_000, help="How many.")] = 5,
    ids: Annotated[bool, typer.Option("--ids", help="Show ids instead of spellings.")] = False,
    length: Annotated[
        int | None, typer.Option(min=1, max=65_534, help="Words of this length instead.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    seed: Annotated[int, typer.Option(min=0, help="The data seed.")] = 0,
    start: Annotated[int, typer.Option(min=0, max=2**63, help="The index of the first row.")] = 0,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Show rows of a grammar or source, exactly as training reads them.

    What is dim is not scored; under brackets stands how deep they nest.

        procdsl sample specs/dyck_then_c4.toml dyck -n 2 --length 40
        procdsl sample specs/dyck_then_c4.toml dyck --split test --json
    """
    from procdsl import generate, sampling
    from procdsl.compiler import compile

    if split not in ("train", "validation", "test"):
        raise UsageError(f"{split!r} is no split", help="train, validation or test")
    made = sampling.operation(compile(spec, profile=profile, sets=set_ or ()), name, length, split)
    # The plain interpreter starts at once; kernels are compiled first, and then a thousand times as fast.
    if rows * made.context > 40_000:
        drawn = _drawn(made, seed, split, start, rows)
    else:
        part: Any = split
        drawn = generate.rows(made, seed=seed, split=part, start=start, count=rows)
    found = sampling.samples(made, drawn, start)
    if json:
        report.data({"name": name, "split": split, "rows": [asdict(one) for one in found]})
        return
    for one in found:
        sampling.show(one, ids=ids)


def _drawn(made: GenerateOperation, seed: int, split: str, start: int, rows: int) -> tuple[Any, Any]:
    """Rows by the kernels."""
    import numpy as np

    from runner.generators import fill

    ids = np.empty((rows, made.context + 1), np.int32)
    scored = np.empty((rows, made.context + 1), np.uint8)
    fill(made, seed=seed, split=split, start=start, ids=ids, scored=scored)
    return ids.tolist(), scored.tolist()


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it there.")] = None,
) -> None:
    """Print the JSON Schema of studies, which lets editors complete and check them.

    procdsl schema --output specs/procdsl.schema.json

    The first line of a spec then reads  #:schema ./procdsl.schema.json
    """
    from procdsl.schema import schema

    text = dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


@app.command()
def kinds(json: JsonOpt = False) -> None:
    """List every kind of grammar, source and evaluation, with what it is.

    procdsl kinds
    """
    from procdsl.schema import FAMILIES, kinds_of

    found = {family.__name__.lower() + "s": kinds_of(family) for family in FAMILIES}
    if json:
        report.data(found)
    else:
        overview.kinds(found)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name; the file is NAME.toml.")],
    template: Annotated[
        str, typer.Option(help="dyck_then_c4, or grammar: one grammar, no text.")
    ] = "dyck_then_c4",
) -> None:
    """Write a first study: whole, commented, and ready to run.

    procdsl new my_study --template grammar
    procdsl check my_study.toml
    """
    from procdsl import templates
    from procdsl.compiler.near import hint

    name = name.removesuffix(".toml")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        help = "use small letters, digits and _, beginning with a letter"
        raise UsageError(f"{name!r} cannot name a study", help=help)
    if template not in templates.names():
        raise UsageError(f"no template is called {template!r}", help=hint(template, templates.names()))
    path = Path(f"{name}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(templates.filled(template, name))
    except FileExistsError:
        raise UsageError(f"{path} exists already", help="choose another name, or remove it") from None
    report.line(f"wrote {path}; next: procdsl check {path}, procdsl plan {path}, procdsl run {path}")
    report.line("`procdsl schema -o procdsl.schema.json` beside it lets editors complete and check it")


@app.command()
def doctor(store: StoreOpt = None, json: JsonOpt = False) -> None:
    """Look at what this machine has and lacks: cores, memory, disk, torch, MLflow, the Hub, the store.

    procdsl doctor
    """
    from procdsl.doctor import examine

    found = []
    for finding in examine(store or Path(".procdsl")):
        found.append(asdict(finding))
        if not json:
            overview.doctor(finding)
    if json:
        report.data({"ok": all(one["well"] for one in found), "findings": found})


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
        folder=spec.parent,
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
    compared = _compared(bound, results, spec=spec) if bound.comparison and not outcome.stopped else None
    undelivered = sender.finish() if sender else 0
    named = shlex.join([str(spec), *(["--store", str(store)] if store else [])])
    _tell_outcome(named, bound, outcome, compared, undelivered, json=json, quiet=quiet)
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
    from runner.bind import recall
    from runner.execution import store_root
    from runner.status import status
    from runner.store import Store

    plan = compile(spec, profile=profile, sets=set_ or ()).plan
    results = Store(store_root(spec, store))
    if not (results.root / "studies" / plan.study / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    found = status(recall(plan, results), results)
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
    from runner.bind import recall

    plan = compile(spec).plan
    return recall(plan, store)


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
        report.comparison(compared)
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
    from runner.bind import recall
    from runner.execution import store_root
    from runner.store import Store, read_json

    plan = compile(spec, profile=profile, sets=set_ or ()).plan
    results = Store(store_root(spec, store))
    folder = results.root / "studies" / plan.study
    if not (folder / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    # What was run elsewhere, on a GPU say, is compared as it was run, whatever this machine would choose.
    if profile == "auto" and (ran := read_json(folder / "plan.json")["profile"]) != plan.profile:
        plan = compile(spec, profile=ran or "none", sets=set_ or ()).plan
    bound = recall(plan, results)
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
    from runner.tracking import attach

    comparison = compare(plan, store, metric=metric, target=target)
    folder = store.study(plan.study) / "compare"
    again = shlex.join(["procdsl", "compare", str(spec), *(["--metric", metric] if metric else [])])
    if metric:
        folder = folder / metric.replace("/", "-")
    paths = write_report(comparison, folder, command=f"{shlex.join(['procdsl', 'run', str(spec)])}\n{again}")
    if metric is None:
        attach(plan, store, [paths.html, *paths.png, paths.json])
    return document(comparison) | {"html": str(paths.html), "png": [str(path) for path in paths.png]}


# ---------------------------------------------------------------- data

data = typer.Typer(help="The texts of a study: fetch, count, verify them.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command("fetch")
def data_fetch(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
    quiet: QuietOpt = False,
) -> None:
    """Prepare the texts of a study on a connected machine, and say what to copy to one that is not.

    Name the profile that the other machine will run; none is the study at full size.

        procdsl data fetch specs/dyck_then_c4.toml --profile none
    """
    from procdsl import progress
    from procdsl.compiler import compile
    from runner.corpora.holdings import fetch
    from runner.execution import Execution, store_root
    from runner.store import Store

    plan = compile(spec, profile=profile, sets=set_ or ()).plan
    how = Execution(store=store_root(spec, store), strict_data=True, folder=spec.parent)
    paths = fetch(_bound(plan, Store(how.store), how, quiet=quiet), how, progress.note)
    if json:
        report.data({"store": str(how.store), "copy": [str(path) for path in paths]})
        return
    report.line(f"prepared in {how.store}; to run elsewhere without a network, copy into the store there:")
    for path in paths:
        report.line(f"  {path}")


@data.command("stats")
def data_stats(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Show what is held of each text of a study: which text it is, documents, tokens, bytes."""
    _data_told(spec, set_, profile, store, json=json, verify=False)


@data.command("verify")
def data_verify(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Read every shard of a study's texts and compare its hash with the manifest's."""
    _data_told(spec, set_, profile, store, json=json, verify=True)


def _data_told(
    spec: Path, sets: list[str] | None, profile: str, wanted: Path | None, *, json: bool, verify: bool
) -> None:
    from procdsl.compiler import compile
    from runner.bind import recall
    from runner.corpora.holdings import holdings
    from runner.execution import store_root
    from runner.store import Store

    store = Store(store_root(spec, wanted))
    plan = recall(compile(spec, profile=profile, sets=sets or ()).plan, store)
    found = holdings(plan, store, verify=verify)
    if json:
        report.data({"corpora": found, "verified": verify})
        return
    for one in found:
        if not one["prepared"]:
            report.line(f"{one['name']}: not prepared; {one['needed']:,} tokens are needed")
            continue
        said = f"{'a fallback, ' if one['fallback'] else ''}digest {one['digest'][:12]}"
        report.line(f"{one['name']}: {said}{', whole' if verify else ''}  {one['path']}")
        for split in ("train", "validation"):
            tokens, size, count = (one[f"{split}_{name}"] for name in ("tokens", "bytes", "documents"))
            rate = f", {size / tokens:.2f} bytes a token" if tokens else ""
            report.line(f"  {split:<10} {tokens:>13,} tokens in {count:,} documents{rate}")


# ---------------------------------------------------------------- MLflow


@app.command()
def sync(
    spec: SpecArg,
    tracking_uri: Annotated[
        str | None,
        typer.Option(help="An MLflow server [a database in the store].", envvar="MLFLOW_TRACKING_URI"),
    ] = None,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Deliver to MLflow what is pending of a study, also of trials run elsewhere and copied into the store.

    Doing it again delivers nothing twice. A study may be delivered to any number of servers.

        procdsl sync specs/dyck_then_c4.toml --tracking-uri http://mlflow.lab:5000
    """
    from runner.store import load_plan
    from runner.tracking import sync

    results, study = _study_of(spec, profile, set_ or [], store)
    found = sync(load_plan(results.study(study) / "plan.json"), results, tracking_uri)
    if json:
        report.data({"study": study, "ok": not found.pending, **asdict(found)})
    else:
        report.line(f"{found.delivered:,} points delivered to {found.uri}, {found.pending:,} pending")
        for trial, why in found.refused.items():
            report.message(f"{trial} is not delivered: {why}")
        if found.pending:
            report.message(found.problem or "not everything was delivered in time", help="try again later")
    if found.pending:
        raise typer.Exit(1)


@app.command()
def ui(
    spec: Annotated[Path | None, typer.Argument(metavar="[SPEC]", show_default=False)] = None,
    port: Annotated[int, typer.Option(help="Where on this machine.", min=1, max=65_535)] = 5000,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
) -> None:
    """Open MLflow's pages on a study's runs, until Ctrl-C.

    procdsl ui specs/dyck_then_c4.toml --port 5001
    """
    from runner.execution import store_root
    from runner.store import Store
    from runner.tracking import resolve_uri
    from runner.tracking.ui import page, serve

    if spec is None:
        results, study = Store(store_root(Path("spec"), store)), None
    else:
        results, study = _study_of(spec, profile, set_ or [], store)
    server = serve(results, port=port)
    report.line(f"MLflow starts on {server.url} …", stderr=True)
    with contextlib.suppress(KeyboardInterrupt), server:
        report.line(page(server.url, results, study, resolve_uri(results)) if study else server.url)
        server.wait()


def _study_of(spec: Path, profile: str, sets: list[str], wanted: Path | None) -> tuple[Store, str]:
    """The store of a spec, and the name of its study there."""
    from procdsl.compiler import compile
    from runner.execution import store_root
    from runner.store import Store

    results, study = Store(store_root(spec, wanted)), compile(spec, profile=profile, sets=sets).plan.study
    if not (results.root / "studies" / study / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    return results, study

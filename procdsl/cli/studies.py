"""Commands about specs and plans: check, plan, diff, new."""

from __future__ import annotations

import re
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import overview, report
from procdsl.cli.options import JsonOpt, ProfileOpt, QuietOpt, SetOpt, SpecArg, StoreOpt
from procdsl.errors import Diagnostic, Severity, SpecError, UsageError

if TYPE_CHECKING:
    from procdsl.estimate import Speed
    from procdsl.plan import Plan

app = typer.Typer(rich_markup_mode=None)


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
    """Find all that is wrong with specs, each fault at its line.

    Exits with 2 if there is an error, with 0 if there are none or only warnings.

        procdsl check specs/*.toml
        procdsl check study.toml --set grammars.dyck.k=8 --profile cpu
    """
    from procdsl.compiler import compile

    found: list[Diagnostic] = []
    well: list[dict[str, Any]] = []
    unreadable: list[UsageError] = []
    for spec in specs:
        try:
            compiled = compile(spec, profile=profile, sets=set_ or ())
        except SpecError as error:
            found += error.diagnostics
            continue
        except UsageError as error:
            unreadable.append(error)
            continue
        found += compiled.diagnostics
        plan = compiled.plan
        well.append(
            {"spec": str(spec), "study": plan.study, "profile": plan.profile, **overview.counts(plan)}
        )
    wrong = [finding for finding in found if finding.severity is Severity.ERROR]
    if json and not unreadable:
        told = [report.diagnostic_data(finding) for finding in found]
        report.data({"ok": not wrong, "specs": well, "diagnostics": told})
    elif not json:
        report.diagnostics(wrong if quiet else found)
        for one in [] if quiet else well:
            report.line(overview.checked(one))
    if unreadable:
        raise unreadable[0]
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
    """Show what a study will do and cost. Phases, tokens, steps, FLOPs, memory, disk, transfers and time.

    What an earlier run built is reused and marked. The time comes from its speed, or from --calibrate.

        procdsl plan specs/dyck_then_c4.toml
        procdsl plan specs/dyck_then_c4.toml --profile none --json > full.json
    """
    from procdsl.compiler import compile
    from procdsl.compiler.budgets import scored
    from procdsl.estimate import cost

    compiled = compile(spec, profile=profile, sets=set_ or ())
    bound, built, speed = _built(spec, compiled.plan, store)
    if calibrate:
        speed = _calibrated(bound)
    costs, counted = cost(bound), scored(compiled.spec)
    if output:
        output.write_text(compiled.plan.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if json:
        told = [report.diagnostic_data(finding) for finding in compiled.diagnostics]
        measured = speed.model_dump(mode="json") if speed else None
        facts = {
            "cost": costs.model_dump(mode="json"),
            "scored": {".".join(at): tokens for at, tokens in counted.items()},
            "built": sorted(built),
            "speed": measured,
        }
        whole = {"plan": bound.model_dump(mode="json"), "keys": bound.keys}
        report.data({"study": bound.study, "profile": bound.profile, "diagnostics": told, **facts, **whole})
        return
    if not quiet:
        report.diagnostics(compiled.diagnostics)
    overview.plan(bound, costs, built, speed, counted)


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
    if (results.study(plan.study) / "plan.json").exists():
        plan = recall(plan, results)
    made = {
        operation.id: facts
        for operation in plan.operations
        if not isinstance(operation, GenerateOperation | MeasureOperation)
        and (facts := results.done(operation.kind, plan.key(operation.id))) is not None
    }
    rates = sorted(
        (
            made[operation.id]["tokens_per_s"] * flops(plan, operation) / operation.tokens,
            made[operation.id]["conditions"].get("replicas", 1),
        )
        for operation in plan.of_kind(TrainOperation)
        if made.get(operation.id, {}).get("tokens_per_s")
    )
    if not rates:
        return plan, set(made), None
    jobs, _ = parallelism(plan, device=device(), jobs=None, threads=None)
    rate, replicas = rates[len(rates) // 2]
    return plan, set(made), Speed(flops=rate, jobs=jobs, replicas=replicas)


def _calibrated(plan: Plan) -> Speed:
    """The speed of this device on the plan's most expensive phase."""
    from procdsl.estimate import Speed, flops, vocabulary_size
    from procdsl.plan import TrainOperation
    from runner.calibrate import tokens_per_second
    from runner.execution import Execution, device, parallelism
    from runner.replicas import together

    most = max(plan.of_kind(TrainOperation), key=lambda operation: flops(plan, operation))
    size = vocabulary_size(plan, most.vocabulary)
    jobs, threads = parallelism(plan, device=device(), jobs=None, threads=None)
    how = Execution(Path(), device=device(), threads=threads)
    rate, replicas = tokens_per_second(plan, most, size, how), together(plan, most.id, how)
    return Speed(flops=rate * flops(plan, most) / most.tokens, jobs=jobs, replicas=replicas)


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
    """Name what differs between two studies, field by field. Says what must be made again; --set changes B.

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

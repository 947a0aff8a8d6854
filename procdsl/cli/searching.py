"""The command that finds the smallest budget with which a curriculum is as good as the baseline."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import report
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
from procdsl.cli.running import bound_plan, watched
from procdsl.errors import UsageError
from procdsl.pages import comparisons

if TYPE_CHECKING:
    from procdsl.compiler.probes import Search
    from procdsl.plan import Plan
    from runner.compare import Comparison
    from runner.engine import Outcome
    from runner.execution import Execution
    from runner.store import Store

app = typer.Typer(rich_markup_mode=None)


@app.command()
def search(
    spec: SpecArg,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The search [all of them].", show_default=False)
    ] = None,
    jobs: JobsOpt = None,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    device: DeviceOpt = "auto",
    threads: ThreadsOpt = None,
    store: StoreOpt = None,
    tracking_uri: TrackingOpt = None,
    tracking: DeliverOpt = True,
    strict_data: StrictOpt = False,
    offline: OfflineOpt = False,
    replicas: ReplicasOpt = "auto",
    json: JsonOpt = False,
    quiet: QuietOpt = False,
) -> None:
    """Search for the smallest budget of a phase that is enough.

    Enough is a budget with which the curriculum's mean reaches the baseline's.

    Every budget is trained for itself, with a schedule of its own length, in each seed of the study. What was
    trained before, by `run` or by an earlier search, is not trained again: stop at any time, the same command
    goes on. The probes are a study beside the spec's own, STUDY.NAME, in the store and in MLflow.

        procdsl search specs/substitutive_c4.toml sort_budget
    """
    from procdsl.compiler import compile
    from procdsl.compiler.near import hint
    from procdsl.compiler.probes import searches
    from runner import execution
    from runner.store import Store

    compiled = compile(spec, profile=profile, sets=set_ or ())
    known = searches(compiled.spec, compiled.plan.profile)
    if not known:
        raise UsageError(
            f"{spec} has no searches", help="write [searches.NAME] with curriculum, phase, between"
        )
    if name is not None and name not in known:
        raise UsageError(f"the study has no search {name!r}", help=hint(name, known))
    if not quiet:
        report.diagnostics(compiled.diagnostics)
    how = replace(
        execution.here(compiled.plan, spec, store=store, on=device, jobs=jobs, threads=threads),
        tracking_uri=tracking_uri,
        strict_data=strict_data,
        offline=offline,
        replicas=execution.replicas(replicas),
    )
    hunt = _Hunt(spec, compiled.plan, Store(how.store), how, tracking, quiet)
    found = [hunt.search(one) for key, one in known.items() if name in (None, key)]
    if json:
        report.data({"study": compiled.plan.study, "searches": found})
    else:
        for one in found:
            comparisons.searched(one)
    raise typer.Exit(max(one["exit_code"] for one in found))


@dataclass
class _Hunt:
    """What all searches of one command share."""

    spec: Path
    study: Plan
    store: Store
    how: Execution
    tracking: bool
    quiet: bool

    def search(self, search: Search) -> dict[str, Any]:
        """Try budgets until the answer is known, or a trial fails, or somebody stops it."""
        from runner.compare import compare
        from runner.search import ahead, enough

        tried: dict[int, bool] = {}
        while steps := ahead(search.grid, tried, search.tolerance):
            budgets = sorted((*tried, *steps))
            plan = self._bound(search.plan(budgets))
            outcome = self._carry_out(plan)
            comparison = compare(plan, self.store)
            arms = {arm.curriculum: arm for arm in comparison.arms}
            judged = {count: enough(arms[search.curriculum(count)], comparison) for count in budgets}
            tried = {count: verdict for count, verdict in judged.items() if verdict is not None}
            if outcome.exit_code or len(tried) < len(judged):
                break
        return self._told(search, plan, comparison, judged, outcome)

    def _bound(self, plan: Plan) -> Plan:
        """Bound to the texts that the study itself is bound to."""
        named = plan.model_copy(update={"study": self.study.study})
        own = bound_plan(named, self.store, self.how, quiet=True)
        return plan.with_operations(own.operations)

    def _carry_out(self, plan: Plan) -> Outcome:
        from runner.tracking import start_sender

        sender = start_sender(plan, self.store, self.how) if self.tracking else None
        outcome = watched(plan, self.store, self.how, quiet=self.quiet)
        if sender:
            sender.finish()
        return outcome

    def _told(
        self,
        search: Search,
        plan: Plan,
        comparison: Comparison,
        judged: dict[int, bool | None],
        outcome: Outcome,
    ) -> dict[str, Any]:
        """What was found, as data; kept in the store beside the comparison of all that was tried."""
        from runner.compare import write_report
        from runner.search import document
        from runner.store import write_json
        from runner.tracking import attach, start_sender

        folder = self.store.study(plan.study)
        again = shlex.join(["procdsl", "search", str(self.spec), search.name])
        paths = write_report(comparison, folder / "compare", command=again)
        told = {
            "search": search.name,
            "curriculum": search.written.curriculum,
            "phase": search.written.phase,
            "whole_steps": search.whole,
            "step_tokens": search.step_tokens,
            "tolerance_steps": search.tolerance,
            **document(comparison, {steps: search.curriculum(steps) for steps in judged}, judged),
            "exit_code": outcome.exit_code,
            "reasons": outcome.reasons,
            "html": str(paths.html),
            "png": [str(path) for path in paths.png],
        }
        write_json(folder / "search.json", told)
        attach(plan, self.store, [paths.html, *paths.png, paths.json, folder / "search.json"])
        if self.tracking:
            start_sender(plan, self.store, self.how).finish()
        return told

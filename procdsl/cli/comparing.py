"""The command that compares the curricula of a study."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import report
from procdsl.cli.opening import begun, floored, opened
from procdsl.cli.options import JsonOpt, ProfileOpt, SetOpt, SpecArg, StoreOpt
from procdsl.errors import UsageError
from procdsl.pages import comparisons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from procdsl.plan import Comparison, Plan
    from runner.store import Store

app = typer.Typer(rich_markup_mode=None)


@app.command()
def compare(
    spec: SpecArg,
    metric: Annotated[
        str | None, typer.Option(metavar="EVALUATION/METRIC", help="What to compare [the study's own].")
    ] = None,
    comparison: Annotated[str | None, typer.Option(metavar="NAME", help="One of several, as headed.")] = None,
    target: Annotated[float | None, typer.Option(help="Count tokens to this value of the metric.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Count each seed's steps to this value [the study's own].")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Copy the page there.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Compare the curricula of a study, finished or not. Writes the report.

    procdsl compare specs/dyck_then_c4.toml --metric c4/bits_per_byte --html report.html
    """
    from runner.bind import recall
    from runner.search import answered
    from runner.store import read_json

    plan, results = begun(spec, profile, set_, store)
    # What was run elsewhere, on a GPU say, is compared as it was run, whatever this machine would choose.
    ran = read_json(results.study(plan.study) / "plan.json")["profile"]
    if profile == "auto" and ran != plan.profile:
        plan, results = opened(spec, ran or "none", set_, store)
    bound = recall(plan, results)
    compared = comparison_of(
        bound, results, spec=spec, named=comparison, metric=metric, target=target, timed=threshold
    )
    page = Path(compared.get("html") or compared["comparisons"][0]["html"])
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        page = Path(shutil.copyfile(page, html)).resolve()
        compared["html"] = str(page)
    searches = list(answered(results, bound.study))
    if json:
        report.data(compared | {"searches": searches})
    else:
        comparisons.compared(compared)
        for found in searches:
            report.line(f"search {found['search']}: {comparisons.answer(found)}")
    if open_:
        typer.launch(str(page))


def comparison_of(
    plan: Plan,
    store: Store,
    *,
    spec: Path,
    named: str | None = None,
    metric: str | None = None,
    target: float | None = None,
    timed: float | None = None,
) -> dict[str, Any]:
    """The comparison of a study as data, and the report it is drawn in; of several, each and their matrix."""
    from runner.compare import compare, matrix, write_matrix, write_report
    from runner.compare.document import document
    from runner.tracking import attach

    plan, top = floored(plan, store), store.study(plan.study) / "compare"
    asked_for = {"--comparison": named, "--metric": metric}
    options = [word for key, value in asked_for.items() if value for word in (key, value)]
    again = shlex.join(["procdsl", "compare", str(spec), *options])
    command = f"{shlex.join(['procdsl', 'run', str(spec)])}\n{again}"
    found, files = [], []
    for asked in _asked(plan, named, metric):
        comparison = compare(plan, store, asked=asked, metric=metric, target=target, timed=timed)
        folder = top.joinpath(comparison.name, metric.replace("/", "-") if metric else "")
        paths = write_report(comparison, folder, command=command)
        found.append(
            document(comparison) | {"html": str(paths.html), "png": [str(path) for path in paths.png]}
        )
        files += [paths.html, *paths.png, paths.json]
    if len(found) == 1:
        several = found[0]
    else:
        table = matrix(found)
        files.append(write_matrix(table, top))
        several = {"study": plan.study, "comparisons": found, "matrix": table, "png": [str(files[-1])]}
    if not options:
        attach(plan, store, files)
    return several


def _asked(plan: Plan, named: str | None, metric: str | None) -> Sequence[Comparison | None]:
    """The comparisons of the study that are meant; None where a metric says all, or there are none."""
    if named is not None:
        from procdsl.compiler.near import hint

        known = {one.name: one for one in plan.comparisons if one.name}
        if named not in known:
            raise UsageError(f"the study has no comparison {named!r}", help=hint(named, known))
        return [known[named]]
    return [None] if metric else plan.comparisons or [None]

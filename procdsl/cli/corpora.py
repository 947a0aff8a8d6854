"""Commands about the texts of a study: fetch, stats, verify."""

from __future__ import annotations

from pathlib import Path

import typer

from procdsl import report
from procdsl.cli.opening import opened
from procdsl.cli.options import JsonOpt, ProfileOpt, QuietOpt, SetOpt, SpecArg, StoreOpt
from procdsl.cli.running import bound_plan

app = typer.Typer(rich_markup_mode=None)
data = typer.Typer(
    rich_markup_mode=None, help="The texts of a study: fetch, count, verify them.", no_args_is_help=True
)
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
    """Prepare the texts of a study on a connected machine. Says what to copy to one that is not.

    Name the profile that the other machine will run; none is the study at full size.

        procdsl data fetch specs/dyck_then_c4.toml --profile none
    """
    from procdsl import progress
    from runner.corpora.holdings import fetch
    from runner.execution import Execution

    plan, results = opened(spec, profile, set_, store)
    how = Execution(store=results.root, strict_data=True, folder=spec.parent)
    paths = fetch(bound_plan(plan, results, how, quiet=quiet), how, progress.note)
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
    """Show what is held of each text of a study. Which text it is, its documents, tokens and bytes."""
    _data_told(spec, set_, profile, store, json=json, verify=False)


@data.command("verify")
def data_verify(
    spec: SpecArg,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Read every shard of a study's texts again. Its hash must be the manifest's."""
    _data_told(spec, set_, profile, store, json=json, verify=True)


def _data_told(
    spec: Path, sets: list[str] | None, profile: str, store: Path | None, *, json: bool, verify: bool
) -> None:
    from runner.bind import recall
    from runner.corpora.holdings import holdings

    plan, results = opened(spec, profile, sets, store)
    found = holdings(recall(plan, results), results, verify=verify)
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

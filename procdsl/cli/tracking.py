"""Commands that reach MLflow: sync, ui."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from procdsl import report
from procdsl.cli.opening import begun
from procdsl.cli.options import JsonOpt, ProfileOpt, SetOpt, SpecArg, StoreOpt, TrackingOpt

app = typer.Typer(rich_markup_mode=None)


@app.command()
def sync(
    spec: SpecArg,
    tracking_uri: TrackingOpt = None,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Deliver to MLflow what is pending of a study. Of trials too that were run elsewhere and copied here.

    Doing it again delivers nothing twice. A study may be delivered to any number of servers.

        procdsl sync specs/dyck_then_c4.toml --tracking-uri http://mlflow.lab:5000
    """
    from runner.store import load_plan
    from runner.tracking import sync

    plan, results = begun(spec, profile, set_, store)
    study = plan.study
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
        plan, results = begun(spec, profile, set_, store)
        study = plan.study
    server = serve(results, port=port)
    report.line(f"MLflow starts on {server.url} …", stderr=True)
    with contextlib.suppress(KeyboardInterrupt), server:
        report.line(page(server.url, results, study, resolve_uri(results)) if study else server.url)
        server.wait()

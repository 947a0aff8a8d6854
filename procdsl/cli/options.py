"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
TrackingOpt = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri", help="An MLflow server [a database in the store].", envvar="MLFLOW_TRACKING_URI"
    ),
]
DeliverOpt = Annotated[bool, typer.Option("--tracking/--no-tracking", help="Deliver to MLflow.")]
JobsOpt = Annotated[int | None, typer.Option(help="Operations at once [cores; 1 on an accelerator].")]
DeviceOpt = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")]
ThreadsOpt = Annotated[int | None, typer.Option(help="Threads of each operation [cores / jobs].")]
StrictOpt = Annotated[bool, typer.Option("--strict-data", help="Use no fallback corpus.")]
OfflineOpt = Annotated[bool, typer.Option("--offline", help="Ask no server for data.")]
ReplicasOpt = Annotated[
    str,
    typer.Option(
        "--replicas", metavar="auto|off|N", help="Models of one shape side by side [on a GPU, if small]."
    ),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
QuietOpt = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]

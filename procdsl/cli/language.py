"""Commands about the language and this machine: sample, schema, kinds, doctor."""

from __future__ import annotations

import sys
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import overview, report
from procdsl.cli.opening import counted
from procdsl.cli.options import JsonOpt, ProfileOpt, SetOpt, SpecArg, StoreOpt
from procdsl.errors import UsageError

app = typer.Typer(rich_markup_mode=None)

if TYPE_CHECKING:
    from procdsl.plan import GenerateOperation


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
    """Show rows of a grammar or source, as training reads them.

    What is dim is not scored; under brackets stands how deep they nest.

        procdsl sample specs/dyck_then_c4.toml dyck -n 2 --length 40
        procdsl sample specs/dyck_then_c4.toml dyck --split test --json
    """
    from procdsl import generate, sampling
    from procdsl.compiler import compile

    if split not in ("train", "validation", "test"):
        raise UsageError(f"{split!r} is no split", help="train, validation or test")
    compiled = compile(spec, profile=profile, sets=set_ or ())
    made = counted(sampling.operation(compiled, name, length, split), compiled.plan, spec)
    # The plain interpreter starts at once; kernels are compiled first, and then a thousand times as fast.
    if rows * made.row > 40_000:
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

    ids = np.empty((rows, made.row), np.int32)
    scored = np.empty((rows, made.row), np.uint8)
    fill(made, seed=seed, split=split, start=start, ids=ids, scored=scored)
    return ids.tolist(), scored.tolist()


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it there.")] = None,
) -> None:
    """Print the JSON Schema of studies. It lets editors complete and check them.

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
def kinds(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", show_default=False)] = None,
    toml: Annotated[bool, typer.Option("--toml", help="Show the TOML of each.")] = False,
    json: JsonOpt = False,
) -> None:
    """List every kind of grammar, source, corpus and evaluation.

    Of one, all that its file says, and its keys.

    procdsl kinds
    procdsl kinds dyck
    """
    from procdsl.compiler.near import hint
    from procdsl.schema import FAMILIES, fields_of, kinds_of

    found = {name: kinds_of(family) for name, family in FAMILIES.items()}
    if kind is not None:
        found = {name: {kind: own[kind]} for name, own in found.items() if kind in own}
        if not found:
            known = {name for family in FAMILIES.values() for name in kinds_of(family)}
            raise UsageError(f"no kind is called {kind!r}", help=hint(kind, known))
    if json and kind is None:
        report.data(found)
    elif json:
        keys = {name: fields_of(FAMILIES[name], kind or "") for name in found}
        report.data({name: {"text": own[kind or ""], "keys": keys[name]} for name, own in found.items()})
    elif toml:
        overview.tables(found)
    elif kind is None:
        overview.kinds(found)
    else:
        for name, own in found.items():
            overview.kind(
                f"{FAMILIES[name].__name__.lower()} {kind}", own[kind], fields_of(FAMILIES[name], kind)
            )


@app.command()
def presets(
    preset: Annotated[str | None, typer.Argument(metavar="[PRESET]", show_default=False)] = None,
    json: JsonOpt = False,
) -> None:
    """List the generators of published studies. Of one, the tables it stands for and how it differs.

    procdsl presets
    procdsl presets delete
    """
    from procdsl import presets
    from procdsl.compiler.near import hint

    if preset is not None and preset not in presets.names():
        raise UsageError(f"no preset is called {preset!r}", help=hint(preset, presets.names()))
    found = [presets.preset(name) for name in ([preset] if preset else presets.names())]
    if json:
        report.data({one.name: asdict(one) for one in found})
    elif preset:
        overview.preset(found[0])
    else:
        overview.presets(found)


@app.command()
def doctor(store: StoreOpt = None, json: JsonOpt = False) -> None:
    """Look at what this machine has and lacks. Cores, memory, disk, torch, MLflow, the Hub, the store.

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

"""The command that hands a trained model to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from procdsl import report
from procdsl.cli.opening import begun
from procdsl.cli.options import JsonOpt, ProfileOpt, SetOpt, SpecArg, StoreOpt

app = typer.Typer(rich_markup_mode=None)


@app.command("export-model")
def export_model(
    spec: SpecArg,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it.", show_default=False)],
    curriculum: Annotated[str, typer.Option(help="Whose model.")],
    seed: Annotated[int, typer.Option(help="Which of its trials.")] = 0,
    phase: Annotated[str | None, typer.Option(help="After which phase [the last].")] = None,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    store: StoreOpt = None,
    json: JsonOpt = False,
) -> None:
    """Write a trained model as a Hugging Face folder. Says how lm-eval measures it.

    Of a phase on text the ids are the text's alone; of any other, tokens are words with blanks between them.

        procdsl export-model specs/dyck_then_c4.toml gpt2-dyck --curriculum dyck_first --seed 0
    """
    from runner.bind import recall
    from runner.exports import export_model

    plan, results = begun(spec, profile=profile, sets=set_, store=store)
    plan = recall(plan, results)
    found = export_model(plan, results, folder, curriculum=curriculum, seed=seed, phase=phase)
    command = f"lm_eval --model hf --model_args pretrained={folder},dtype=float32 --tasks blimp"
    if json:
        report.data(found | {"lm_eval": command})
        return
    report.line(f"{found['operation']} is in {folder}: {found['vocabulary']:,} ids")
    report.line(command)

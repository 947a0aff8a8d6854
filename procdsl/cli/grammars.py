"""Commands about one grammar: describe, accepts, next, audit, import, export."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from procdsl import report
from procdsl.cli.opening import counted
from procdsl.cli.options import JsonOpt, ProfileOpt, SetOpt, SpecArg
from procdsl.errors import UsageError

if TYPE_CHECKING:
    from procdsl.plan import GenerateOperation

app = typer.Typer(rich_markup_mode=None)

NameArg = Annotated[str, typer.Argument(metavar="NAME", help="A grammar or a source of the study.")]
# Rows are drawn for a description until there are so many tokens, or rows.
_TOKENS, _ROWS = 300_000, 20_000


@app.command()
def describe(
    spec: SpecArg,
    name: NameArg,
    length: Annotated[
        int | None, typer.Option(min=1, max=65_534, help="Words of this length, a row each.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it there as well.")] = None,
    rows: Annotated[int, typer.Option("-n", "--rows", min=0, max=100, help="How many samples.")] = 2,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Tell what a grammar is, and what can be learnt of it. Its class, words, floor, nesting, speed, samples.

    Floors and n-grams are over the scored tokens of rows as the study lays them out.

        procdsl describe specs/dyck_then_c4.toml dyck
        procdsl describe specs/dyck_then_c4.toml dyck --length 64 --plot dyck.png
    """
    from procdsl import describing, sampling
    from procdsl.compiler import compile
    from procdsl.compiler.generators import generate

    compiled = compile(spec, profile=profile, sets=set_ or ())
    made = sampling.chosen(compiled, name, length)
    context = made.longest() if length else max(compiled.spec.model.context, made.longest())
    operation = counted(generate(name, made, context), compiled.plan, spec)
    drawn, scored, speed = _drawn(operation)
    found = replace(describing.describe(made, operation, drawn, scored), tokens_per_s=speed)
    shown = list(sampling.samples(operation, (drawn[:rows].tolist(), scored[:rows].tolist()), 0))
    if plot:
        from procdsl.pages import figure

        figure.plot(found, plot)
    if json:
        report.data({**_described(asdict(found)), "samples": [asdict(one) for one in shown]})
        return
    from procdsl.pages import terminal

    terminal.show(found, shown)
    if plot:
        report.line(f"drawn in {plot}")


def _described(found: dict[str, Any]) -> dict[str, Any]:
    """A description as data: intervals as two bounds, counts as text where numbers of JSON lose digits."""
    found["floor"] = found["floor"] and found["floor"].model_dump()
    for count in found["counts"]:
        count["nats"] = count["nats"] and count["nats"].model_dump()
        count["words"] = _whole(count["words"])
    found["first_counts"] = [{"length": n, "words": _whole(words)} for n, words in found["first_counts"]]
    return found


def _whole(count: int | None) -> int | str | None:
    from procdsl.pages.terminal import number

    if count is None or count < 2**53:
        return count
    return str(count) if count.bit_length() < 10_000 else number(count)


def _drawn(made: GenerateOperation) -> tuple[Any, Any, float]:
    """Rows by the kernels, and how many of their tokens one core makes a second."""
    import numpy as np

    from runner.generators import fill

    rows = max(40, min(_ROWS, _TOKENS // made.row))
    ids = np.empty((rows, made.row), np.int32)
    scored = np.empty((rows, made.row), np.uint8)
    fill(made, seed=0, split="train", start=0, ids=ids, scored=scored)
    other, marks, number, begun = ids.copy(), scored.copy(), 0, time.process_time()
    while (spent := time.process_time() - begun) < 0.1:
        number += 1
        fill(made, seed=0, split="train", start=number * rows, ids=other, scored=marks)
    # Padding is no work done.
    useful = int((ids != made.tokens.index("<pad>")).sum()) / rows
    return ids, scored, number * rows * useful / spent


@app.command()
def accepts(
    spec: SpecArg,
    name: NameArg,
    word: Annotated[str, typer.Argument(metavar="WORD", help="Its symbols, with blanks between them.")],
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Say whether a word is one of the grammar's. If not, why and where. Exits with 0 or 1.

    Blanks may be left out where every symbol is one character. Lengths do not matter.

        procdsl accepts specs/dyck_then_c4.toml dyck "(0 (1 1) 0)"
    """
    from procdsl import recognising

    grammar = _grammar(spec, name, set_, profile)
    found = recognising.judge(grammar, recognising.read(grammar, word))
    if json:
        report.data(asdict(found))
    elif found.reason is None:
        report.line(f"yes, a word of {len(found.word)} symbols")
    else:
        report.rejected(found.word, found.place, found.reason)
    if found.reason is not None:
        raise typer.Exit(1)


@app.command("next")
def next_(
    spec: SpecArg,
    name: NameArg,
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help='How words begin; "" is allowed.')] = "",
    length: Annotated[int | None, typer.Option(min=1, max=65_534, help="Of words of this length.")] = None,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Show which symbols may follow a prefix. <end> is among them where it is a word itself.

    Exits with 1 where no word begins so.

        procdsl next specs/dyck_then_c4.toml dyck "(0 (1" --length 4
    """
    from procdsl import recognising

    grammar = _grammar(spec, name, set_, profile)
    symbols = recognising.read(grammar, prefix)
    legal = recognising.ordered(grammar, grammar.legal_next(symbols, length))
    if json:
        report.data({"prefix": symbols, "length": length, "next": legal})
    elif legal:
        report.line(" ".join(legal))
    else:
        found = recognising.judge(grammar, symbols)
        beyond = found.place is not None and found.place > len(symbols)
        of = f" of length {length}" if length else ""
        why = found.reason if found.reason and not beyond else f"no word{of} begins so"
        report.line(f"nothing can follow: {why}")
    if not legal:
        raise typer.Exit(1)


@app.command()
def audit(
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Files of one or more splits.")],
    grammar: Annotated[str, typer.Option(metavar="SPEC:NAME", help="The grammar of a study.")],
    field: Annotated[str | None, typer.Option(help="The key or column of words [text, tokens, …].")] = None,
    split: Annotated[str | None, typer.Option(help="The key or column of the split [a file is one].")] = None,
    row: Annotated[int | None, typer.Option(min=1, help="Tokens of a row, in token files.")] = None,
    dtype: Annotated[str, typer.Option(help="The type of a token, in .bin files.")] = "uint16",
    most: Annotated[int, typer.Option("--check", min=0, help="Distinct words the recogniser sees.")] = 10_000,
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
    json: JsonOpt = False,
) -> None:
    """Find duplicates, leaks between splits and invalid words. The procedural data may be anybody's.

    Reads JSONL, Parquet, text (a word a line) and token files (.bin, .npy: ids in the order of the grammar's
    tokens). Exits with 1 if something is found.

        procdsl audit train.jsonl test.jsonl --grammar study.toml:dyck
        procdsl audit all.parquet --grammar study.toml:dyck --field text --split part
    """
    from procdsl import recognising
    from runner.audit import Reading, audit

    spec, _, name = grammar.rpartition(":")
    if not spec:
        raise UsageError(f"{grammar!r} names no grammar of a study", help="as in --grammar study.toml:dyck")
    made = _grammar(Path(spec), name, set_, profile)
    found = audit(
        data,
        Reading(field=field, split=split, dtype=dtype, row=row),
        words=lambda row: recognising.words(made, row),
        reason=made.reason,
        most=most,
    )
    if json:
        report.data({"ok": found.clean, **asdict(found)})
    else:
        report.audited(asdict(found))
    if not found.clean:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A grammar of another tool.")],
    format: Annotated[
        str | None, typer.Option("--format", help="nltk, lark, gbnf or json [by the file's ending].")
    ] = None,
    name: Annotated[str, typer.Option(help="What the grammar is to be called.")] = "imported",
) -> None:
    """Print another tool's grammar as a table of a study. It reads NLTK, Lark, GBNF and layered JSON.

    procdsl import expr.lark --name expr >> study.toml
    """
    from procdsl import interchange

    endings = {".cfg": "nltk", ".pcfg": "nltk"}
    chosen = format or endings.get(file.suffix, file.suffix[1:])
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text") from None
    report.line(interchange.table(interchange.read(text, chosen), name).rstrip())


@app.command()
def export(
    spec: SpecArg,
    name: NameArg,
    format: Annotated[str, typer.Option("--format", help="lark, gbnf or nltk.")],
    set_: SetOpt = None,
    profile: ProfileOpt = "auto",
) -> None:
    """Print a context-free grammar for Lark, GBNF or NLTK. Its indices and repeats are multiplied out.

    procdsl export study.toml expr --format lark
    """
    from procdsl import interchange

    report.line(interchange.write(interchange.of(_grammar(spec, name, set_, profile)), format).rstrip())


def _grammar(spec: Path, name: str, sets: list[str] | None, profile: str) -> Any:
    """The grammar of that name. Sources that only rearrange rows have no words of their own."""
    from procdsl import sampling
    from procdsl.compiler import compile
    from procdsl.grammars.base import Grammar

    made = sampling.chosen(compile(spec, profile=profile, sets=sets or ()), name, None)
    if not isinstance(made, Grammar):
        raise UsageError(f"{name!r} is a source, and has no recogniser", help="name a grammar of the study")
    return made

"""`procdsl audit`: planted duplicates, leaks and invalid words are found in every format, and no more."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from procdsl.cli import app

SPEC = Path(__file__).parent / "compiler" / "good.toml"
GOOD = ["(0 0)", "(1 1)", "(0 (1 1) 0)", "(0 0) (1 1)"]


def audited(*arguments: Any) -> tuple[int, Any]:
    grammar = ["--grammar", f"{SPEC}:dyck", "--set", "grammars.dyck.k=2"]
    done = CliRunner().invoke(app, ["audit", *map(str, arguments), *grammar, "--json"])
    return done.exit_code, json.loads(done.stdout)


def jsonl(path: Path, words: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"text": word}) + "\n" for word in words), "utf-8")
    return path


def test_clean_data_is_clean(tmp_path: Path) -> None:
    code, found = audited(jsonl(tmp_path / "a.jsonl", GOOD[:2]), jsonl(tmp_path / "b.jsonl", GOOD[2:]))
    assert (code, found["ok"], found["distinct"], found["checked"]) == (0, True, 4, 4)


def test_planted_faults_are_found_and_placed(tmp_path: Path) -> None:
    train = jsonl(tmp_path / "train.jsonl", [*GOOD[:3], GOOD[0], "(0 1)"])
    test = jsonl(tmp_path / "test.jsonl", [GOOD[3], GOOD[1]])
    with test.open("a") as file:
        file.write("{half a line\n")
    code, found = audited(train, test)
    assert code == 1
    assert (found["duplicates"], found["invalid"], found["unreadable"]) == (1, 1, 1)
    assert found["leaks"] == {"train.jsonl → test.jsonl": 1}
    assert found["examples"]["duplicates"] == ["train.jsonl:4: as train.jsonl:1: (0 0)"]
    assert found["examples"]["leaks"] == ["test.jsonl:2: as train.jsonl:2: (1 1)"]
    assert found["examples"]["invalid"][0].startswith("train.jsonl:5: '1)' at 2 does not close")


def test_splits_by_column_in_parquet(tmp_path: Path) -> None:
    table = pyarrow.table({"w": [GOOD[0], GOOD[1], GOOD[0]], "part": ["train", "train", "test"]})
    parquet.write_table(table, tmp_path / "all.parquet")
    code, found = audited(tmp_path / "all.parquet", "--field", "w", "--split", "part")
    assert (code, found["leaks"]) == (1, {"train → test": 1})
    assert found["words"] == {"train": 2, "test": 1}


@pytest.mark.parametrize("ending", [".bin", ".npy"])
def test_token_files_with_rows_and_without(tmp_path: Path, ending: str) -> None:
    # (0 (1 0) 1) <bos> <end> <pad>
    rows = np.array([[4, 0, 2, 5, 1, 3, 5, 6], [4, 0, 1, 3, 2, 5, 6, 6]], np.uint16)
    path = tmp_path / f"rows{ending}"
    if ending == ".npy":
        np.save(path, rows)
    else:
        rows.tofile(path)
    code, found = audited(path, "--row", "8")
    assert (code, found["words"], found["invalid"]) == (0, {"all": 3}, 0)
    assert audited(path)[1]["words"] == {"all": 3}
    assert audited(path, "--row", "5")[1]["reason"] == "usage"


def test_lists_of_symbols_ids_and_compressed_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for row in (["(0", "0)"], [1, 3], "(0 (1 1) 0)", [99], 7):
            file.write(json.dumps(row) + "\n")
    code, found = audited(path)
    assert (code, found["distinct"], found["unreadable"], found["invalid"]) == (1, 3, 2, 0)
    assert found["examples"]["unreadable"] == ["a.jsonl.gz:4: 99 is no id: the grammar has 7 tokens"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nothing.jsonl"], "there is no file"), ([str(SPEC)], "cannot be read"), (["--field", "x"], "no 'x'")],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    if arguments[0] == "--field":
        arguments = [str(jsonl(tmp_path / "a.jsonl", GOOD)), *arguments]
    code, found = audited(*arguments)
    assert code == 2
    assert said in found["message"]

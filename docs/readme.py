"""Outputs in the README and in docs/findings.md, made by the commands they show.

`python -m docs.readme --store DIR --write [PAGE...]`. Between ``<!-- $ COMMAND -->`` and ``<!-- end -->``
stands what the command prints, on the machine that the page names. A study must have been run in that store;
what was not keeps what stands there. The README's figure is copied from its comparison.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import psutil
import torch

HERE = Path(__file__).parent
PAGES = {"README": HERE.parent / "README.md", "findings": HERE / "findings.md"}
STUDY = "dyck_then_c4"
BLOCK = re.compile(r"(<!-- \$ (.*?) -->\n).*?(<!-- end -->)", re.S)
FOOT = re.compile(r"(<!-- machine -->\n).*?(<!-- end -->)", re.S)


def main() -> None:
    """Fills in the pages."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--store", type=Path, required=True)
    arguments.add_argument("--write", action="store_true", required=True)
    arguments.add_argument("pages", nargs="*", choices=[*PAGES, []], default=[*PAGES])
    asked = arguments.parse_args()
    store = asked.store.resolve()
    for page in asked.pages:
        text = BLOCK.sub(
            lambda found: f"{found[1]}{_block(found[0], found[2], store)}", PAGES[page].read_text("utf-8")
        )
        PAGES[page].write_text(FOOT.sub(lambda found: f"{found[1]}{_machine()}\n{found[2]}", text), "utf-8")
    curves = store / "studies" / STUDY / "compare" / "curves.png"
    if "README" in asked.pages and curves.exists():
        shutil.copyfile(curves, HERE / "figures" / f"{STUDY}.png")


def _block(old: str, command: str, store: Path) -> str:
    """A block's new text; the old one, or that there is none, where a study is not in the store."""
    spec = re.search(r"specs/(\w+)\.toml", command)
    if " compare " in command and spec and not (store / "studies" / spec[1]).exists():
        kept = old.partition("-->\n")[2]
        return kept if kept != "<!-- end -->" else f"Not run yet.\n{kept}"
    return f"```text\n{_printed(command, store)}\n```\n<!-- end -->"


def _printed(command: str, store: Path) -> str:
    """What a procdsl command prints at 100 columns, the store's path shortened to its default."""
    words = [sys.executable, "-m", *shlex.split(command)]
    # The plan is shown as it is before anything was done: with no store to find things built in.
    found = store.with_name("none") if " plan " in command else store
    place = os.environ | {"PROCDSL_STORE": str(found), "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(words, cwd=HERE.parent, env=place, capture_output=True, text=True, check=True)
    lines = (line.rstrip().replace(str(store), "specs/.procdsl") for line in done.stdout.splitlines())
    return "\n".join(
        line for line in lines if not line.startswith(("report:", "matrix:")) or "dyck_then_c4" in command
    ).strip()


def _machine() -> str:
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    made = date.today().strftime("%B %Y")
    where = f"{psutil.cpu_count()} cores of {processor}, {memory:.0f} GiB"
    return f"Made in {made} on {where}, PyTorch {torch.__version__}."


if __name__ == "__main__":
    main()

"""The outputs and pictures of docs/grammars.md: `python -m docs.grammars --write [NAME...]`.

Its TOML blocks make one study; between ``<!-- $ COMMAND -->`` and ``<!-- end -->`` stands what the command
prints about it. The study is made again each time, and thrown away.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
PAGE = HERE / "grammars.md"
BLOCK = re.compile(r"(<!-- \$ (.*?) -->\n).*?(<!-- end -->)", re.S)
STUDY = """
procdsl = 1
name = "study"
seeds = [0]
model = { layers = 1, heads = 1, width = 8, context = 128 }
training = { batch_rows = 1, optimiser = { kind = "adamw", lr = 1e-3 }, schedule = { kind = "constant" } }
[curricula.only]
baseline = true
phases = [{ name = "one", data = "brackets", steps = 1 }]
"""


def main() -> None:
    """Fills in the page."""
    if sys.argv[1:2] != ["--write"]:
        sys.exit(__doc__)
    text = PAGE.read_text("utf-8")
    with TemporaryDirectory() as folder:
        tables = re.findall(r"^```toml\n(.*?)^```", text, re.S | re.M)
        (Path(folder) / "study.toml").write_text("\n".join([STUDY, *tables]), "utf-8")
        filled = BLOCK.sub(
            lambda found: (
                found[0]
                if sys.argv[2:] and shlex.split(found[2])[3] not in sys.argv[2:]
                else f"{found[1]}```text\n{_printed(found[2], Path(folder))}\n```\n{found[3]}"
            ),
            text,
        )
    PAGE.write_text(filled, "utf-8")


def _printed(command: str, folder: Path) -> str:
    """What a description prints at 100 columns, and its picture."""
    words = shlex.split(command)
    picture = (HERE / "figures" / f"grammar-{words[3]}.png").resolve()
    place = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *words, "--plot", str(picture)],
        cwd=folder, env=place, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    lines = [line.rstrip() for line in done.stdout.splitlines() if str(picture) not in line]
    return "\n".join(lines).strip()


if __name__ == "__main__":
    main()

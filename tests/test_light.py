"""The command line starts quickly: it imports nothing heavy, and costs little beside what it is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SPEC = HERE / "compiler" / "good.toml"
HEAVY = (
    "torch",
    "numpy",
    "numba",
    "datasets",
    "mlflow",
    "pandas",
    "transformers",
    "scipy",
    "matplotlib",
    "runner",
)


def modules(arguments: list[str]) -> set[str]:
    """The top-level packages that a command has imported, in a fresh process."""
    body = (
        "import sys\nfrom procdsl.cli import app\n"
        f"try: app({arguments!r}, standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    told = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True)
    return set(told.stdout.splitlines()[-1].split())


def cpu_seconds(*codes: str) -> list[float]:
    """The least processor time of each in several fresh processes, in turns: a busy machine only adds.

    What Python compiles is kept between them, as it is between two commands of a person.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    least = [float("inf")] * len(codes)
    for number in [*range(len(codes))] * 9:
        body = (
            f"import atexit, time\natexit.register(lambda: print('', time.process_time()))\n{codes[number]}"
        )
        run = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, env=kept)
        least[number] = min(least[number], float(run.stdout.split()[-1]))
    return least


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", str(SPEC)], ["diff", str(SPEC), str(SPEC)]], ids=str
)
def test_language_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert not modules(arguments) & set(HEAVY)


@pytest.mark.slow
def test_check_costs_a_few_times_its_libraries() -> None:
    """Half a time more than docs/decisions/0014 allows: a heavy import costs more, a busy machine less."""
    specs = SPEC, HERE.parent / "specs" / "dyck_then_c4.toml"
    call = "import sys\nfrom procdsl.cli import main\nsys.argv[1:] = 'check', {!r}\nmain()"
    libraries, small, demo = cpu_seconds(
        "import pydantic, typer", *(call.format(str(spec)) for spec in specs)
    )
    assert small <= 3.5 * libraries
    assert demo <= 3.75 * libraries

"""The command line starts quickly: it imports nothing heavy, and costs little beside what it is made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SPEC = Path(__file__).parent / "compiler" / "good.toml"
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
# Both load their parts when they are named: these are the parts that the language is made of.
BASE = """from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
import typer
typer.Typer, typer.Option"""


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
    """The least processor time of each in several fresh processes, in turns: a busy machine only adds."""
    least = [float("inf")] * len(codes)
    for number in [*range(len(codes))] * 7:
        body = f"{codes[number]}\nimport time; print('', time.process_time())"
        run = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True)
        least[number] = min(least[number], float(run.stdout.split()[-1]))
    return least


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", str(SPEC)], ["diff", str(SPEC), str(SPEC)]], ids=str
)
def test_language_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert not modules(arguments) & set(HEAVY)


def test_check_costs_at_most_three_times_its_libraries() -> None:
    check = f"from procdsl.cli import app\napp(['check', {str(SPEC)!r}], standalone_mode=False)"
    ours, libraries = cpu_seconds(check, BASE)
    assert ours <= 3 * libraries

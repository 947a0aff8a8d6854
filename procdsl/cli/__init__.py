"""The commands. Each gathers its arguments, calls what does the work, and hands the result to `report`.

Heavy things (the runner, torch) are imported inside the command that needs them. Errors are handled in one
place, `guard`: commands just raise. Importing a module of this package registers its commands, in this order.
"""

from __future__ import annotations

from procdsl.cli.guard import app

# isort: off
from procdsl.cli import studies, running, comparing, grammars, language, corpora, tracking  # noqa: F401
# isort: on

__all__ = ["app", "main"]


def main() -> None:
    """The entry point of the `procdsl` script."""
    app()

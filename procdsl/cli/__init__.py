"""The commands. Each gathers its arguments, calls what does the work, and hands the result to `report`.

A module is imported when one of its commands is asked for, and heavy things (the runner, torch) inside the
command that needs them. Errors are handled in one place, `guard`: commands just raise.
"""

from __future__ import annotations

import gc
import os

from procdsl.cli.guard import app

__all__ = ["app", "main"]


def main() -> None:
    """The entry point of the `procdsl` script.

    What starting makes lives to its end, and no plug-in of Pydantic's watches our models: looking for garbage
    and, in all that is installed, for plug-ins takes a twelfth of `procdsl check`. The runner does collect.
    """
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    app()

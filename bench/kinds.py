"""How fast rows of every kind of grammar are made: of the example that each kind's page shows, on one core.

    python -m bench kinds

Words are packed into rows of 2,048; other rows are as long as the example makes them, and a symbol of a short
row costs more.
"""

from __future__ import annotations

import sys

from bench.generators import rows_of
from procdsl.grammars.base import WordGrammar
from tests.grammars.examples import EXAMPLES, operation


def main() -> None:
    """Prints one line a kind."""
    for kind, grammar in EXAMPLES.items():
        made = operation(grammar, 2048 if isinstance(grammar, WordGrammar) else None)
        useful, first = rows_of(made)
        sys.stdout.write(
            f"{kind:24}{useful / 1e6:9.1f} M/s in rows of {made.context:5,}   first rows {first:6.2f} s\n"
        )


if __name__ == "__main__":
    main()

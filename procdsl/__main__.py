"""`python -m procdsl` is `procdsl`."""

from procdsl.cli import main

main()

"""Every benchmark in this folder, one after the other; `python -m bench generators` runs one.

Figures are ratios within one run: machines differ, and so does one machine from hour to hour.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

import bench


def main() -> None:
    known = sorted(found.name for found in pkgutil.iter_modules(bench.__path__) if found.name != "__main__")
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", choices=known, help=", ".join(known))
    for name in arguments.parse_args().names or known:
        sys.stdout.write(f"\n── {name}\n")
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()

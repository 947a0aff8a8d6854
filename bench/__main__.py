"""Every benchmark in this folder, one after the other; `python -m bench generators` runs one.

Figures are ratios within one run: machines differ, and so does one machine from hour to hour.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main() -> None:
    names = sys.argv[1:] or sorted(
        module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"
    )
    for name in names:
        sys.stdout.write(f"\n── {name}\n")
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()

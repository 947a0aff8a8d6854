"""``python -m tests.plans --write`` refreshes the golden plans; read the difference before committing it."""

from __future__ import annotations

import argparse
import sys

from tests.plans import FOLDER, golden, shipped, written


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.plans")
    parser.add_argument("--write", action="store_true", help="write the plans instead of comparing them")
    write = parser.parse_args().write
    plans = {golden(spec, profile): written(spec, profile) for spec, profile in shipped()}
    stale = [path for path in FOLDER.glob("*.json") if path not in plans]
    changed = [path for path, text in plans.items() if not path.exists() or path.read_text() != text]
    for path in stale if write else ():
        path.unlink()
    for path in changed if write else ():
        path.write_text(plans[path])
    for path in (*changed, *stale):
        sys.stdout.write(f"{path.name}\n")
    return 1 if (changed or stale) and not write else 0


if __name__ == "__main__":
    sys.exit(main())

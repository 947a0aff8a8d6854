"""Golden plans: every shipped spec in every profile, unbound, one operation a line, byte for byte."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from procdsl.compiler import compile
from procdsl.plan import Plan, canonical

FOLDER = Path(__file__).parent
SPECS = FOLDER.parents[1] / "specs"


def shipped() -> Iterator[tuple[Path, str | None]]:
    """Every shipped spec as it stands, and in each of its profiles."""
    for spec in sorted(SPECS.glob("*.toml")):
        for profile in (None, *tomllib.loads(spec.read_text()).get("profiles", {})):
            yield spec, profile


def golden(spec: Path, profile: str | None) -> Path:
    """Where a plan is kept."""
    return FOLDER / f"{spec.stem}.{profile or 'full'}.json"


def written(spec: Path, profile: str | None) -> str:
    """A spec's plan as it is kept: of one seed, for the others repeat it."""
    return spelt(compile(spec, profile=profile, sets=("seeds=[0]",)).plan)


def spelt(plan: Plan) -> str:
    """A plan as JSON that a difference can be read in: one operation a line, and its key."""
    whole = plan.model_dump(mode="json")
    lines = [f'"{name}":{canonical(whole[name])}' for name in ("format", "study", "question", "profile")]
    lines += [f'"{name}":[\n{_lines(whole[name])}\n]' for name in ("operations", "trials")]
    lines.append(f'"comparisons":{canonical(whole["comparisons"])}')
    lines.append(f'"keys":{json.dumps(plan.keys, indent=0)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(parts: list[object]) -> str:
    return ",\n".join(map(canonical, parts))

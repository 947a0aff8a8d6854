"""Searching for the smallest budget that is enough: which to try next, and what was found.

A budget is enough if the mean over paired seeds of (its final value - the baseline's) is no worse than zero.
More is not always better, so the answer is the smallest tried from which on *all* tried are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from procdsl.plan import Plan
from runner.compare.comparison import Arm, Comparison
from runner.compare.document import document as compared
from runner.store import Store, load_plan, read_json


@dataclass(frozen=True)
class Found:
    """The smallest budget that is enough, and the largest tried below it, in steps; None: there is none.

    `enough` None says that more than all that was asked for is needed; `below` None, that the least asked
    for is enough already. `holes` are smaller budgets that were enough although larger ones were not.
    """

    enough: int | None
    below: int | None
    holes: tuple[int, ...]


def ahead(grid: Sequence[int], tried: Mapping[int, bool], tolerance: int) -> tuple[int, ...]:
    """The budgets to try next, given which of those tried were enough; none when the search is over.

    >>> ahead((30, 100), {}, 5), ahead((30, 100), {30: False, 100: True}, 5)
    ((30, 100), (65,))
    >>> ahead((30, 100), {30: False, 65: True, 100: False}, 5)
    ()
    """
    if left := tuple(steps for steps in grid if steps not in tried):
        return left
    known = found(tried)
    if known.enough is None or known.below is None:
        return ()
    gap = known.enough - known.below
    return (known.below + gap // 2,) if gap > max(tolerance, 1) else ()


def found(tried: Mapping[int, bool]) -> Found:
    """What is known so far."""
    failed = max((steps for steps, enough in tried.items() if not enough), default=None)
    above = [steps for steps in tried if failed is None or steps > failed]
    holes = tuple(sorted(steps for steps, enough in tried.items() if enough and steps not in above))
    return Found(min(above, default=None), failed if above else None, holes)


def enough(arm: Arm, comparison: Comparison) -> bool | None:
    """Whether a curriculum's mean is no worse than the baseline's; None while a seed of either is missing."""
    paired = arm.difference
    if paired is None or paired.difference.n < len(arm.trials):
        return None
    return (paired.difference.mean <= 0) if comparison.lower_is_better else (paired.difference.mean >= 0)


def document(
    comparison: Comparison, names: Mapping[int, str], judged: Mapping[int, bool | None]
) -> dict[str, Any]:
    """What a search found, as data: the answer in steps, and all that was tried, with its numbers."""
    content = compared(comparison)
    arms = {arm["name"]: arm for arm in content["curricula"]}
    known = found({steps: verdict for steps, verdict in judged.items() if verdict is not None})
    lower = comparison.lower_is_better
    return {
        **{
            key: content[key]
            for key in ("study", "metric", "lower_is_better", "baseline", "basis", "warnings")
        },
        "baseline_final": arms[comparison.baseline]["final"],
        "found": asdict(known),
        "probes": [
            {"steps": steps, "enough": judged[steps], "seeds_enough": _seeds(arms[name], lower=lower)}
            | arms[name]
            for steps, name in sorted(names.items())
        ],
    }


def _seeds(arm: Mapping[str, Any], *, lower: bool) -> int:
    """How many seeds by themselves end no worse than the baseline."""
    differences = arm["difference"]["by_seed"].values() if arm["difference"] else ()
    return sum((value <= 0) if lower else (value >= 0) for value in differences)


def probed(store: Store, study: str) -> Iterator[Plan]:
    """The plans of a study's searches, as far as they came."""
    for path in sorted((store.root / "studies").glob(f"{study}.*/plan.json")):
        yield load_plan(path)


def answered(store: Store, study: str) -> Iterator[dict[str, Any]]:
    """What a study's searches found, of those that have been carried out."""
    for path in sorted((store.root / "studies").glob(f"{study}.*/search.json")):
        yield read_json(path)

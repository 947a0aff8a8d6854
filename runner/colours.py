"""The colour of each curriculum, the same in MLflow, in figures and in reports.

Chosen greedily for the largest least distance (CIELAB, over full sight and simulated protanopia,
deuteranopia and tritanopia: 23 at the least, where Okabe and Ito's eight come to 7 once the palest are
darkened) among colours whose contrast is at least 2.6 to white and 3 to near-black, so that one set serves
light and dark pages. Colours go by the order of the plan: adding a curriculum at the end recolours nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from procdsl.plan import Plan

BASELINE = "#808080"
PALETTE = ("#0072B2", "#D55E00", "#9600FF", "#C39669", "#8778FF", "#2DA5C3", "#875A3C")


def curriculum_colours(plan: Plan) -> dict[str, str]:
    """A colour as ``#rrggbb`` for every curriculum of the plan; baselines are grey.

    Curricula that are called the same in several comparisons have one colour.
    """
    labels = {name: label for one in plan.comparisons for label, name in one.curricula}
    grey = {labels.get(one.baseline, one.baseline) for one in plan.comparisons}
    names = list(dict.fromkeys(trial.curriculum for trial in plan.trials))
    colours = assign((labels.get(name, name) for name in names), baselines=grey)
    return {name: colours[labels.get(name, name)] for name in names}


def assign(names: Iterable[str], *, baselines: Container[str] = ()) -> dict[str, str]:
    """Colours by order of first appearance; past the palette's end they come round again.

    >>> assign(["text", "dyck", "text"], baselines={"text"})
    {'text': '#808080', 'dyck': '#0072B2'}
    """
    ordered = dict.fromkeys(names)
    others = (name for name in ordered if name not in baselines)
    coloured = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(others)}
    return {name: coloured.get(name, BASELINE) for name in ordered}

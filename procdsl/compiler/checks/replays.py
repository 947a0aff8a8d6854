"""Rows that are read again: of which phase, and whether it has them."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler.findings import Finding, unknown
from procdsl.compiler.resolve import rows_read
from procdsl.compiler.study import Study
from procdsl.language.curricula import PhaseSpec
from procdsl.language.study import ExperimentSpec


def replayed_phases_are_there(spec: ExperimentSpec) -> Iterator[Finding]:
    """P214, P339: a replay names an earlier phase of its curriculum that reads the same sources."""
    for name, curriculum in spec.curricula.items():
        earlier: dict[str, PhaseSpec] = {}
        for index, phase in enumerate(curriculum.phases):
            path = ("curricula", name, "phases", index, "replay")
            if phase.replay is None:
                earlier[phase.name] = phase
            elif phase.replay not in earlier:
                yield from unknown("P214", path, phase.replay, earlier, "earlier phase with rows of its own")
            elif strange := [feed for feed in phase.data if feed not in earlier[phase.replay].data]:
                message = f"{name}.{phase.name} reads {', '.join(strange)}, which {phase.replay} does not"
                yield Finding("P339", path, message, "replay a phase that does, or leave `replay` out")


def replayed_rows_are_there(study: Study) -> Iterator[Finding]:
    """P339: a replay reads rows as long as the other phase's, and no more of them than that has read."""
    for phase in study.phases():
        if phase.spec.replay is None:
            continue
        first = study.by_address[phase.address[0], phase.spec.replay]
        path, name = (*phase.path, "replay"), ".".join(phase.address)
        if phase.context != first.context:
            message = f"{name} has rows of {phase.context:,}, {first.spec.name} of {first.context:,}"
            yield Finding("P339", path, message, f"context = {first.context}")
        for feed in phase.feeds:
            if (rows := rows_read(phase, feed)) > (read := rows_read(first, feed)):
                message = (
                    f"{name} reads {float(rows):,.0f} rows of {feed}, {first.spec.name} {float(read):,.0f}"
                )
                yield Finding("P339", path, message, "a budget that is at most the other's")

"""Chart views of a study, ready in MLflow's UI: experiment tags in the form its "saved views" have.

The form is undocumented, read in MLflow's sources and seen to work in the versions below; outside them
nothing is written. A view that a person has changed since is theirs and stays.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import mlflow
from mlflow import MlflowClient

from procdsl.plan import GenerateOperation, MeasureOperation, Plan, PrepareOperation, digest

TESTED = ((3, 16), (3, 18))
# What `procdsl ui` opens.
FIRST = "procdslmeans"
_PREFIX = "mlflow.sharedViewState."
_FINGERPRINT = "procdsl.view."
_LONGEST_TAG = 20_000
_RUNS_SHOWN = 50


def write(client: MlflowClient, experiment_id: str, plan: Plan) -> str:
    """Write the study's views where they are missing or were ours; the id of the first, "" without any."""
    version = tuple(int(part) for part in mlflow.__version__.split(".")[:2])
    if not TESTED[0] <= version < TESTED[1]:
        return ""
    tags = client.get_experiment(experiment_id).tags
    for id, name, state in views(plan):
        packed = "deflate;" + base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
        there = tags.get(_PREFIX + id)
        if there is not None and not _ours(tags, id, there):
            continue
        if there is not None and json.loads(there)["state"] == packed:
            continue
        value = json.dumps({"name": name, "createdAt": int(time.time() * 1000), "state": packed})
        if len(value) <= _LONGEST_TAG:
            client.set_experiment_tag(experiment_id, _PREFIX + id, value)
            client.set_experiment_tag(experiment_id, _FINGERPRINT + id, digest(value))
    return FIRST


def views(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Id, name and state of every view."""
    curves = [f"eval/{metric}" for metric in _metrics(plan)]
    bars = [f"result/{metric.replace('/', '_')}" for metric in _metrics(plan)]
    sources = [one.name for one in plan.operations if isinstance(one, PrepareOperation | GenerateOperation)]
    lines = [_line(name) for name in [*curves, "train/loss"]]
    health = ["perf/tokens_per_s", "perf/data_wait", "train/grad_norm", "train/lr", "train/skipped"]
    probes = [f"train/loss/{name}" for name in sources] + [f"mix/{name}" for name in sources]
    results = [*(_bar(name) for name in bars), _parallel(bars[:1])]
    yield FIRST, "procdsl: curricula, mean over seeds", _state("Curricula", lines, group=True)
    yield "procdslcurves", "procdsl: every trial", _state("Trials", lines)
    yield "procdslresults", "procdsl: final results", _state("Results", results)
    yield "procdslsources", "procdsl: by source", _state("Sources", [_line(name) for name in probes])
    yield "procdslhealth", "procdsl: speed and health", _state("Health", [_line(name) for name in health])


def _metrics(plan: Plan) -> list[str]:
    """The metrics to look at, as "<evaluation>/<metric>": what the study compares first."""
    found = [comparison.metric for comparison in plan.comparisons]
    measures = plan.of_kind(MeasureOperation)
    found += [f"{measure.name}/{measure.measurement.headline}" for measure in measures]
    return list(dict.fromkeys(found))


def _ours(tags: dict[str, str], id: str, value: str) -> bool:
    return tags.get(_FINGERPRINT + id) == digest(value)


def _state(section: str, charts: list[dict[str, Any]], *, group: bool = False) -> dict[str, Any]:
    key = {"mode": "tag", "groupByData": "procdsl.curriculum"}
    return {
        "searchFilter": "tags.`procdsl.kind` = 'trial'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": ["params.`curriculum`", "params.`seed`"],
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupsExpanded": {},
        "groupBy": {"aggregateFunction": "average", "groupByKeys": [key]} if group else None,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        "compareRunCharts": [chart | {"uuid": f"{section}{i}"} for i, chart in enumerate(charts)],
        "compareRunSections": [_SECTION | {"name": section}],
    }


_COMMON = {"deleted": False, "isGenerated": False}
_SECTION = _COMMON | {"uuid": "procdsl", "display": True, "isReordered": True}
_CHART = _COMMON | {"runsCountToCompare": _RUNS_SHOWN, "metricSectionId": "procdsl"}


def _line(metric: str) -> dict[str, Any]:
    return _CHART | {
        "type": "LINE",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {},
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": False,
    }


def _bar(metric: str) -> dict[str, Any]:
    return _CHART | {"type": "BAR", "metricKey": metric, "displayName": metric}


def _parallel(metrics: list[str]) -> dict[str, Any]:
    return _CHART | {
        "type": "PARALLEL",
        "selectedParams": ["tokens.procedural", "tokens.text", "seed"],
        "selectedMetrics": metrics,
        "showAllRuns": False,
    }

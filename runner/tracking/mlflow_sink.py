"""MLflow as a sink: one experiment a study, one run a trial. The only module that calls MLflow.

It is imported by the sender's own process alone: importing MLflow takes seconds, its first contact with a
new database more, and a call to a server that hangs as long as its timeout.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from procdsl.errors import RunError
from procdsl.plan import Plan
from runner.store import Store
from runner.tracking import describe, samples
from runner.tracking.receipts import Course, Study, store_id
from runner.tracking.trajectory import Leg, Point

# The sender has its own patience: MLflow's would hold a dead server for minutes (measured: 247 s a call).
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",
}
for _name, _value in SETTINGS.items():
    os.environ.setdefault(_name, _value)

from mlflow import MlflowClient, set_tracking_uri  # noqa: E402 - reads the settings when imported
from mlflow.entities import Metric, Param, Run, RunTag  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from runner.tracking import lineage, views  # noqa: E402

_PERMANENT = {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED", "UNAUTHENTICATED"}
LARGEST_BATCH = 1000


class Unreachable(RunError):
    """The server does not answer, or not now: try again later."""


class Refused(RunError):
    """The server answers, and will answer the same next time. `gone` if it does not know the run."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        self.gone = gone
        super().__init__(message, reason="tracking")


@contextlib.contextmanager
def reaching() -> Iterator[None]:
    """Tell apart what time will mend and what it will not."""
    try:
        yield
    except MlflowException as error:
        if error.error_code in _PERMANENT:
            raise Refused(error.message, gone=error.error_code == "RESOURCE_DOES_NOT_EXIST") from error
        raise Unreachable(error.message, reason="tracking") from error
    except (OSError, SQLAlchemyError) as error:
        raise Unreachable(str(error), reason="tracking") from error


class Sink:
    """A connection to one tracking server for one study."""

    def __init__(self, plan: Plan, store: Store, uri: str) -> None:
        self.plan, self.store, self.uri = plan, store, uri
        with reaching(), _alone(uri):
            set_tracking_uri(uri)
            self.client = MlflowClient(uri)
            self.experiment_id = self._experiment()

    def run(self, course: Course) -> str:
        """The trial's run: known, found by its tag, or made; `Refused(gone=True)` if it was lost."""
        receipt = course.receipt
        with reaching():
            if receipt.run_id:
                if self.client.get_run(receipt.run_id).info.lifecycle_stage == "deleted":
                    raise Refused(f"its run {receipt.run_id} was deleted")
                return receipt.run_id
            found = self._find(course.identity) or self._create(course)
        receipt.run_id, receipt.experiment_id = found.info.run_id, self.experiment_id
        course.save()
        return receipt.run_id

    def send(self, run_id: str, points: Sequence[Point]) -> None:
        """Deliver at most 1,000 points; one that is there already, with the same time, is dropped."""
        with reaching():
            self.client.log_batch(run_id, metrics=[Metric(*point) for point in points])

    def views(self) -> str:
        """Write the study's chart views; the id of the first. A convenience: a refusal is passed over."""
        try:
            with reaching():
                return views.write(self.client, self.experiment_id, self.plan)
        except Refused:
            return ""

    def mark_versions(self, study: Study) -> None:
        """Tell the runs of the study as it is now from those that an earlier version of its spec left."""
        current = {course.identity for course in study.courses}
        ours = f"tags.`procdsl.store` = '{store_id(self.store)}'"
        with reaching():
            for run in self.client.search_runs([self.experiment_id], ours):
                kind = "trial" if run.data.tags["procdsl.local_run_id"] in current else "superseded"
                if run.data.tags["procdsl.kind"] != kind:
                    self.client.set_tag(run.info.run_id, "procdsl.kind", kind)

    def describe(self, course: Course) -> None:
        """Params, data and files that do not change. Writing them again writes the same."""
        run_id = course.receipt.run_id
        params = [Param(name, value) for name, value in describe.params(course).items()]
        with reaching():
            self.client.log_batch(run_id, params=params)
            self.client.log_inputs(run_id, datasets=lineage.datasets(course))
            for path in describe.files(self.plan, self.store):
                self.client.log_artifact(run_id, str(path))

    def sample(self, course: Course) -> None:
        """The first rows of every source, as text."""
        with reaching():
            self.client.log_text(course.receipt.run_id, samples.text(course), "samples.txt")

    def output(self, course: Course, *, leg: Leg) -> None:
        """What a finished leg made: its parameters as a model, and with what they were made."""
        with reaching():
            lineage.link(self.client, course, leg, self.experiment_id)
            if (path := leg.place / "provenance.json").exists():
                self.client.log_artifact(course.receipt.run_id, str(path), f"{leg.index + 1:02d}-{leg.phase}")

    def report(self, identity: str, files: Sequence[Path]) -> None:
        """The study's comparison, as files of a run of its own."""
        tags = {"procdsl.kind": "report", "procdsl.local_run_id": identity, "mlflow.source.name": "procdsl"}
        with reaching():
            run = self._find(identity) or self.client.create_run(
                self.experiment_id, tags=tags, run_name="comparison"
            )
            top = min((path.parent for path in files), key=lambda folder: len(folder.parts), default=Path())
            for path in files:
                inner = path.parent.relative_to(top) if path.parent.is_relative_to(top) else Path()
                self.client.log_artifact(
                    run.info.run_id, str(path), inner.as_posix() if inner.parts else None
                )
            self.client.set_terminated(run.info.run_id)

    def tag(self, course: Course, tags: dict[str, str]) -> None:
        with reaching():
            self.client.log_batch(course.receipt.run_id, tags=[RunTag(*tag) for tag in tags.items()])

    def status(self, course: Course, status: str, *, end: int | None = None) -> None:
        """Set a run's status: RUNNING, FINISHED, FAILED or KILLED."""
        with reaching():
            if status == "RUNNING":
                self.client.update_run(course.receipt.run_id, status=status)
            else:
                self.client.set_terminated(course.receipt.run_id, status=status, end_time=end)

    def _find(self, identity: str) -> Run | None:
        """The run made before by a call whose answer was lost; looked up, so that a retry makes no ghost."""
        wanted = f"tags.`procdsl.local_run_id` = '{identity}'"
        return next(iter(self.client.search_runs([self.experiment_id], wanted, max_results=1)), None)

    def _create(self, course: Course) -> Run:
        tags = describe.tags(course)
        begin = describe.began(course)
        return self.client.create_run(self.experiment_id, start_time=begin, tags=tags, run_name=course.name)

    def _experiment(self) -> str:
        name = f"procdsl/{self.plan.study}"
        if (found := self.client.get_experiment_by_name(name)) is not None:
            if found.lifecycle_stage == "deleted":
                raise Refused(f"the MLflow experiment {name} was deleted: restore it, or rename the study")
            return str(found.experiment_id)
        artefacts = (self.store.root.resolve() / "mlartifacts" / self.plan.study).as_uri()
        location = artefacts if self.uri.startswith("sqlite:") else None
        tags = describe.experiment_tags(self.plan)
        return str(self.client.create_experiment(name, artifact_location=location, tags=tags))


@contextlib.contextmanager
def _alone(uri: str) -> Iterator[None]:
    """Keep others away from a new sqlite file: of four first starts at once, three died (measured)."""
    if not uri.startswith("sqlite:"):
        yield
        return
    path = Path(uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=120):
        yield

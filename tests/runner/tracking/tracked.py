"""A study as MLflow's own client reads it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Experiment, LoggedModel, Metric, Run

from procdsl.plan import Plan
from runner.store import Store


@dataclass
class Tracked:
    """A study as MLflow's own client reads it."""

    plan: Plan
    store: Store
    uri: str

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    def runs(self) -> dict[str, Run]:
        found = self.client.search_runs([self.experiment().experiment_id])
        assert len({run.info.run_name for run in found}) == len(found)
        # A search leaves out which models a run read.
        return {run.info.run_name: self.client.get_run(run.info.run_id) for run in found}

    def experiment(self) -> Experiment:
        return self.client.get_experiment_by_name(f"procdsl/{self.plan.study}")

    def models(self) -> list[LoggedModel]:
        return list(self.client.search_logged_models([self.experiment().experiment_id]))

    def files(self, run: str) -> list[str]:
        return sorted(item.path for item in self.client.list_artifacts(self.runs()[run].info.run_id))

    def metrics(self, run: str, name: str) -> list[Metric]:
        history = self.client.get_metric_history(self.runs()[run].info.run_id, name)
        return sorted(history, key=lambda metric: (metric.timestamp, metric.step))

    def history(self, run: str, name: str) -> list[tuple[int, float]]:
        return sorted((metric.step, metric.value) for metric in self.metrics(run, name))

    def counts(self) -> Counter[tuple[str, str, int]]:
        """How often each (run, metric, step) is there."""
        return Counter(
            (name, metric, point.step)
            for name, run in self.runs().items()
            for metric in run.data.metrics
            for point in self.client.get_metric_history(run.info.run_id, metric)
        )

"""Comparing: results to statistics, savings, warnings, a report. Reads the plan and the store only."""

from __future__ import annotations

from runner.compare.comparison import Comparison, compare
from runner.compare.matrix import matrix, write_matrix
from runner.compare.page import ReportPaths, write_report

__all__ = ["Comparison", "ReportPaths", "compare", "matrix", "write_matrix", "write_report"]

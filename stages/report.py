"""Write reports/ and the funnel's plot table from what every other stage wrote."""

from __future__ import annotations

from lingshu.core.params import load_section
from lingshu.core.stage import run_stage
from lingshu.report.build import build_report
from lingshu.report.params import ReportParams


def main() -> None:
    build_report(load_section("report", ReportParams))


if __name__ == "__main__":
    run_stage("report", main)

"""`lingshu report-metrics`: options to scores, and how it ends."""

from __future__ import annotations

import typer

from lingshu.commands.option_class import command_of
from lingshu.commands.report_metrics import score_files
from lingshu.commands.report_options import ReportOptions

EXIT_INCOMPLETE = 1


def score_reports(options: ReportOptions) -> None:
    """Score generated reports against references: BLEU, ROUGE, METEOR, CIDEr, and with weights BERTScore, CheXbert."""
    told = score_files(
        options.references,
        options.candidates,
        options.settings(),
        sub_scores=options.sub_scores,
        written=options.written(),
        green=options.green(),
    )
    typer.echo(told.text, nl=False)
    if told.problems:
        problems = "".join(f"error: {problem}\n" for problem in told.problems)
        typer.echo(f"{problems}run the same command again to ask what is missing", err=True)
        raise typer.Exit(EXIT_INCOMPLETE)


report_metrics = command_of(ReportOptions, score_reports)

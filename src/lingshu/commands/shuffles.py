"""`lingshu eval --shuffles`: the same questions with their options in other orders, and what that says of a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lingshu.commands.scored_run import CONFIDENCE, SCORES
from lingshu.core.files import write_json
from lingshu.evalkit.items import numbered_lines
from lingshu.inference.evaluate import RESPONSES, AskedBenchmark
from lingshu.inference.record import read_run, too_many_failed
from lingshu.inference.shuffling import ORDER, Shuffles, shuffled

FOLDER = "shuffles"
REPORTS = "position_bias"


@dataclass(frozen=True, slots=True)
class ShuffleRequest:
    """How many other orders of options are asked, and the seed that they are drawn by."""

    count: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The shuffled questions by benchmark; benchmarks without multiple choice are not in it."""

    request: ShuffleRequest
    shuffles: Mapping[str, Shuffles]

    def places(self) -> list[str]:
        """Return the folders below OUT, one a shuffle; each is a run of its own that `lingshu compare` takes."""
        return [f"{FOLDER}/{number}" for number in range(1, self.request.count + 1)]

    def asked(self, benchmarks: Sequence[AskedBenchmark]) -> Iterator[AskedBenchmark]:
        """Yield what is asked beside the benchmarks themselves."""
        for benchmark in benchmarks:
            if (found := self.shuffles.get(benchmark.name)) is None:
                continue
            for number, (place, questions) in enumerate(zip(self.places(), found.questions, strict=True), start=1):
                record = {"shuffle": number, "shuffle_seed": self.request.seed}
                if questions:
                    yield AskedBenchmark(benchmark.name, questions, benchmark.record | record, place)


def plan_shuffles(benchmarks: Sequence[AskedBenchmark], request: ShuffleRequest) -> Plan:
    """Return which questions are asked in which orders."""
    found = {one.name: shuffled(one.questions, request.count, request.seed) for one in benchmarks}
    return Plan(request, {name: one for name, one in found.items() if any(one.questions) or one.left_out})


def failed_shuffles(plan: Plan, out: Path, most: float) -> list[str]:
    """Return a line for each shuffle of a benchmark that has too many questions without an answer."""
    names = [name for name, found in plan.shuffles.items() if any(found.questions)]
    return [
        f"{place}: {line}"
        for place in plan.places()
        if names
        for line in too_many_failed(read_run(out / place), names, most, out / place)
    ]


def tell_position_bias(plan: Plan, out: Path) -> Iterator[tuple[str, str]]:
    """Write `OUT/scores/position_bias/<benchmark>.json` and yield (benchmark, line) of what it says."""
    # numpy and scipy take a second to import; `lingshu --help` needs neither
    from lingshu.evalkit.position_bias import position_bias  # noqa: PLC0415

    for name, found in plan.shuffles.items():
        left_out = dict(sorted(found.left_out.items()))
        files = [out / place / RESPONSES / f"{name}.jsonl" for place in ("", *plan.places())]
        items, unanswered = _items(files) if any(found.questions) else ([], 0)
        report: dict[str, Any] = {"benchmark": name, "shuffles": plan.request.count, "shuffle_seed": plan.request.seed}
        report |= {"not_shuffled": left_out, "unanswered": unanswered}
        if items:
            report |= position_bias(items, CONFIDENCE, plan.request.seed)
        write_json(out / SCORES / REPORTS / f"{name}.json", report)
        yield from ((name, line) for line in _lines(report))


def _items(files: Sequence[Path]) -> tuple[list[Any], int]:
    """Return the items with an answer in every order, and how many lack one."""
    from lingshu.evalkit.position_bias import Asked  # noqa: PLC0415

    lines = [{line["id"]: line for line in (json.loads(raw) for _, raw in numbered_lines(file))} for file in files]
    items: list[Asked] = []
    unanswered = 0
    for identity, line in lines[0].items():
        if identity not in lines[1]:
            continue
        versions = [found[identity] for found in lines]
        if any(version["response"] is None for version in versions):
            unanswered += 1
        else:
            items.append(Asked(identity, line["cluster"], tuple(_reply(version) for version in versions)))
    return items, unanswered


def _reply(line: dict[str, Any]) -> Any:
    from lingshu.evalkit.items import ResponseLine  # noqa: PLC0415
    from lingshu.evalkit.parsing.mcq import gold_letters  # noqa: PLC0415
    from lingshu.evalkit.position_bias import Reply  # noqa: PLC0415
    from lingshu.evalkit.rules import score_strict  # noqa: PLC0415

    item = ResponseLine.model_validate(line).item()
    score = score_strict(item)
    order = item.meta.get(ORDER) or "".join(chr(ord("A") + place) for place in range(len(item.choices or ())))
    return Reply(
        _places(order), _places(score.parsed.replace(",", "")), _places(gold_letters(item.answer, item.choices)),
        score.correct is True,
    )  # fmt: skip


def _places(letters: Sequence[str]) -> tuple[int, ...]:
    return tuple(ord(letter) - ord("A") for letter in letters)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    left = ", ".join(f"{count} {reason}" for reason, count in report["not_shuffled"].items())
    notes = (f"; not shuffled: {left}" if left else "") + (
        f"; {report['unanswered']} without an answer in some order" if report["unanswered"] else ""
    )
    if "items" not in report:
        yield f"position bias: nothing to say{notes}"
        return
    accuracies = " ".join(f"{one['share']:.4f}" for one in report["orders"])
    whole, same = report["all_orders"], report["consistency"]
    yield (
        f"position bias over {report['items']} questions in {len(report['orders'])} orders: accuracy {accuracies}, "
        f"in all {_with_interval(whole)}; the same option in every order {_with_interval(same)}{notes}"
    )
    letters = " ".join(
        f"{letter} {cell['chosen']:.1%} ({cell['gold']:.1%})"
        for letter, cell in report["letters"].items()
        if cell["chosen"] is not None
    )
    p_value = report["letter_preference"]["p_value"]
    at_most = "≤ " if p_value <= 1 / report["letter_preference"]["resamples"] else ""
    yield f"letters chosen (right): {letters or 'none'}; preference for a letter: p {at_most}{p_value:.4f}"


def _with_interval(cell: dict[str, Any]) -> str:
    return f"{cell['share']:.4f} ({cell['low']:.4f}–{cell['high']:.4f})"

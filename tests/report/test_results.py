from __future__ import annotations

from pathlib import Path

from lingshu.report.examples import examples
from lingshu.report.results import comparisons, read_scores, summary_chart, tables, training_only

ORDER = ["untrained", "instruct", "reinforce"]


def test_tables_hold_every_checkpoint_in_training_order(run_tree: Path) -> None:
    found = {table.name: table for table in tables(run_tree, read_scores(run_tree), ORDER)}
    vqa = found["films_vqa"]
    assert vqa.checkpoints == tuple(ORDER)
    assert [row.topic for row in vqa.rows] == ["all", "presence"]
    assert [cell["accuracy"] for cell in vqa.rows[0].cells if cell] == [0.0, 1.0, 0.0]
    assert (vqa.rows[0].chance, vqa.rows[0].n, vqa.rows[0].clusters) == (0.5, 2, 2)
    assert found["films_report"].rows[0].cells[2]["rouge_l"] == 1.0


def test_a_checkpoint_that_was_not_asked_has_no_column(run_tree: Path) -> None:
    scores = read_scores(run_tree)
    del scores["untrained"]["films_caption"]
    found = {table.name: table for table in tables(run_tree, scores, ORDER)}
    assert found["films_caption"].checkpoints == ("instruct", "reinforce")
    assert "films_caption" in summary_chart(list(found.values()), ORDER)


def test_a_benchmark_whose_items_were_all_trained_on_has_an_empty_row_for_the_clean_ones(run_tree: Path) -> None:
    scores = read_scores(run_tree)
    name = tables(run_tree, scores, ORDER)[0].name
    for run in ORDER:
        scores[run][name]["clean"] = {"accuracy": None, "n": 0, "flagged": 9}
    row = next(row for row in tables(run_tree, scores, ORDER)[0].rows if row.topic == "clean")
    assert (row.n, row.clusters, row.chance) == (0, 0, None)


def test_chart_tells_value_interval_and_chance(run_tree: Path) -> None:
    chart = summary_chart(tables(run_tree, read_scores(run_tree), ORDER), ORDER)
    assert "instruct: 1.000 (0.342 to 1.000), n 2" in chart
    assert "chance 0.50" in chart
    assert "films_report" not in chart


def test_comparisons_carry_the_verdict(run_tree: Path) -> None:
    found = {c.benchmark: c for c in comparisons(read_scores(run_tree), ORDER)}
    assert found["films_report"].pair == "reinforce against instruct"
    assert found["films_report"].cell["verdict"] == "better"


def test_what_is_only_trained_on_is_listed(run_tree: Path) -> None:
    (only,) = training_only(run_tree)
    assert (only.benchmark, only.topic, only.answers) == ("films_vqa", "presence", ("perhaps <never>",))


def test_examples_show_question_gold_and_both_checkpoints(run_tree: Path) -> None:
    found = examples(run_tree, tables(run_tree, read_scores(run_tree), ORDER), seed=1, number=2)
    vqa = [example for example in found if example.benchmark == "films_vqa"]
    assert len(vqa) == 2
    assert all((e.response, e.before, e.gold, e.right) == ("no", "zzz", "yes", False) for e in vqa)
    assert all(e.image_id and e.question == "Is there a nodule?" for e in vqa)


def test_examples_are_half_right_where_both_kinds_exist(run_tree: Path) -> None:
    from lingshu.report.examples import _drawn

    mixed = {f"s{n}": float(n % 3 == 0) for n in range(30)}
    drawn = _drawn(mixed, strict=True, seed=1, number=4)
    assert [right for _, right in drawn] == [True, True, False, False]
    assert all(mixed[sample_id] == float(right) for sample_id, right in drawn)
    few = _drawn({"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}, strict=True, seed=1, number=4)
    assert sorted(right for _, right in few) == [False, False, False, True]


def test_a_line_separator_inside_an_answer_ends_no_line(tmp_path: Path) -> None:
    from lingshu.report.examples import _responses

    path = tmp_path / "data/responses/untrained/films_vqa.jsonl"
    path.parent.mkdir(parents=True)
    said = "no\u2028effusion\u0085seen"
    path.write_text(f'{{"id": "a", "response": "{said}"}}\n{{"id": "b", "response": "yes"}}\n', encoding="utf-8")
    found = _responses(tmp_path, "untrained", "films_vqa")
    assert {key: line["response"] for key, line in found.items()} == {"a": said, "b": "yes"}

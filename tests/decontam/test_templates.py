"""What every row of a benchmark says, and questions of one form, pair no training rows with it; its own texts do."""

import json
from pathlib import Path

from tests.decontam.overlapping import lines, overlap, words

TERMS = "This set was released by its authors under the terms of a licence that is told of beside it."
TASK = "Summarise the findings of the report that follows in one sentence for the doctor who asked for it."
FORM = "Which of the following statements is true?"


def names(rows: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Return the ids of each pair."""
    return {(row["train"].rpartition("#")[2], row["against"].rpartition("#")[2]) for row in rows}


def test_a_column_that_says_the_same_in_every_row_pairs_nothing(tmp_path: Path) -> None:
    items = [{"id": f"t{n}", "question": words(20), "answer": "yes", "terms_of_use": TERMS} for n in range(40)]
    rows = [{"id": f"r{n}", "question": words(20), "answer": "yes", "terms_of_use": TERMS} for n in range(40)]
    rows[7]["question"] = items[3]["question"]
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r7", "t3")}


def test_a_task_told_in_every_question_pairs_nothing_and_its_passages_do(tmp_path: Path) -> None:
    items = [{"id": f"t{n}", "question": TASK, "context": words(40), "answer": words(9)} for n in range(30)]
    rows = [{"id": f"r{n}", "question": TASK, "context": words(40), "answer": words(9)} for n in range(30)]
    rows[2]["context"] = f"{words(5)} {items[4]['context']}"
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r2", "t4")}
    assert json.loads((tmp_path / "out/summary.json").read_text())["template_questions"] == 30


def test_a_short_question_of_several_sets_of_options_counts_only_with_them(tmp_path: Path) -> None:
    items = [
        {"id": f"t{n}", "question": FORM, "options": [words(6) for _ in range(4)], "answer": "A"} for n in range(3)
    ]
    rows = [{"id": f"r{n}", "question": FORM, "options": [words(6) for _ in range(4)], "answer": "B"} for n in range(3)]
    rows[1] |= {"options": items[2]["options"][::-1], "answer": "D"}
    rows.append({"id": "answered", "question": FORM, "answer": items[0]["options"][0]})
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r1", "t2"), ("answered", "t0")}


def test_what_few_items_share_is_looked_for(tmp_path: Path) -> None:
    """A case with its questions, one question with several answers, and copies of one item."""
    case = words(50)
    items = [{"id": f"t{n}", "question": words(12), "context": case, "answer": words(3)} for n in range(12)]
    items += [{"id": f"o{n}", "question": "How long does a broken wrist hurt?", "answer": words(6)} for n in range(4)]
    items += [{"id": f"c{n}", "question": TASK, "answer": "yes"} for n in range(60)]
    rows = [
        {"id": "case", "text": case},
        {"id": "asked", "question": "How long does a broken wrist hurt?", "answer": words(9)},
        {"id": "copy", "question": TASK, "answer": words(9)},
    ]
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    expected = {("case", f"t{n}") for n in range(12)} | {("asked", f"o{n}") for n in range(4)}
    assert names(found) == expected | {("copy", f"c{n}") for n in range(60)}


def test_of_a_large_benchmark_a_share_says_what_is_often(tmp_path: Path) -> None:
    items = [{"id": f"t{n}", "question": words(14), "answer": "yes", "note": TERMS} for n in range(30)]
    items += [{"id": f"o{n}", "question": words(14), "answer": "yes"} for n in range(2_970)]
    rows = [{"id": "noted", "text": TERMS}]
    train = lines(tmp_path / "a.jsonl", rows)
    assert names(overlap(tmp_path / "out", [train], [lines(tmp_path / "b.jsonl", items)])) == {
        ("noted", f"t{n}") for n in range(30)
    }
    items[30]["note"] = TERMS
    assert overlap(tmp_path / "out2", [train], [lines(tmp_path / "b.jsonl", items)]) == []


FORM_OF_A_PROMPT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. Write it."
    "\n\n### Instruction:\nYou are a careful physician. Name the option that is right, in one letter.\n\n### Input:\n{}"
    "\n\n### Response:"
)


def test_an_instruction_before_every_question_pairs_nothing_and_the_questions_behind_it_do(tmp_path: Path) -> None:
    """In the items alone, in both, and where there are only a few items."""
    asked = [f"{words(7)}?" for _ in range(40)]
    items = [{"id": f"t{n}", "prompt": FORM_OF_A_PROMPT.format(text), "answer": "yes"} for n, text in enumerate(asked)]
    same = [{"id": "r0", "prompt": items[3]["prompt"]}, {"id": "r1", "question": asked[5]}]
    same.append({"id": "r2", "text": f"{words(30)} {asked[6]} {words(30)}"})
    others = [{"id": f"o{n}", "prompt": FORM_OF_A_PROMPT.format(f"{words(8)}?"), "output": "no"} for n in range(40)]
    train = lines(tmp_path / "a.jsonl", [*same, *others])
    found = overlap(tmp_path / "out", [train], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r0", "t3"), ("r1", "t5")}
    found = overlap(tmp_path / "few", [train], [lines(tmp_path / "c.jsonl", items[:6])])
    assert names(found) == {("r0", "t3"), ("r1", "t5")}


def test_a_question_that_ends_as_many_do_keeps_its_end(tmp_path: Path) -> None:
    end = "Which of these is the most likely diagnosis?"
    items = [{"id": f"t{n}", "question": f"{words(6)}. {end}", "answer": words(2)} for n in range(40)]
    rows = [{"id": "r0", "text": f"{words(20)} {items[9]['question']} {words(20)}"}]
    rows += [{"id": f"o{n}", "question": f"{words(6)}. {end}"} for n in range(40)]
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r0", "t9")}


def test_a_line_of_terms_in_every_caption_pairs_nothing_and_the_captions_do(tmp_path: Path) -> None:
    items = [{"id": f"t{n}", "caption": f"{words(9)}.\n{TERMS}"} for n in range(40)]
    rows = [{"id": f"r{n}", "caption": f"{words(9)}.\n{TERMS}"} for n in range(40)]
    rows[3]["caption"] = items[8]["caption"].upper()
    found = overlap(tmp_path / "out", [lines(tmp_path / "a.jsonl", rows)], [lines(tmp_path / "b.jsonl", items)])
    assert names(found) == {("r3", "t8")}

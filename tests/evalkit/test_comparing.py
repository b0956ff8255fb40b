"""Two runs compared: verdicts, what is left out, and mistakes."""

import json
import re
from statistics import fmean, stdev

import pytest
from scipy.stats import t

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.evalkit.comparing import ComparisonSettings, compare_runs
from lingshu.evalkit.comparison_table import table
from lingshu.evalkit.power import multiple
from lingshu.evalkit.runfiles import Answer, RunVerdicts, read_run

SETTINGS = ComparisonSettings(resamples=2000)


def run(name, **benchmarks):
    """A run from strings of 1 (right), 0 (wrong) and - (unscored), one character an item."""
    verdicts = {"1": True, "0": False, "-": None}
    answers = {
        (benchmark, str(n)): Answer(verdicts[mark], f"p{n}")
        for benchmark, marks in benchmarks.items()
        for n, mark in enumerate(marks)
    }
    return RunVerdicts(name, answers)


def by_name(found):
    return {one.benchmark: one for one in found.benchmarks}


def test_verdicts_effect_sizes_and_averages():
    a = run("A", up="0" * 40 + "1" * 60, same="01" * 50, down="1" * 30 + "0" * 10)
    b = run("B", up="1" * 38 + "00" + "1" * 58 + "00", same="10" * 5 + "01" * 45, down="0" * 25 + "1" * 5 + "0" * 10)
    found = compare_runs(a, b, SETTINGS)
    one = by_name(found)
    assert [one[name].verdict for name in ("up", "same", "down")] == ["better", "no evidence", "worse"]
    up = one["up"]
    assert (up.n, up.gained, up.lost, up.difference) == (100, 38, 2, pytest.approx(0.36))
    assert (up.a.mean, up.b.mean) == (pytest.approx(0.60), pytest.approx(0.96))
    assert up.low < 0.36 < up.high
    assert (up.odds_ratio, up.cohens_g) == (pytest.approx(38.5 / 2.5), pytest.approx(0.45))
    assert one["same"].cohens_g == 0.0
    means = found.mean_over_benchmarks, found.mean_over_items
    assert means[0].difference == pytest.approx((0.36 + 0.0 - 25 / 40) / 3)
    assert means[1].difference == pytest.approx((36 + 0 - 25) / 240)
    assert means[1].low < means[1].difference < means[1].high
    assert {means[0].verdict, means[1].verdict} <= {"better", "worse", "no evidence"}


def test_the_other_way_round_is_the_mirror_image():
    a, b = run("A", x="0" * 30 + "1" * 30), run("B", x="1" * 25 + "0" * 5 + "1" * 30)
    there, back = compare_runs(a, b, SETTINGS).benchmarks[0], compare_runs(b, a, SETTINGS).benchmarks[0]
    assert (there.verdict, back.verdict) == ("better", "worse")
    assert there.difference == -back.difference
    assert (there.low, there.high) == (pytest.approx(-back.high, abs=0.02), pytest.approx(-back.low, abs=0.02))
    assert there.p_value == pytest.approx(back.p_value)


def test_many_benchmarks_ask_for_more_evidence():
    a, b = "1" * 3 + "0" * 10 + "1" * 30, "0" * 3 + "1" * 10 + "1" * 30
    clearly = ("0" * 12 + "1" * 30, "1" * 12 + "1" * 30)
    alone = compare_runs(run("A", x=clearly[0]), run("B", x=clearly[1]), SETTINGS)
    assert alone.benchmarks[0].verdict == "better"
    others = {f"b{n}": a for n in range(30)}, {f"b{n}": b for n in range(30)}
    many = compare_runs(run("A", x=clearly[0], **others[0]), run("B", x=clearly[1], **others[1]), SETTINGS)
    found = by_name(many)
    assert found["b0"].mcnemar_p == pytest.approx(0.0923, abs=0.001)
    assert found["b0"].p_holm == 1.0
    assert found["b0"].verdict == "no evidence"
    assert found["x"].p_holm == pytest.approx(31 * found["x"].p_value)
    assert found["x"].minimum_detectable > alone.benchmarks[0].minimum_detectable


def test_a_suite_of_sixteen_can_still_show_what_twelve_clusters_can():
    a, b = {}, {}
    for benchmark in range(16):
        for n in range(60):
            a[f"b{benchmark}", str(n)] = Answer(False, f"p{n % 12}")
            b[f"b{benchmark}", str(n)] = Answer(benchmark == 0 or (benchmark == 1 and n < 30 + n % 12), f"p{n % 12}")
    found = by_name(compare_runs(RunVerdicts("A", a), RunVerdicts("B", b), SETTINGS))
    assert found["b0"].p_holm == pytest.approx(16 * 2**-11)
    assert [found[name].verdict for name in ("b0", "b1", "b2")] == ["better", "better", "no evidence"]
    assert found["b1"].minimum_detectable < found["b1"].difference < 1


def test_a_benchmark_does_not_change_by_standing_beside_another():
    a, b = run("A", x="0011" * 9, y="01" * 9), run("B", x="1010" * 9, y="11" * 9)
    both = by_name(compare_runs(a, b, SETTINGS))["x"]
    alone = compare_runs(run("A", x="0011" * 9), run("B", x="1010" * 9), SETTINGS).benchmarks[0]
    assert (both.low, both.high, both.bootstrap_p) == (alone.low, alone.high, alone.bootstrap_p)


def test_a_few_large_clusters_are_no_evidence():
    def clustered(name, mark):
        return RunVerdicts(name, {("x", str(n)): Answer(mark, f"report {n % 3}") for n in range(60)})

    found = compare_runs(clustered("A", False), clustered("B", True), SETTINGS).benchmarks[0]
    assert (found.clusters, found.p_value, found.verdict) == (3, 0.25, "no evidence")
    assert found.mcnemar_p < 1e-10
    single = RunVerdicts("A", {("x", str(n)): Answer(False, "one") for n in range(60)})
    other = RunVerdicts("B", {("x", str(n)): Answer(True, "one") for n in range(60)})
    found = compare_runs(single, other, SETTINGS)
    assert (found.benchmarks[0].low, found.benchmarks[0].high, found.benchmarks[0].verdict) == (-1, 1, "no evidence")
    assert (found.mean_over_items.low, found.mean_over_items.verdict) == (None, "no evidence")
    assert any("–" in line for line in table(found))


def test_a_handful_of_items_is_no_evidence_on_average_either():
    found = compare_runs(run("A", x="000", y="00"), run("B", x="111", y="11"), SETTINGS)
    assert found.mean_over_benchmarks.p_value == found.mean_over_items.p_value == 2**-4
    assert found.mean_over_benchmarks.verdict == found.mean_over_items.verdict == "no evidence"


def test_unscored_items_are_left_out_and_said():
    a, b = run("A", x="01-1" + "1" * 9, y="--"), run("B", x="1-01" + "1" * 9, y="11")
    found = compare_runs(a, b, SETTINGS)
    assert (found.benchmarks[0].n, found.benchmarks[0].unscored_a, found.benchmarks[0].unscored_b) == (11, 1, 1)
    assert found.unscored == ["y"]
    text = "\n".join(table(found))
    assert "x: left out 1 items without a verdict in A, 1 in B" in text
    assert "y: no item has a verdict in both runs" in text
    with pytest.raises(UserError, match="A, B: no item has a verdict in both runs"):
        compare_runs(run("A", x="--"), run("B", x="11"), SETTINGS)


def test_runs_over_other_items_are_refused_or_cut_to_what_is_common():
    a, b = run("A", x="0101"), run("B", x="01", y="1")
    with pytest.raises(UserError, match=r"not have the same items \(2 in both\):\s+2 items are in A only, .*'2' of x"):
        compare_runs(a, b, SETTINGS)
    found = compare_runs(a, b, ComparisonSettings(resamples=1000, common=True))
    assert (found.only_a, found.only_b, found.benchmarks[0].n) == (2, 1, 2)
    assert "left out: 2 items that only A has, 1 that only B has" in "\n".join(table(found))
    with pytest.raises(UserError, match=r"\(0 in both\)"):
        compare_runs(run("A", x="1"), run("B", y="1"), ComparisonSettings(common=True))


def graded(name, scores, clusters=None, **others):
    """A run of rubric items, beside benchmarks of verdicts."""
    own = clusters or [f"c{n}" for n in range(len(scores))]
    answers = {("health", str(n)): Answer(None, own[n], graded=True, score=score) for n, score in enumerate(scores)}
    return RunVerdicts(name, run(name, **others).answers | answers)


def test_rubric_items_are_compared_by_their_scores_and_never_by_mcnemar():
    low, high = [0.1 * (n % 5) - 0.2 for n in range(40)], [0.1 * (n % 5) + 0.05 * (n % 3) for n in range(40)]
    found = compare_runs(graded("A", low, x="01" * 10), graded("B", high, x="10" * 10), SETTINGS)
    one = by_name(found)["health"]
    assert (one.measure, one.n, one.verdict) == ("rubric", 40, "better")
    assert (one.mcnemar_p, one.odds_ratio, one.cohens_g) == (None, None, None)
    assert (one.a.mean, one.b.mean) == (pytest.approx(fmean(low)), pytest.approx(fmean(high)))
    delta = [b - a for a, b in zip(low, high, strict=True)]
    assert one.cohens_dz == pytest.approx(fmean(delta) / stdev(delta))
    half = t.interval(0.95, 39, fmean(delta), stdev(delta) / 40**0.5)
    assert (one.low, one.high) == (pytest.approx(half[0], abs=0.003), pytest.approx(half[1], abs=0.003))
    assert one.minimum_detectable == pytest.approx(multiple(40.0, 0.05 / 2, 0.8) * stdev(delta) / 40**0.5, rel=0.01)
    # The averages are of accuracies.
    assert found.mean_over_items.a == pytest.approx(0.5)
    text = "\n".join(table(found))
    assert "health [rubric]" in text
    assert "The averages are of accuracies" in text
    json.dumps(found.as_json(), allow_nan=False)


def test_rubric_items_of_few_clusters_and_unscored_ones():
    clusters = [f"patient {n % 3}" for n in range(30)]
    found = compare_runs(graded("A", [0.1] * 30, clusters), graded("B", [0.9] * 30, clusters), SETTINGS)
    one = by_name(found)["health"]
    assert (one.clusters, one.p_value, one.verdict) == (3, 0.25, "no evidence")
    assert (found.mean_over_items, found.mean_over_benchmarks) == (None, None)
    single = compare_runs(graded("A", [0.1] * 3, ["p"] * 3), graded("B", [0.9] * 3, ["p"] * 3), SETTINGS)
    assert single.as_json()["benchmarks"][0]["low"] is None
    assert "–" in table(single)[4]
    partly = compare_runs(graded("A", [0.1, None, 0.3]), graded("B", [0.2, 0.5, 0.1]), SETTINGS)
    assert (by_name(partly)["health"].n, by_name(partly)["health"].unscored_a) == (2, 1)
    assert "health: left out 1 items without a score in A, 0 in B" in "\n".join(table(partly))


def test_the_json_form_is_json_and_the_table_is_aligned():
    found = compare_runs(run("A", x="0" * 9 + "1"), run("B", x="1" * 10), SETTINGS)
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (data["version"], data["benchmarks"][0]["gained"], data["settings"]["resamples"]) == (1, 9, 2000)
    lines = table(found)
    assert lines[:2] == ["A: A", "B: B"]
    columns = re.split(r"\s{2,}", lines[4])
    assert columns[:5] == ["x", "10", "0.1000", "1.0000", "+0.9000"]
    assert lines[3].index("verdict") == lines[4].index("better")


def response(identity, given, **meta):
    fields = {"id": identity, "kind": "mcq", "question": "?", "choices": ["A. x", "B. y"], "answer": "B"}
    return json.dumps(fields | {"response": given, "meta": meta})


def scored(identity, correct, **meta):
    return json.dumps({"id": identity, "correct": correct, "rule": "r", "cluster": "c", "meta": meta})


def test_runs_are_read_from_scored_lines_responses_and_folders(tmp_path):
    (tmp_path / "one.jsonl").write_text("\n".join([response("1", "B", benchmark="m"), scored("2", None)]))
    found = read_run(tmp_path / "one.jsonl", "strict", 0)
    assert found.answers == {("m", "1"): Answer(True, ""), ("all", "2"): Answer(None, "c")}
    (tmp_path / "two.jsonl").write_text(response("1", ""))
    assert set(read_run(tmp_path, "strict", 0).answers) == {("m", "1"), ("one", "2"), ("two", "1")}
    assert read_run(tmp_path / "two.jsonl", "strict", 0).answers["all", "1"].correct is False
    (tmp_path / "two.jsonl").write_text(response("1", "").replace('"B",', '"A",', 1))
    assert read_run(tmp_path / "two.jsonl", "official", 0).answers["all", "1"].correct is True


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([scored("1", True), scored("1", True)], r"run.jsonl:2: id '1' of benchmark 'all' comes twice"),
        ([scored("1", True), '{"id": "2"}'], r"run.jsonl:2: neither a scored line nor a response"),
        (["[1]"], r"run.jsonl:1: neither a scored line nor a response"),
        ([scored("1", "yes")], r"run.jsonl:1.correct: Input should be a valid boolean"),
        ([scored("1", None)[:-1] + ', "score": NaN}'], r"run.jsonl:1.score: Input should be a finite number"),
        (["{"], r"run.jsonl:1: not JSON"),
        ([], r"run.jsonl: no scored lines or responses"),
    ],
)
def test_mistakes_in_runs_are_named(tmp_path, lines, complaint):
    (tmp_path / "run.jsonl").write_text("\n".join(lines))
    with pytest.raises(UserError, match=complaint):
        read_run(tmp_path / "run.jsonl", "strict", 0)


def test_rubric_scores_are_read_from_scored_lines(tmp_path):
    fields = {"correct": None, "rule": "judge:j", "judge": "j", "kind": "rubric", "cluster": "c"}
    lines = [{"id": "1", "score": -0.25} | fields, {"id": "2", "score": None} | fields]
    (tmp_path / "run.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read_run(tmp_path / "run.jsonl", "strict", 0).answers
    assert [answer.value for answer in found.values()] == [-0.25, None]
    assert all(answer.graded for answer in found.values())


def test_judged_scores_of_a_run_count_only_for_the_responses_they_are_of(tmp_path, capsys):
    """`lingshu eval` keeps them beside each other; another answer makes the judge's words stale."""
    for folder in ("responses", "scores/strict"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "run.json").write_text("{}")
    responses = tmp_path / "responses" / "own.jsonl"
    open_line = {"id": "1", "kind": "open", "question": "?", "answer": "lung", "response": "the lung"}
    empty = open_line | {"id": "3", "response": "<think>Well.</think>"}
    responses.write_text(json.dumps(open_line) + "\n" + response("2", "B") + "\n" + json.dumps(empty) + "\n")
    judged = {"id": "1", "kind": "open", "correct": True, "rule": "judge:j", "judge": "j"}
    old = json.loads(scored("2", False))  # what rules said then is not asked
    nothing = {"id": "3", "kind": "open", "correct": False, "rule": "no_answer", "no_answer": True}
    lines = "".join(json.dumps(line) + "\n" for line in (judged, old, nothing))
    (tmp_path / "scores" / "strict" / "own.jsonl").write_text(lines)
    summary = {"responses_sha256": sha256_file(responses), "judges": [{}], "n": 1}
    (tmp_path / "scores" / "strict" / "own.summary.json").write_text(json.dumps(summary))
    found = read_run(tmp_path, "strict", 0).answers
    assert [found["own", n].correct for n in "123"] == [True, True, False]
    assert read_run(tmp_path, "official", 0).answers["own", "1"].correct is False
    assert capsys.readouterr().err == ""
    responses.write_text(responses.read_text() + "\n")
    found = read_run(tmp_path, "strict", 0).answers
    assert [found["own", n].correct for n in "123"] == [None, True, None]
    told = capsys.readouterr().err
    assert "scores/strict/own.jsonl: 2 open answers or rubrics do not count" in told
    assert "run the same `lingshu eval --judge` again" in told


def test_runs_scored_by_other_rules_are_refused(tmp_path):
    lines = {
        "by_strict": scored("1", True).replace('"rule"', '"rules": "strict", "rule"'),
        "by_official": scored("1", False).replace('"rule"', '"rules": "official", "rule"'),
        "earlier": scored("1", True),
        "responses": response("1", "B"),
    }
    for name, line in lines.items():
        (tmp_path / f"{name}.jsonl").write_text(line)
    runs = {name: read_run(tmp_path / f"{name}.jsonl", "strict", 0) for name in lines}
    for a, b in (("by_strict", "responses"), ("by_strict", "earlier"), ("by_official", "earlier")):
        assert compare_runs(runs[a], runs[b], SETTINGS).benchmarks[0].n == 1
    for a in ("by_strict", "responses"):
        with pytest.raises(UserError, match=rf"{a}\.jsonl by strict, .*by_official\.jsonl by official"):
            compare_runs(runs[a], runs["by_official"], SETTINGS)
    both = {key.replace("_", " "): line for key, line in lines.items() if key.startswith("by")}
    (tmp_path / "both").mkdir()
    for name, line in both.items():
        (tmp_path / "both" / f"{name}.jsonl").write_text(line)
    mixed = read_run(tmp_path / "both", "strict", 0)
    with pytest.raises(UserError, match=r"both by official and strict, .*both by official and strict"):
        compare_runs(mixed, mixed, SETTINGS)


def test_missing_runs_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none.jsonl: no such file"):
        read_run(tmp_path / "none.jsonl", "strict", 0)
    with pytest.raises(UserError, match="no scored lines or responses"):
        read_run(tmp_path, "strict", 0)

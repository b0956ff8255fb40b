"""Pictures that were measured before are not decoded again, and the output is the same."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingshu.core.errors import UserError
from lingshu.signals import remembered as module
from lingshu.signals.measure import measure_source
from lingshu.signals.remembered import Remembered
from tests.corpora import SIGNALS_PARAMS, Corpus, scene

SCHEMA = pa.schema([("image_id", pa.string()), ("value", pa.int32())])


class Measurer:
    """Measures an id as its length, and notes what it was asked; stops after `most` batches."""

    def __init__(self, most: int = 1000) -> None:
        self.asked: list[str] = []
        self.most = most

    def __call__(self, ids: list[str]):
        for number, start in enumerate(range(0, len(ids), 3)):
            if number == self.most:
                raise KeyboardInterrupt
            batch = ids[start : start + 3]
            self.asked += batch
            yield pa.table([batch, [len(i) for i in batch]], schema=SCHEMA)


def test_only_new_ids_are_measured_and_rows_come_in_the_order_asked(tmp_path: Path) -> None:
    first, second = Measurer(), Measurer()
    assert Remembered(tmp_path, SCHEMA).complete(["a", "bb", "ccc"], first) == 3
    table = Remembered(tmp_path, SCHEMA)
    assert table.complete(["ccc", "dddd", "a"], second) == 1
    assert second.asked == ["dddd"]
    assert table.rows(["dddd", "a", "ccc"]).to_pylist() == [
        {"image_id": "dddd", "value": 4}, {"image_id": "a", "value": 1}, {"image_id": "ccc", "value": 3},
    ]  # fmt: skip
    assert table.rows([]).schema == SCHEMA


def test_a_killed_run_goes_on_and_many_parts_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_A_PART", 6)
    monkeypatch.setattr(module, "PARTS_AT_MOST", 3)
    ids = [f"{number:03d}" for number in range(60)]
    with pytest.raises(KeyboardInterrupt):
        Remembered(tmp_path, SCHEMA).complete(ids, Measurer(most=11))
    rest = Measurer()
    table = Remembered(tmp_path, SCHEMA)
    assert len(list(tmp_path.glob("rows-*.parquet"))) == 1
    table.complete(ids, rest)
    assert rest.asked == ids[30:]
    assert table.rows(ids)["image_id"].to_pylist() == ids


def test_rows_that_stand_twice_count_once(tmp_path: Path) -> None:
    Remembered(tmp_path, SCHEMA).complete(["a", "b"], Measurer())
    (tmp_path / "rows-000007.parquet").write_bytes((tmp_path / "rows-000000.parquet").read_bytes())
    assert len(Remembered(tmp_path, SCHEMA).rows(["a", "b"])) == 2


def test_measuring_again_decodes_only_new_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus(tmp_path)
    for seed in range(3):
        corpus.caption("films", f"Picture {seed}.", corpus.picture("films", scene(seed)))
    corpus.write()
    path = tmp_path / "data/signals/films/images.parquet"
    before = path.read_bytes()
    monkeypatch.setattr("lingshu.signals.pictures.decode", _refuse)
    measure_source("films", SIGNALS_PARAMS, tmp_path)
    assert path.read_bytes() == before
    with pytest.raises(UserError, match="decoded"):
        measure_source("films", SIGNALS_PARAMS.model_copy(update={"grey_tolerance": 9}), tmp_path)
    monkeypatch.undo()
    corpus.caption("films", "A fourth.", corpus.picture("films", scene(9)))
    corpus.write()
    assert len(pq.read_table(path)) == 4


def test_a_shard_that_is_gone_is_named(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.caption("films", "A picture.", corpus.picture("films", scene(1)))
    corpus.write()
    (tmp_path / "data/images/films/shard-00000.arrow").unlink()
    with pytest.raises(UserError, match=r"films: 1 pictures of its index are in no shard, such as [0-9a-f]{64}"):
        measure_source("films", SIGNALS_PARAMS, tmp_path)


def _refuse(image_id: str, data: bytes) -> None:
    raise UserError(f"picture {image_id} was decoded again")

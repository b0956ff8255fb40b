"""A lock file cut off at any byte is mended to its whole entries; one damaged otherwise is refused."""

import pytest
import yaml

from lingshu.commands.lockfile import is_whole, mend_lock
from lingshu.core.errors import UserError

ENTRY = """  {name}:
    cmd: python stages/x.py {name}
    deps:
    - path: stages/x.py
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
    outs:
    - path: data/{name}
      hash: md5
      md5: fedcba9876543210fedcba9876543210.dir
      size: 34
      nfiles: 2
"""
WHOLE = "schema: '2.0'\nstages:\n" + "".join(ENTRY.format(name=name) for name in ("pull@a", "gate", "mix@deep"))


def test_a_whole_file_is_left_alone(tmp_path):
    path = tmp_path / "dvc.lock"
    path.write_text(WHOLE)
    assert not mend_lock(path)
    assert path.read_text() == WHOLE
    assert not mend_lock(tmp_path / "absent.lock")


def test_a_file_cut_anywhere_keeps_its_whole_entries(tmp_path):
    path = tmp_path / "dvc.lock"
    for length in range(len(WHOLE)):
        path.write_text(WHOLE[:length])
        mend_lock(path)
        if path.exists():
            assert is_whole(path.read_text())
            stages = yaml.safe_load(path.read_text())["stages"]
            assert all(stages[name] == yaml.safe_load(WHOLE)["stages"][name] for name in list(stages)[:-1])
        else:
            assert length < len("schema: '2.0'\nstages:\n" + ENTRY.format(name="pull@a"))


def test_another_damage_is_refused(tmp_path):
    path = tmp_path / "dvc.lock"
    path.write_text("<<<<<<< ours\n" + WHOLE)
    with pytest.raises(UserError, match="git checkout"):
        mend_lock(path)

"""Atomic writing: killed, interrupted or out of space, a file is as it was or complete, never half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, check_files, check_folder, fresh_dir, write_json, write_text

WRITER = """
import pathlib, sys, time
from lingshu.core.files import atomic_path
with atomic_path(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("half of the new")
    print("writing", flush=True)
    time.sleep(60)
"""
FILLER = """
import pathlib, resource, sys
from lingshu.core.files import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_bytes(pathlib.Path(sys.argv[1]), b"x" * 1001)
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "old")
    return path


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_writer_leaves_the_old_file(target: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    child.send_signal(number)
    child.communicate(timeout=10)
    assert target.read_text() == "old"
    write_text(target, "new")
    assert target.read_text() == "new"


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(target: Path) -> None:
    result = subprocess.run([sys.executable, "-c", FILLER, str(target)], capture_output=True, text=True, check=False)
    assert "File too large" in result.stderr
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]
    assert target.read_text() == "old"


def test_an_error_while_writing_leaves_the_old_file_and_no_rubbish(target: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pipe", "it is a device or a pipe"),
        ("to_null", "it is a device or a pipe"),
        ("/dev/null", "it is a device or a pipe"),
        ("/dev/stdout", "it is a device or a pipe"),
        ("/dev/fd/1", "it is a device or a pipe"),
        ("/dev/no-such-device", "it is a device or a pipe"),
        ("/proc/self/fd/1", "it is a device or a pipe"),
        (".", "it is a folder"),
        ("to_folder", "it is a folder"),
        ("file/x", "file is no folder"),
        ("file/deep/x", "Not a directory"),
        ("n" * 300, "File name too long"),
        ("n" * 250, "File name too long"),
    ],
)
def test_what_is_no_file_is_never_replaced_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("to_null").symlink_to("/dev/null")
    Path("to_folder").symlink_to(tmp_path)
    Path("file").write_text("x")
    before = sorted(tmp_path.iterdir())
    leads_to = os.path.realpath(name)
    with pytest.raises(UserError) as caught:
        write_text(Path(name), "new")
    assert caught.value.what == f"{Path(name)}: can't be written: {what}"
    assert caught.value.fix
    assert sorted(tmp_path.iterdir()) == before
    assert os.path.realpath(name) == leads_to
    assert Path("file").read_text() == "x"


def test_a_file_in_shared_memory_is_a_file() -> None:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("no shared memory here")
    path = folder / f"lingshu-test-{os.getpid()}"
    write_text(path, "x")
    assert path.read_text() == "x"
    path.unlink()


def test_stdout_that_leads_to_a_file_is_not_replaced(tmp_path: Path) -> None:
    code = "from pathlib import Path\nfrom lingshu.core.files import write_text\nwrite_text(Path('/dev/stdout'), 'x')"
    with (tmp_path / "out").open("w") as out:
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert "UserError: /dev/stdout: can't be written: it is a device or a pipe" in result.stderr
    assert Path("/dev/stdout").is_symlink()


def test_outputs_overwrite_neither_inputs_nor_one_another(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target.parent)
    Path("link").symlink_to(target)
    new = target.with_name("new")
    check_files([None, new], [target])
    for outputs in ([target], [Path("file.txt")], [Path("link")]):
        with pytest.raises(UserError, match="it would overwrite an input"):
            check_files(outputs, [target])
    with pytest.raises(UserError, match="new: can't be written: it would overwrite another output"):
        check_files([new, Path("new")], [target])


def test_a_folder_that_is_none_is_named(target: Path) -> None:
    for folder in (target, target / "below"):
        for make in (check_folder, fresh_dir):
            with pytest.raises(UserError, match=rf"{folder}: can't be written: (it is no folder|Not a directory)"):
                make(folder)
    assert target.read_text() == "old"


def test_a_folder_without_the_right_to_write_is_named(target: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    target.parent.chmod(0o500)
    with pytest.raises(UserError, match=r"file\.txt: can't be written: .* is not writable"):
        write_text(target, "new")
    target.parent.chmod(0o700)


def test_readers_see_old_or_new_while_it_is_written_again_and_again(target: Path) -> None:
    code = "import pathlib, sys\nfrom lingshu.core.files import write_text\n" + (
        "while True:\n    for letter in 'ab': write_text(pathlib.Path(sys.argv[1]), letter * 100_000)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(target)])
    seen = set()
    end = time.monotonic() + 20
    while len(seen) < 3 and time.monotonic() < end:
        seen.add(target.read_text())
    child.kill()
    child.wait()
    assert seen == {"old", "a" * 100_000, "b" * 100_000}


@given(mapping=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4), data=st.data())
def test_json_does_not_depend_on_the_order_of_keys(
    tmp_path_factory: pytest.TempPathFactory, mapping: dict[str, object], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("json")
    write_json(folder / "first", mapping)
    write_json(folder / "second", dict(data.draw(st.permutations(list(mapping.items())))))
    assert (folder / "first").read_bytes() == (folder / "second").read_bytes()


def test_not_a_number_is_refused_in_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_fresh_dir_removes_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "out" / "stale", "x")
    assert list(fresh_dir(tmp_path / "out").iterdir()) == []

"""A bucket through the real botocore: signed or not, resumed, checked, and refused with a reason."""

from __future__ import annotations

import pytest

from lingshu.core.errors import UserError
from lingshu.intake import download as downloading
from lingshu.intake.meter import silent
from lingshu.intake.place import Place
from lingshu.intake.s3 import S3Remote
from tests.loopback import Loopback, Reply
from tests.loopback_s3 import KEY, SECRET, LoopbackS3

OBJECTS = {f"set/v1/part-{n}.bin": bytes([n]) * (300_000 if n == 0 else 10 * n) for n in range(5)}
OBJECTS |= {"set/v1/sub dir/é.txt": b"names", "set/v1/": b"", "set/v10/other.bin": b"not of the prefix"}


def aws(monkeypatch, tmp_path, endpoint, keys=True):
    """Settings of the machine, as a user would make them; nothing of this machine's own is read."""
    (tmp_path / "aws").mkdir(exist_ok=True)
    (tmp_path / "aws/config").write_text(f"[default]\nregion = us-east-1\nendpoint_url = {endpoint}\n")
    text = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n" if keys else ""
    (tmp_path / "aws/credentials").write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws/config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws/credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def s3(monkeypatch, tmp_path):
    monkeypatch.setattr(downloading, "pause", lambda *_: None)
    with LoopbackS3() as server:
        server.buckets["films"] = dict(OBJECTS)
        aws(monkeypatch, tmp_path, server.endpoint)
        yield server


def remote(files=(), place="s3://films/set/v1"):
    return S3Remote("src", Place(s3=place, files=list(files)), downloads=2)


def pull(there, tmp_path):
    got = {}
    for file in there.listing().files:
        there.fetch(file, tmp_path / "got" / file.name, silent)
        got[file.name] = (tmp_path / "got" / file.name).read_bytes()
    return got


def wanted():
    return {k.removeprefix("set/v1/"): v for k, v in OBJECTS.items() if k.startswith("set/v1/") and k != "set/v1/"}


def test_a_prefix_with_all_its_pages(s3, tmp_path):
    assert pull(remote(), tmp_path) == wanted()
    assert all("Authorization" in asked.headers for asked in s3.requests)
    assert sum("list-type=2" in asked.query for asked in s3.requests) == 4


def test_patterns(s3, tmp_path):
    assert pull(remote(["sub dir/*"]), tmp_path) == {"sub dir/é.txt": b"names"}
    with pytest.raises(UserError, match=r"src: s3://films/set/v1: no file 'x\*' among 6"):
        remote(["x*"]).listing()


def test_a_public_bucket_needs_no_keys(s3, tmp_path, monkeypatch):
    aws(monkeypatch, tmp_path, s3.endpoint, keys=False)
    s3.public.add("films")
    assert pull(remote(), tmp_path) == wanted()
    assert not any("Authorization" in asked.headers for asked in s3.requests)


def test_a_bucket_that_is_not_public_says_so(s3, tmp_path, monkeypatch):
    aws(monkeypatch, tmp_path, s3.endpoint, keys=False)
    with pytest.raises(UserError, match=r"the bucket refuses its list \(AccessDenied\)") as raised:
        remote().listing()
    assert "AWS_PROFILE" in raised.value.fix


def test_wrong_keys(s3, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UserError, match="SignatureDoesNotMatch") as raised:
        remote().listing()
    assert "wrong" not in str(raised.value)


def test_a_cut_connection_is_gone_on_from(s3, tmp_path):
    s3.plan["/films/set/v1/part-0.bin"] = [Reply(cut=100_000), Reply(cut=50_000)]
    assert pull(remote(["part-0.bin"]), tmp_path) == {"part-0.bin": OBJECTS["set/v1/part-0.bin"]}
    assert s3.downloads("films", "set/v1/part-0.bin") == ["", "bytes=100000-", "bytes=150000-"]


def test_an_object_that_changed_since_it_was_listed(s3, tmp_path):
    there = remote(["part-0.bin"])
    (file,) = there.listing().files
    s3.plan["/films/set/v1/part-0.bin"] = [Reply(cut=100), Reply(404)]
    s3.buckets["films"]["set/v1/part-0.bin"] = b"another"
    with pytest.raises(UserError, match=r"part-0\.bin was changed in the bucket") as raised:
        there.fetch(file, tmp_path / "x", silent)
    assert "--refresh" in raised.value.fix
    assert not (tmp_path / "x").exists()


def test_a_part_of_another_version_is_thrown_away(s3, tmp_path):
    (tmp_path / "x.part").write_bytes(b"old" * 100)
    (tmp_path / "x.part.version").write_text("another")
    there = remote(["part-0.bin"])
    there.fetch(there.listing().files[0], tmp_path / "x", silent)
    assert (tmp_path / "x").read_bytes() == OBJECTS["set/v1/part-0.bin"]
    assert s3.downloads("films", "set/v1/part-0.bin") == [""]


def test_a_part_that_is_whole_is_not_downloaded_again(s3, tmp_path):
    there = remote(["part-0.bin"])
    (file,) = there.listing().files
    (tmp_path / "x.part").write_bytes(OBJECTS["set/v1/part-0.bin"])
    (tmp_path / "x.part.version").write_text(file.version)
    there.fetch(file, tmp_path / "x", silent)
    assert s3.downloads("films", "set/v1/part-0.bin") == []


def test_bytes_that_were_damaged_on_the_way(s3, tmp_path):
    there = remote(["part-0.bin"])
    (file,) = there.listing().files
    damaged = b"\1" + OBJECTS["set/v1/part-0.bin"][1:]
    s3.plan["/films/set/v1/part-0.bin"] = [Reply(200, damaged, {"ETag": f'"{file.version}"'})]
    with pytest.raises(UserError, match=r"part-0\.bin: has MD5 \w+, the bucket says"):
        there.fetch(file, tmp_path / "x", silent)
    assert list(tmp_path.glob("x*")) == []


@pytest.mark.parametrize("how", ["sent in pieces", "encrypted"])
def test_an_etag_that_is_no_digest(s3, tmp_path, how):
    key = "set/v1/part-1.bin"
    s3.etags[key] = "0" * 32 if how == "encrypted" else f"{'0' * 32}-3"
    s3.encrypted = {key} if how == "encrypted" else set()
    assert pull(remote(["part-1.bin"]), tmp_path) == {"part-1.bin": OBJECTS[key]}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://nothing/x", "src: s3://nothing/x: no such bucket"),
        ("s3://films/nowhere", "src: s3://films/nowhere: holds no files"),
    ],
)
def test_no_such_place(s3, place, said):
    with pytest.raises(UserError, match=said):
        remote(place=place).listing()


def test_an_object_that_is_gone(s3, tmp_path):
    there = remote(["part-1.bin"])
    (file,) = there.listing().files
    del s3.buckets["films"]["set/v1/part-1.bin"]
    with pytest.raises(UserError, match=r"part-1\.bin is not there \(any more\)"):
        there.fetch(file, tmp_path / "x", silent)


def test_a_busy_bucket_is_asked_again_and_given_up(s3, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    slow = Reply(503, b"<Error><Code>SlowDown</Code></Error>", {"Content-Type": "application/xml"})
    s3.plan["/films/set/v1/part-1.bin"] = [slow] * 3
    assert pull(remote(["part-1.bin"]), tmp_path) == {"part-1.bin": OBJECTS["set/v1/part-1.bin"]}
    s3.plan["/films"] = [slow] * 20
    with pytest.raises(UserError, match=r"the bucket is busy at its list \(SlowDown\)"):
        remote().listing()


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with Loopback(lambda asked: Reply(200)) as gone:
        aws(monkeypatch, tmp_path, gone.endpoint)
    with pytest.raises(UserError, match="the bucket can't be reached for its list") as raised:
        remote().listing()
    assert "AWS_ENDPOINT_URL" in raised.value.fix


def test_a_full_disk(s3, tmp_path):
    (tmp_path / "x.part").symlink_to("/dev/full")
    there = remote(["part-0.bin"])
    with pytest.raises(UserError, match=r"x\.part: can't be written: No space left"):
        there.fetch(there.listing().files[0], tmp_path / "x", silent)

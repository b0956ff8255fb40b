"""PhysioNet with the user's own credentials: who gets the password, what is verified, what is said when it says no."""

from __future__ import annotations

import pytest

from lingshu.core.errors import UserError
from lingshu.intake import download as downloading
from lingshu.intake.meter import silent
from lingshu.intake.physionet import PhysioNetRemote, credentials
from lingshu.intake.place import Place
from tests.loopback import Reply
from tests.loopback_physionet import PASSWORD, USER, LoopbackPhysioNet

FILES = {
    "reports/a.txt": b"first " * 999,
    "reports/b.txt": b"second",
    "images/c d.bin": b"\0" * 5000,
    "LICENSE.txt": b"x",
}
PROJECT = "invented-cxr/1.0.0"


@pytest.fixture
def net(monkeypatch, tmp_path):
    monkeypatch.setattr(downloading, "pause", lambda *_: None)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("PHYSIONET_USERNAME", USER)
    monkeypatch.setenv("PHYSIONET_PASSWORD", PASSWORD)
    with LoopbackPhysioNet() as server:
        server.add(PROJECT, dict(FILES))
        yield server


def remote(net, tmp_path, files=(), project=PROJECT):
    return PhysioNetRemote("src", Place(physionet=project, files=list(files)), tmp_path / "cache", net.endpoint)


def pull(there, tmp_path):
    got = {}
    for file in there.listing().files:
        there.fetch(file, tmp_path / "got" / file.name, silent)
        got[file.name] = (tmp_path / "got" / file.name).read_bytes()
    return got


def test_only_the_files_of_the_patterns_come(net, tmp_path):
    assert pull(remote(net, tmp_path, ["reports/*.txt"]), tmp_path) == {n: FILES[n] for n in FILES if "reports" in n}
    assert not net.asked(f"/files/{PROJECT}/images/c d.bin")
    assert remote(net, tmp_path).listing().revision == "1.0.0"


def test_all_files_names_with_blanks_among_them(net, tmp_path):
    assert pull(remote(net, tmp_path), tmp_path) == FILES


def test_the_password_comes_from_netrc_too(net, tmp_path, monkeypatch):
    monkeypatch.delenv("PHYSIONET_USERNAME")
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    (tmp_path / "netrc").write_text(f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n')
    assert pull(remote(net, tmp_path), tmp_path) == FILES


def test_the_password_goes_to_no_other_host(net, tmp_path):
    net.moved = {"images/c d.bin"}
    assert pull(remote(net, tmp_path), tmp_path) == FILES
    elsewhere = [asked for asked in net.requests if asked.path.startswith("/elsewhere/")]
    assert len(elsewhere) == 1
    assert net.passwords_sent_to("127.0.0.1")
    assert net.passwords_sent_to("localhost") == []


def test_the_password_is_neither_kept_nor_shown(net, tmp_path, capsys):
    net.plan[f"/files/{PROJECT}/LICENSE.txt"] = [Reply(403)]
    with pytest.raises(UserError) as raised:
        pull(remote(net, tmp_path), tmp_path)
    said = capsys.readouterr()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (str(raised.value), repr(raised.value), said.out, said.err, written.decode(errors="replace")):
        assert PASSWORD not in text
        assert "Basic" not in text


def test_a_password_is_not_sent_in_the_clear(tmp_path, net):
    there = PhysioNetRemote("src", Place(physionet=PROJECT), tmp_path, "http://physionet.example")
    with pytest.raises(UserError, match="would get a password over http"):
        there.listing()


def test_another_client_than_those_that_physionet_knows_gets_nothing(net, tmp_path, monkeypatch):
    monkeypatch.setattr("lingshu.intake.physionet.USER_AGENT", "python-httpx/0.28")
    with pytest.raises(UserError, match=r"403"):
        remote(net, tmp_path).listing()


def test_no_credentials(net, tmp_path, monkeypatch):
    monkeypatch.delenv("PHYSIONET_USERNAME")
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    with pytest.raises(UserError, match=r"src: PhysioNet invented-cxr/1\.0\.0: PhysioNet asks who you are") as raised:
        remote(net, tmp_path).listing()
    assert "~/.netrc" in raised.value.fix
    net.open.add(PROJECT)
    assert pull(remote(net, tmp_path), tmp_path) == FILES


def test_a_wrong_password(net, tmp_path, monkeypatch):
    monkeypatch.setenv("PHYSIONET_PASSWORD", "wrong")
    with pytest.raises(UserError, match=r"does not take your name and password \(401\)") as raised:
        remote(net, tmp_path).listing()
    assert "PHYSIONET_PASSWORD" in raised.value.fix


def test_an_account_that_has_not_signed(net, tmp_path):
    net.signed.clear()
    with pytest.raises(UserError, match=r"your account may not read SHA256SUMS.txt \(403\)") as raised:
        remote(net, tmp_path).listing()
    assert "https://physionet.org/content/invented-cxr/1.0.0/ sign the data use agreement" in raised.value.fix


def test_a_version_that_is_not_there(net, tmp_path):
    with pytest.raises(UserError, match=r"src: PhysioNet invented-cxr/9\.9: .*no such project or version"):
        remote(net, tmp_path, project="invented-cxr/9.9").listing()


def test_a_file_that_is_listed_and_gone(net, tmp_path):
    there = remote(net, tmp_path)
    listing = there.listing()
    del net.projects[PROJECT]["reports/b.txt"]
    with pytest.raises(UserError, match=r"no file reports/b.txt \(404\)"):
        there.fetch(listing.files[-1], tmp_path / "b", silent)


def test_a_pattern_that_finds_nothing(net, tmp_path):
    with pytest.raises(UserError, match=r"no file 'notes/\*.csv' among 4"):
        remote(net, tmp_path, ["notes/*.csv"]).listing()


def test_a_cut_connection_and_a_busy_server(net, tmp_path):
    path = f"/files/{PROJECT}/reports/a.txt"
    net.plan[path] = [Reply(cut=100), Reply(503, headers={"Retry-After": "1"}), Reply(429), Reply(cut=200)]
    assert pull(remote(net, tmp_path, ["reports/a.txt"]), tmp_path) == {"reports/a.txt": FILES["reports/a.txt"]}
    assert net.ranges(path) == ["", "bytes=100-", "bytes=100-", "bytes=100-", "bytes=300-"]


def test_a_file_that_is_not_what_the_sums_say(net, tmp_path):
    there = remote(net, tmp_path, ["reports/b.txt"])
    listing = there.listing()
    net.projects[PROJECT] = FILES | {"reports/b.txt": b"forged"}
    with pytest.raises(UserError, match=r"src: http.*reports/b\.txt: has SHA-256"):
        there.fetch(listing.files[0], tmp_path / "b", silent)
    assert not (tmp_path / "b").exists()


def test_sums_that_are_no_sums(net, tmp_path):
    net.plan[f"/files/{PROJECT}/SHA256SUMS.txt"] = [Reply(200, b"<html>log in</html>"), Reply(200, b"?")]
    with pytest.raises(UserError, match=r"SHA256SUMS.txt: is a web page"):
        remote(net, tmp_path).listing()
    with pytest.raises(UserError, match=r"SHA256SUMS.txt: line 1 is not a digest and a name"):
        remote(net, tmp_path).listing()


def test_an_older_project_lists_its_records(net, tmp_path):
    net.without_sums.add(PROJECT)
    assert pull(remote(net, tmp_path, ["reports/*.txt"]), tmp_path).keys() == {"reports/a.txt", "reports/b.txt"}


def test_one_of_name_and_password(monkeypatch, net):
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    with pytest.raises(UserError, match="only one of PHYSIONET_USERNAME and PHYSIONET_PASSWORD"):
        credentials("physionet.org")


def test_a_broken_netrc_is_named_and_not_shown(monkeypatch, net, tmp_path):
    monkeypatch.delenv("PHYSIONET_USERNAME")
    monkeypatch.delenv("PHYSIONET_PASSWORD")
    (tmp_path / "netrc").write_text(f"machine physionet.org {PASSWORD}\n")
    with pytest.raises(UserError, match="netrc: line 1: not a netrc file") as raised:
        credentials("physionet.org")
    assert PASSWORD not in str(raised.value)

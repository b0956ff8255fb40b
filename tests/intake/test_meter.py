"""Progress of transfers: bytes, rate and remaining time, in lines where there is no terminal."""

from __future__ import annotations

from lingshu.intake import meter
from lingshu.intake.hub import HubFiles, HubRemote
from tests.loopback_hub import LoopbackHub


def test_a_line_has_bytes_rate_and_remaining_time():
    assert (
        meter.line("pull x", 30_000_000, 10_000_000, 50_000_000, 10) == "pull x: 30.0 of 50.0 MB, 2.00 MB/s, 10 s left"
    )
    assert meter.line("pull x", 30_000_000, 0, None, 10) == "pull x: 30.0 MB, 3.00 MB/s"
    assert meter.line("pull x", 0, 0, 5_000_000, 10) == "pull x: 0.0 of 5.0 MB, 0.00 MB/s"


def test_lines_come_every_few_seconds(capsys, monkeypatch):
    monkeypatch.setattr(meter, "SECONDS_BETWEEN_LINES", 0.0)
    with meter.metered("pull x", 0, 2_000_000) as moved:
        moved(500_000)
        moved(500_000)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" MB")[0] for line in lines] == ["pull x: 0.5 of 2.0", "pull x: 1.0 of 2.0"]


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with meter.metered("pull x", 0, 2_000_000) as moved:
        moved(2_000_000)


def test_the_hub_client_tells_of_its_bytes(tmp_path):
    data = b"x" * 50_000
    with LoopbackHub() as hub:
        hub.add("a/b", {"large.bin": data, "small.txt": b"s"})
        there = HubRemote(HubFiles("src", "a/b", None, hub.endpoint, tmp_path / "client"), "src", [])
        told: list[int] = []
        for file in there.listing().files:
            there.fetch(file, tmp_path / "got" / file.name, told.append)
    assert sum(told) == len(data) + 1

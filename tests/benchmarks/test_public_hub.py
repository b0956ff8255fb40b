"""Loading through the real hub client, from a hub on loopback."""

import pytest
from huggingface_hub import constants

from lingshu.benchmarks.public.catalog import pick_public
from lingshu.benchmarks.public.load import load
from lingshu.core.errors import UserError
from lingshu.intake.hub import HubFiles
from tests.benchmarks.public_made import PICTURE, as_lines, vqa_parquet
from tests.benchmarks.public_multimodal import MULTIMODAL
from tests.benchmarks.public_text import TEXT
from tests.benchmarks.test_public_forms import CATALOG
from tests.loopback_hub import LARGE, TOKEN, LoopbackHub


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    with LoopbackHub() as server:
        yield server


def pinned(name):
    """The commit of the hub that the record names, or None."""
    return pick_public(name, CATALOG).where[0].revision


def fetch(hub, tmp_path, name, **more):
    return load(name, root_catalog=CATALOG, endpoint=hub.endpoint, cache=tmp_path / "cache", accept_rows=True, **more)


@pytest.mark.parametrize(
    ("name", "repo"),
    [
        ("vqa_rad", "flaviagiammarino/vqa-rad"),
        ("slake", "BoKelvin/SLAKE"),
        ("omnimed_vqa", "foreverbeliever/OmniMedVQA"),
        ("mmmu_med_val", "MMMU/MMMU"),
        ("medxpertqa_mm", "TsinghuaC3I/MedXpertQA"),
        ("medqa_usmle", "GBaker/MedQA-USMLE-4-options"),
        ("mmlu_med", "cais/mmlu"),
        ("cmmlu_med", "haonan-li/cmmlu"),
    ],
)
def test_a_benchmark_comes_from_the_hub(hub, tmp_path, name, repo):
    number = 1 if name == "omnimed_vqa" else 0
    made = (MULTIMODAL | TEXT)[name, number]()
    unneeded = {f"train/part-{n}.parquet": b"x" * LARGE for n in range(5)}
    commit = hub.add(repo, made.files | unneeded, commit=pinned(name))
    hub.add(repo, {"readme.md": b"the branch moved on"}, branch="main" if pinned(name) else "other")
    loaded = fetch(hub, tmp_path, name)
    assert (loaded.questions[0].id, loaded.questions[0].answer) == (made.id, made.answer)
    assert [picture.read() for picture in loaded.questions[0].pictures] == [PICTURE] * made.pictures
    assert loaded.revisions == {repo: commit}
    assert not any("train/" in path for method, path, _ in hub.requests if method == "GET")


def test_all_pages_of_the_list_of_files_are_read(hub, tmp_path):
    hub.add("GBaker/MedQA-USMLE-4-options", {f"a/{n:02d}.txt": b"" for n in range(20)} | TEXT["medqa_usmle", 0]().files)
    assert len(fetch(hub, tmp_path, "medqa_usmle").questions) == 1
    assert sum("/tree/" in path for _, path, _ in hub.requests) == 7


def test_a_second_load_downloads_nothing(hub, tmp_path):
    hub.add("GBaker/MedQA-USMLE-4-options", TEXT["medqa_usmle", 0]().files)
    first = fetch(hub, tmp_path, "medqa_usmle")
    hub.requests.clear()
    assert fetch(hub, tmp_path, "medqa_usmle").questions == first.questions
    assert hub.downloads("phrases_no_exclude_test.jsonl") == []


def test_a_cut_connection_is_resumed_where_it_broke(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 250)  # 10 MB for real files: what the client writes at a time
    rows = [("Where?", "left" * 50) for _ in range(200)]
    file = "data/test-00000-of-00001.parquet"
    data = vqa_parquet(rows)
    assert len(data) > LARGE
    hub.add("flaviagiammarino/vqa-rad", {file: data}, commit=pinned("vqa_rad"))
    hub.cuts[file] = 1000
    assert len(fetch(hub, tmp_path, "vqa_rad").questions) == 200
    assert [given for given in hub.downloads(file) if given] == ["bytes=1000-"]


def test_a_newer_commit_is_read_and_named(hub, tmp_path):
    repo = "GBaker/MedQA-USMLE-4-options"
    old = hub.add(repo, TEXT["medqa_usmle", 0]().files)
    assert fetch(hub, tmp_path, "medqa_usmle").revisions == {repo: old}
    row = {"question": "New?", "options": {"A": "x", "B": "y"}, "answer_idx": "A", "meta_info": "step1"}
    new = hub.add(repo, {"phrases_no_exclude_test.jsonl": as_lines(row)})
    loaded = fetch(hub, tmp_path, "medqa_usmle")
    assert (loaded.revisions, loaded.questions[0].question) == ({repo: new}, "New?")


def test_gated(hub, tmp_path, monkeypatch):
    repo = "GBaker/MedQA-USMLE-4-options"
    hub.add(repo, TEXT["medqa_usmle", 0]().files, access="gated")
    with pytest.raises(UserError) as raised:
        fetch(hub, tmp_path, "medqa_usmle")
    assert raised.value.what == f"medqa_usmle: data-set repository {repo}: access is gated"
    assert f"accept the terms at {hub.endpoint}/datasets/{repo}" in raised.value.fix
    assert "hf auth login" in raised.value.fix
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert len(fetch(hub, tmp_path, "medqa_usmle").questions) == 1


def test_private_and_absent_repositories_look_the_same(hub, tmp_path):
    hub.add("GBaker/MedQA-USMLE-4-options", {}, access="private")
    for name in ("medqa_usmle", "med_mcqa"):
        with pytest.raises(UserError, match=f"{name}: .*no such repository, or it is private") as raised:
            fetch(hub, tmp_path, name)
        assert "pass a folder" in raised.value.fix


def test_a_revision_that_vanished(hub, tmp_path):
    hub.add("a/b", {"x.txt": b"x"})
    files = HubFiles("mine", "a/b", "0" * 40, hub.endpoint, tmp_path)
    with pytest.raises(UserError, match=f"mine: data-set repository a/b: revision {'0' * 40} is not there") as raised:
        files.match("*")
    assert "`revision`" in raised.value.fix


def test_a_revision_that_vanishes_between_listing_and_download(hub, tmp_path):
    commit = hub.add("a/b", {"x.txt": b"x"})
    files = HubFiles("mine", "a/b", commit, hub.endpoint, tmp_path)
    assert files.match("*") == ["x.txt"]
    hub.repositories["datasets", "a/b"].commits.clear()
    with pytest.raises(UserError, match=f"revision {commit} is not there"):
        files.path("x.txt")


def test_a_file_that_is_not_there(hub, tmp_path):
    hub.add("a/b", {"x.txt": b"x"})
    files = HubFiles("mine", "a/b", None, hub.endpoint, tmp_path)
    assert (files.has("x.txt"), files.has("y.txt")) == (True, False)
    with pytest.raises(UserError, match=r"mine: data-set repository a/b: no file y\.txt"):
        files.path("y.txt")


def test_a_repository_in_another_form_names_the_forms(hub, tmp_path):
    hub.add("GBaker/MedQA-USMLE-4-options", {"readme.md": b"moved"})
    with pytest.raises(UserError, match=r"medqa_usmle: .* has the files of no known form") as raised:
        fetch(hub, tmp_path, "medqa_usmle")
    assert "hub (Parquet): **/test-*.parquet" in raised.value.what


@pytest.mark.parametrize(
    ("refusal", "named", "fix"),
    [
        ((503, "busy"), "the hub fails at the default branch", "run again later"),
        ((403, "no"), "the hub refuses the default branch", "run `hf auth login`"),
    ],
)
def test_a_hub_that_does_not_answer(hub, tmp_path, refusal, named, fix):
    hub.add("GBaker/MedQA-USMLE-4-options", TEXT["medqa_usmle", 0]().files)
    hub.refusal = refusal
    with pytest.raises(UserError, match=f"medqa_usmle: .*{named}") as raised:
        fetch(hub, tmp_path, "medqa_usmle")
    assert raised.value.fix.startswith(fix)


def test_offline_mode_of_the_client(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"medqa_usmle: .*the hub can't be reached"):
        fetch(hub, tmp_path, "medqa_usmle")


def test_no_hub_at_all(tmp_path):
    with LoopbackHub() as gone:
        endpoint = gone.endpoint
    with pytest.raises(UserError, match=r"medqa_usmle: .*the hub can't be reached") as raised:
        load("medqa_usmle", root_catalog=CATALOG, endpoint=endpoint, cache=tmp_path)
    assert "pass a folder" in raised.value.fix

"""A judge on this machine: asked through the same engines and the same store as any model."""

from lingshu.inference.engine import Response
from lingshu.inference.judge_model import Matter, ask_judge
from lingshu.inference.models import Setup, parse_model
from lingshu.inference.settings import Decoding, LocalExecution
from lingshu.inference.store import ResponseStore


def test_a_model_in_a_folder_judges_and_is_reminded_once(checkpoint, tmp_path):
    setup = Setup(
        parse_model(str(checkpoint)), Decoding(max_new_tokens=4), LocalExecution(device="cpu", threads=1, batch_size=2)
    )
    matters = [Matter(str(n), "open-1", f"is there {n}", "") for n in (1, 2, 3, 3)]
    matters[3] = Matter("4", "open-1", "is there 3", "")
    seen = []

    def readable(matter, text):
        seen.append(matter.id)
        return matter.id == "1"

    def ask():
        found = ask_judge({"x": matters[:2], "y": matters[2:]}, setup, tmp_path, "again", readable)
        return found["x"], found["y"]

    first, second = ask()
    assert all(isinstance(outcome, Response) for outcome in (*first.outcomes, *second.outcomes))
    assert seen == ["1", "2", "3", "4"]
    assert second.outcomes[0].text == second.outcomes[1].text
    assert (first.asked, second.asked) == (2 + 1, 1 + 1)  # equal matters are one question; the first was readable
    assert first.digest.startswith("folder:")
    again = ask()
    assert [one.asked for one in again] == [0, 0]
    assert [[out.text for out in one.outcomes] for one in again] == [
        [out.text for out in one.outcomes] for one in (first, second)
    ]
    with ResponseStore(tmp_path) as store:
        assert len(store) == 5
    rows = (store.path).read_text(encoding="utf-8")
    assert rows.count('"benchmark":"judge open-1"') == 5
    assert rows.count('"role":"user","text":"again"') == 2

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
    matters = [Matter(str(n), "open-1", f"is there {n}") for n in (1, 2, 3, 3)]
    matters[3] = Matter("4", "open-1", "is there 3")
    seen = []

    def readable(number, text):
        seen.append((number, text))
        return number == 0

    found = ask_judge(matters, setup, tmp_path, "again", readable)
    assert all(isinstance(outcome, Response) for outcome in found.outcomes)
    assert [number for number, _ in seen] == [0, 1, 2, 3]
    assert found.outcomes[2].text == found.outcomes[3].text
    assert found.asked == 3 + 2  # equal matters are one question; the first was readable at once
    assert found.digest.startswith("folder:")
    again = ask_judge(matters, setup, tmp_path, "again", readable)
    assert (again.asked, [one.text for one in again.outcomes]) == (0, [one.text for one in found.outcomes])
    with ResponseStore(tmp_path) as store:
        assert len(store) == 5
    rows = (store.path).read_text(encoding="utf-8")
    assert rows.count('"benchmark":"judge open-1"') == 5
    assert rows.count('"role":"user","text":"again"') == 2

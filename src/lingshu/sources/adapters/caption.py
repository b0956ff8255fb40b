"""Pictures and a text about them: the reply to one of several requests to describe what is shown."""

from __future__ import annotations

from lingshu.intake.errors import Reason, RowError
from lingshu.intake.values import Row
from lingshu.sources.adapters.spoken import Spoken, chosen, reply, request, said
from lingshu.sources.forms import SourceForm

# Our own wording. The paper does not print its requests (section 2.1: "instruction-style formatting from stage 1 on").
ONE = ("Describe this image.", "What does this image show?", "Caption this image.", "Describe the image in detail.")
SEVERAL = ("Describe these images.", "What do these images show?", "Caption these images.")
ONE_ZH = ("请描述这张图像。", "这张图像显示了什么?", "请为这张图像写一段说明。")
SEVERAL_ZH = ("请描述这些图像。", "这些图像显示了什么?")


def caption(form: SourceForm, row: Row, identity: str, num_pictures: int) -> Spoken:
    """Return a request and the text at `answer`.

    Raises:
        RowError: the row has no picture or no text.
    """
    if num_pictures == 0:
        raise RowError(Reason.MISSING_PICTURE, "a caption of nothing")
    text = said(row, form.answer)
    own = {(False, False): ONE, (True, False): SEVERAL, (False, True): ONE_ZH, (True, True): SEVERAL_ZH}
    prompts = form.prompts or own[num_pictures > 1, form.language == "zh"]
    turns = (*request(form, chosen(prompts, identity), num_pictures), reply(text))
    return Spoken(form.task or "caption", "caption", turns)

"""Recipe `ocr`: text drawn into a picture, to be read (paper, section 2.2.2, at toy scale).

The paper renders whole exam questions and trains on reasoning and answer. A model of 64 by 64 pixels can't read a
sentence, so a picture shows one three-character ICD-10-CM category, and the question is either what it says or to which
chapter it belongs; the second kind is answered by what was read, then the answer.
"""

from __future__ import annotations

import re
from typing import Any

from lingshu.core.images import Picture
from lingshu.core.sample import Answer, ImageRef, Sample, turn
from lingshu.synthesis.lettering import letter
from lingshu.synthesis.parents import draw, eligible_samples
from lingshu.synthesis.proposals import Proposals, Surroundings, child, instruction, made_by, pick
from lingshu.synthesis.replies import Transcript
from lingshu.synthesis.teacher import Request

RECIPE = "ocr"
PARENT_TOPIC = "icd_chapter"
CATEGORY = re.compile(r"ICD-10-CM code ([A-Z][0-9][0-9A-Z])")
READ, CHAPTER = "ocr_text", "ocr_chapter"
PROMPTS: dict[str, tuple[str, ...]] = {
    READ: ("Read the code in the picture.", "Which code does the picture show?"),
    CHAPTER: ("To which chapter does the ICD-10-CM code in the picture belong?",),
}
INSTRUCTION = (
    "You are given the text that a picture shows and a question about it with its known answer. Write the reasoning "
    "from the text to the answer as if you had read the picture, then the answer, unchanged. Reply as JSON."
)
MODALITY = "rendered text"


def category(parent: Sample) -> str | None:
    """Return the three-character category of the code that a terminology question asks about, or None."""
    match = CATEGORY.search(parent.prompt_text())
    return match[1] if match else None


def propose(around: Surroundings) -> Proposals:
    """Propose pictures of categories, each category once a question, evenly over first letters or chapters."""
    found = Proposals(RECIPE)
    by_category: dict[str, Sample] = {}
    for sample in eligible_samples(around.sources, ("text_qa",), (PARENT_TOPIC,), around.root):
        text = category(sample)
        if text is not None:
            by_category.setdefault(text, sample)
    texts, limit, seed = sorted(by_category), around.params.ocr.max_per_question, around.params.seed
    chosen = [(READ, text) for text in draw(texts, limit, seed, lambda text: text, lambda text: text[0])]
    chosen += [(CHAPTER, t) for t in draw(texts, limit, seed, lambda t: t, lambda t: _chapter(by_category[t]))]
    pictures = {text: _picture(text, by_category[text], around, found.source) for _, text in chosen}
    found.pictures += [pictures[text] for text in sorted(pictures)]
    asked = [(by_category[text], _request(topic, text, by_category[text], pictures[text])) for topic, text in chosen]
    for parent, request, reply in found.ask(around.teacher, asked):
        picture = pictures[request.known["text"]]
        found.samples.append(_sample(parent, request, reply, picture, around))
    return found


def _chapter(parent: Sample) -> str:
    assert parent.answer is not None
    return parent.answer.text


def _picture(text: str, parent: Sample, around: Surroundings, source: str) -> Picture:
    side = around.params.ocr.side
    return Picture(
        data=letter(text, side),
        format="PNG",
        width=side,
        height=side,
        source=source,
        origin_id=f"{source}/{text}",
        group_id=parent.group_id,
        split=parent.split,
        licence=parent.licence,
    )


def _request(topic: str, text: str, parent: Sample, picture: Picture) -> Request[Transcript]:
    answer = text if topic == READ else _chapter(parent)
    question = pick(PROMPTS[topic], f"{topic}/{text}")
    return Request(
        request_id=f"{topic}/{text}",
        messages=instruction(INSTRUCTION, f"Text: {text}\nQuestion: {question}\nAnswer: {answer}"),
        images=(picture.image_id,),
        schema=Transcript,
        known={"topic": topic, "text": text, "question": question, "answer": answer},
    )


def _sample(parent: Sample, request: Request[Any], reply: Transcript, picture: Picture, around: Surroundings) -> Sample:
    target = f"{reply.reasoning} Answer: {reply.answer}" if reply.reasoning else reply.answer
    return child(
        parent,
        made_by(RECIPE, request, around.teacher, parent),
        task="ocr",
        topic=request.known["topic"],
        messages=turn(request.known["question"], target, num_images=1),
        images=(ImageRef(picture.image_id, picture.width, picture.height),),
        modality=(MODALITY,),
        answer=Answer("closed", reply.answer),
        rationale=reply.reasoning,
    )

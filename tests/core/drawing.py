"""Hypothesis strategies for samples: every one that the schema allows, within small sizes."""

from __future__ import annotations

from hypothesis import strategies as st

from lingshu.core.sample import (
    ANSWER_KINDS,
    SPLITS,
    TASKS,
    Answer,
    ImageRef,
    Message,
    Part,
    Sample,
    Synthetic,
    image_part,
    text_part,
)

anything = st.text(max_size=20)
words = st.text(min_size=1, max_size=20).filter(str.strip)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def conversations(draw: st.DrawFn, num_images: int) -> tuple[Message, ...]:
    """Draw turns that end with the assistant's and hold each image slot once, anywhere before the last turn."""
    turns = [Message("user", (text_part(draw(words)),)) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        turns.insert(0, Message("system", (text_part(draw(words)),)))
    for index in draw(st.permutations(range(num_images))):
        place = draw(st.integers(0, len(turns) - 1))
        content: list[Part] = list(turns[place].content)
        content.insert(draw(st.integers(0, len(content))), image_part(index))
        turns[place] = Message(turns[place].role, tuple(content))
    return (*turns, Message("assistant", (text_part(draw(words)),)))


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Draw a gold answer of any kind; a multiple-choice one names one of its options."""
    kind = draw(st.sampled_from(ANSWER_KINDS))
    if kind != "mcq":
        return Answer(kind, draw(words), tuple(draw(st.lists(words, max_size=3))))
    choices = tuple(draw(st.lists(words, min_size=1, max_size=5)))
    place = draw(st.integers(0, len(choices) - 1))
    return Answer("mcq", choices[place], choices, chr(ord("A") + place))


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Draw a sample that keeps every invariant, with its id."""
    images = draw(st.lists(st.builds(ImageRef, digests, st.integers(1, 4096), st.integers(1, 4096)), max_size=3))
    return Sample(
        source=draw(words),
        split=draw(st.sampled_from(SPLITS)),
        revision=draw(anything),
        origin_id=draw(anything),
        group_id=draw(words),
        task=draw(st.sampled_from(TASKS)),
        topic=draw(words),
        messages=draw(conversations(len(images))),
        licence=draw(words),
        access=draw(anything),
        modality=tuple(draw(st.lists(words, max_size=2))),
        body_part=draw(anything),
        language=draw(st.sampled_from(["en", "zh"])),
        images=tuple(images),
        answer=draw(st.none() | answers()),
        rationale=draw(anything),
        synthetic=draw(
            st.none() | st.builds(Synthetic, words, words, anything, st.lists(words, max_size=3).map(tuple))
        ),
    ).with_id()

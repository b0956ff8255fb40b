"""From samples to model input, without padding: each sample is encoded once, a batch is one long row of segments.

A row's samples are told apart by position ids that restart at 0 (shape (4, 1, tokens): order in the sample, then
Qwen2.5-VL's time, height and width), the form that variable-length attention takes. The loss sees the assistant's
turns only, each up to its end-of-turn token.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingshu.core.images import ImageStore
from lingshu.core.sample import Sample
from lingshu.modeling.load import Processor
from lingshu.modeling.template import ChatMessage, render_conversation, render_prompt, training_messages
from lingshu.modeling.tokenizer import IMAGE_PAD, TURN_END

IGNORED = -100
PICTURES_AT_ONCE = 256
Grid = tuple[int, int, int]
Batch = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sample as tokens.

    Attributes:
        input_ids: shape (tokens,), int64.
        labels: shape (tokens,): the token where the assistant speaks, `IGNORED` elsewhere.
        positions: shape (3, tokens), int64: time, height and width.
        image_ids: its pictures in reading order.
    """

    input_ids: Tensor
    labels: Tensor
    positions: Tensor
    image_ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.input_ids.numel()


@dataclass(slots=True)
class Pictures:
    """Pictures as patches, each processed once and kept.

    Attributes:
        patches: by picture: shape (patches, values of a patch), float32.
        grids: by picture: patches in time, height and width.
    """

    patches: dict[str, Tensor] = field(default_factory=dict)
    grids: dict[str, Grid] = field(default_factory=dict)

    def add(self, image_ids: Iterable[str], store: ImageStore, processor: Processor) -> None:
        """Process the pictures that are not yet here, each alone in its proportions."""
        new = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in self.grids]
        for start in range(0, len(new), PICTURES_AT_ONCE):
            chunk = new[start : start + PICTURES_AT_ONCE]
            processed = processor.image_processor([store.image(i) for i in chunk], return_tensors="pt")
            grids = [tuple(grid) for grid in processed["image_grid_thw"].tolist()]
            sizes = [time * height * width for time, height, width in grids]
            for image_id, grid, patches in zip(chunk, grids, processed["pixel_values"].split(sizes), strict=True):
                self.grids[image_id] = grid
                self.patches[image_id] = patches.clone()


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns as the chat template takes them, and the pictures they show in reading order."""

    messages: list[ChatMessage]
    image_ids: tuple[str, ...] = ()


def conversation(sample: Sample) -> Conversation:
    """Return the sample's turns, the answer included, worded as the model is asked."""
    return Conversation(training_messages(sample), tuple(image.image_id for image in sample.images))


def encode(conversations: Sequence[Conversation], processor: Processor, pictures: Pictures) -> list[Encoded]:
    """Return the conversations as tokens; their pictures must already be in `pictures`.

    Prompt and answers are tokenised apart, as in generation: the answer's tokens follow the prompt's.

    Raises:
        ValueError: the chat template does not write a conversation as its prompt and then the answer.
    """
    pieces = [_pieces(item, processor, pictures) for item in conversations]
    texts = [text for group in pieces for text, _ in group]
    tokens = iter(processor.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else [])
    stop, pad = (processor.tokenizer.convert_tokens_to_ids(token) for token in (TURN_END, IMAGE_PAD))
    merge = processor.image_processor.merge_size
    encoded: list[Encoded] = []
    for item, group in zip(conversations, pieces, strict=True):
        ids: list[int] = []
        labels: list[int] = []
        for _, spoken in group:
            piece = next(tokens)
            labelled = piece.index(stop) + 1 if spoken else 0
            ids.extend(piece)
            labels.extend(piece[:labelled] + [IGNORED] * (len(piece) - labelled))
        grids = [(t, h // merge, w // merge) for t, h, w in (pictures.grids[i] for i in item.image_ids)]
        positions = torch.from_numpy(rope_positions(ids, pad, grids))
        encoded.append(Encoded(torch.tensor(ids), torch.tensor(labels), positions, item.image_ids))
    return encoded


def _pieces(item: Conversation, processor: Processor, pictures: Pictures) -> list[tuple[str, bool]]:
    """Return `(text, spoken by the assistant)` in order: the rendered conversation, picture slots widened."""
    merge = processor.image_processor.merge_size
    pads = iter([math.prod(pictures.grids[image_id]) // merge**2 for image_id in item.image_ids])
    pieces: list[tuple[str, bool]] = []
    done = ""
    for number, message in enumerate(item.messages):
        if message["role"] != "assistant":
            continue
        prompt = render_prompt(processor, item.messages[:number])
        whole = render_conversation(processor, item.messages[: number + 1])
        if not prompt.startswith(done) or not whole.startswith(prompt):
            raise ValueError("the chat template rewrites earlier turns; training needs one that only appends")
        first, *rest = prompt[len(done) :].split(IMAGE_PAD)
        pieces.append((first + "".join(IMAGE_PAD * next(pads) + part for part in rest), False))
        pieces.append((whole[len(prompt) :], True))
        done = whole
    return pieces


def rope_positions(ids: Sequence[int], pad: int, grids: Sequence[Grid]) -> NDArray[np.int64]:
    """Return time, height and width of every token, shape (3, tokens), as Qwen2.5-VL's `get_rope_index` does.

    Text advances all three by one a token. A picture's tokens share their time and count rows and columns from it;
    the text after it goes on behind the picture's longer side.

    Args:
        pad: the token that stands for a piece of a picture.
        grids: for each picture its tokens in time, height and width.
    """
    columns: list[NDArray[np.int64]] = []
    current = start = 0
    for time, height, width in grids:
        picture = ids.index(pad, start)
        columns.append(_text_positions(picture - start) + current)
        current += picture - start
        columns.append(np.indices((time, height, width)).reshape(3, -1) + current)
        current += max(height, width)
        start = picture + time * height * width
    columns.append(_text_positions(len(ids) - start) + current)
    return np.concatenate(columns, axis=1)


def _text_positions(length: int) -> NDArray[np.int64]:
    return np.broadcast_to(np.arange(length), (3, length))


def collate(samples: Sequence[Encoded], pictures: Pictures, patches: Sequence[Tensor] | None = None) -> Batch:
    """Return the samples as one row: input_ids, labels (1, tokens), position_ids (4, 1, tokens), and their pictures.

    Args:
        samples: in order.
        pictures: at least those that the samples show.
        patches: what is shown of each picture, in the order of the samples; by default what the processor made of it.
    """
    order = torch.cat([torch.arange(len(sample)) for sample in samples])
    positions = torch.cat([sample.positions for sample in samples], dim=1)
    batch = {
        "input_ids": torch.cat([sample.input_ids for sample in samples]).unsqueeze(0),
        "labels": torch.cat([sample.labels for sample in samples]).unsqueeze(0),
        "position_ids": torch.cat([order.unsqueeze(0), positions]).unsqueeze(1),
    }
    image_ids = [image_id for sample in samples for image_id in sample.image_ids]
    if image_ids:
        shown = [pictures.patches[image_id] for image_id in image_ids] if patches is None else list(patches)
        batch["pixel_values"] = torch.cat(shown)
        batch["image_grid_thw"] = torch.tensor([pictures.grids[image_id] for image_id in image_ids])
    return batch

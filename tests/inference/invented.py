"""Questions of an invented benchmark, and pictures in memory."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lingshu.core.errors import UserError
from lingshu.core.question import Question, Turn
from lingshu.inference.evaluate import AskedBenchmark


@dataclass
class Shown:
    """A picture file in memory; `data` None stands for a missing one."""

    name: str
    data: bytes | None

    def read(self) -> bytes:
        if self.data is None:
            raise UserError(f"{self.name}: no such picture", "fetch it again")
        return self.data


def png(number: int = 0, size: tuple[int, int] = (56, 56), mode: str = "RGB") -> Shown:
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format="PNG")
    return Shown(f"{number}.png", buffer.getvalue())


def question(
    number: int, *, text: str | None = None, pictures=(), benchmark: str = "invented", kind: str = "open", **other
) -> Question:
    words = text or f"question {number}"
    return Question(
        id=f"q{number}",
        benchmark=benchmark,
        kind=kind,
        turns=(Turn("user", words),),
        pictures=tuple(pictures),
        question=words,
        choices=other.pop("choices", None),
        answer=other.pop("answer", "fine"),
        **other,
    )


def benchmark(count: int, name: str = "invented", **other) -> AskedBenchmark:
    questions = [question(n, text=f"{name} {n}", benchmark=name, **other) for n in range(count)]
    return AskedBenchmark(name, questions, {"revision": "1"})

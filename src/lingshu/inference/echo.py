"""An engine without a model: it answers by a rule of the request, to run the evaluation end to end in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lingshu.inference.engine import Request, Response

FIRST_ANSWERS = {"mcq": "A", "yesno": "yes"}


def first_answer(request: Request) -> str:
    """Return the first possible answer: option A, yes, else the prompt's first line, as a blind baseline."""
    return FIRST_ANSWERS.get(request.kind) or request.prompt().strip().partition("\n")[0]


class EchoEngine:
    """Answers every request with `rule(request)`, cut at the request's limit, counted in words."""

    def __init__(self, rule: Callable[[Request], str] = first_answer) -> None:
        self._rule = rule

    def generate(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Yield one response a request, in their order."""
        for request in requests:
            words = self._rule(request).split(" ")
            cut = len(words) > request.max_new_tokens
            kept = words[: request.max_new_tokens]
            yield Response(request.id, " ".join(kept), "length" if cut else "stop", len(kept))

"""A model behind an OpenAI-compatible server as the teacher, asked by this process or by workers.

The reply is asked for as JSON of the request's schema. Every reply is kept in a file, by this process alone, as it
comes (from workers: part by part), so that a run that was stopped asks only for what is missing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.parallel import ALONE, Workers, chunks, in_order
from lingshu.core.sample import Message
from lingshu.synthesis.params import ServerParams
from lingshu.synthesis.replies import Refusal
from lingshu.synthesis.reply_file import ReplyFile
from lingshu.synthesis.server import Question, Server, ask_part, key_of
from lingshu.synthesis.teacher import Reply, Request

ROUNDS = 4  # a part holds so many questions for each that is asked at a time


class ServerTeacher:
    """Asks a server.

    Args:
        params: address, model and limits.
        replies: file that keeps the replies of this run.
        picture: gives the bytes (PNG or JPEG) of a picture by its id; recipes without pictures need none.
        workers: who asks; `params.concurrency` is the number of questions that each asks at a time.

    Raises:
        UserError: the server's key is not there.
    """

    def __init__(
        self,
        params: ServerParams,
        replies: Path,
        picture: Callable[[str], bytes] | None = None,
        workers: Workers = ALONE,
    ) -> None:
        key_of(params)  # a missing one is said before anything is asked
        self._params, self._workers = params, workers
        self._replies = ReplyFile(replies)
        self._picture = picture

    @property
    def name(self) -> str:
        """The model's name."""
        return self._params.model

    def complete(self, requests: Iterable[Request[Any]]) -> Iterator[Reply]:
        """Yield a reply for each request that the server answers, in their order; equal questions are asked once.

        Raises:
            UserError: no request can be answered: no server, no such model, a wrong key.
        """
        marks: dict[str, str] = {}
        self._ask(self._missing(requests, marks))
        for request_id, mark in marks.items():
            if (kept := self._replies.get(mark)) is not None:
                yield Reply(request_id, json_of(kept))

    def _missing(self, requests: Iterable[Request[Any]], marks: dict[str, str]) -> Iterator[Question]:
        """Yield the questions without a reply, each once; note the mark of every request."""
        sent: set[str] = set()
        for request in requests:
            body = self._body(request)
            mark = marks[request.request_id] = sha256_bytes(canonical_json(body).encode())
            if self._replies.get(mark) is None and mark not in sent:
                sent.add(mark)
                yield Question(mark, body)

    def _ask(self, questions: Iterable[Question]) -> None:
        parts = chunks(questions, self._params.concurrency * ROUNDS)
        if self._workers == ALONE:
            with Server(self._params) as server:
                for part in parts:
                    server.ask(part, self._replies.add)
            return
        errors: list[UserError] = []
        until_error = (part for part in parts if not errors)
        for answers, error in in_order(partial(ask_part, self._params), until_error, self._workers):
            for mark, text in answers.items():
                self._replies.add(mark, text)
            if error is not None:
                errors.append(error)
        if errors:
            raise errors[0]

    def _body(self, request: Request[Any]) -> dict[str, Any]:
        schema = canonical_json({"anyOf": [request.schema.model_json_schema(), Refusal.model_json_schema()]})
        rule = f"\n\nReply with one JSON object, and nothing else, that fits this schema: {schema}"
        messages = [
            self._message(message, rule if place == 0 else "") for place, message in enumerate(request.messages)
        ]
        if request.images:
            messages[-1]["content"] = [*self._parts(request.images), {"type": "text", "text": messages[-1]["content"]}]
        return {
            "model": self._params.model,
            "messages": messages,
            "temperature": self._params.temperature,
            "max_tokens": self._params.max_tokens,
        }

    def _message(self, message: Message, more: str) -> dict[str, Any]:
        return {"role": message.role, "content": "".join(part.text or "" for part in message.content) + more}

    def _parts(self, images: tuple[str, ...]) -> list[dict[str, Any]]:
        if self._picture is None:
            raise UserError("this teacher was given no pictures", "use it for recipes of texts")
        found: list[dict[str, Any]] = []
        for image in images:
            data = self._picture(image)
            kind = "jpeg" if data[:2] == b"\xff\xd8" else "png"
            url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
            found.append({"type": "image_url", "image_url": {"url": url}})
        return found


def json_of(text: str) -> str:
    """Return the JSON object in a model's words: they may think first, or put a fence around it."""
    said = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL)
    start, end = said.find("{"), said.rfind("}")
    return said[start : end + 1] if 0 <= start < end else said

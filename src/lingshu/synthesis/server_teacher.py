"""A model behind an OpenAI-compatible server as the teacher: `POST <url>/chat/completions`, several requests at a time.

The reply is asked for as JSON of the request's schema. Every reply is kept in a file as it comes, so that a run that
was stopped asks only for what is missing, and nothing is paid twice.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from lingshu.core.errors import UserError
from lingshu.core.ids import canonical_json, sha256_bytes
from lingshu.core.sample import Message
from lingshu.synthesis.params import ServerParams
from lingshu.synthesis.replies import Refusal
from lingshu.synthesis.reply_file import ReplyFile
from lingshu.synthesis.teacher import Reply, Request

TRY_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
STOPS = {
    401: "give a valid key in the variable that synthesis.teacher.server.key_variable names",
    402: "pay the provider's bill, then run the same command",
    403: "check what the key may use",
    404: "check synthesis.teacher.server.model, and that url ends in /v1",
}
SHOWN = 200  # characters of a server's message
WAIT_S, LONGEST_WAIT_S = 1.0, 60.0


class ServerTeacher:
    """Asks a server.

    Args:
        params: address, model and limits.
        replies: file that keeps the replies of this run.
        picture: gives the bytes (PNG or JPEG) of a picture by its id; recipes without pictures need none.
    """

    def __init__(self, params: ServerParams, replies: Path, picture: Callable[[str], bytes] | None = None) -> None:
        self._params = params
        self._replies = ReplyFile(replies)
        self._picture = picture
        self._answered_once = False
        self._key = os.environ.get(params.key_variable, "") if params.key_variable else ""
        if params.key_variable and not self._key:
            raise UserError(f"no key: {params.key_variable} is not set", "set it, or leave key_variable empty")

    @property
    def name(self) -> str:
        """The model's name."""
        return self._params.model

    def complete(self, requests: Iterable[Request[Any]]) -> Iterator[Reply]:
        """Yield a reply for each request that the server answers, in no order.

        Raises:
            UserError: no request can be answered: no server, no such model, a wrong key.
        """
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(self._params.timeout_s)
        direct = not _is_loopback(self._params.url)
        waiting = iter(requests)
        with (
            httpx.Client(headers=headers, timeout=timeout, trust_env=direct) as client,
            ThreadPoolExecutor(self._params.concurrency) as pool,
        ):
            while batch := list(islice(waiting, self._params.concurrency * 4)):
                for done in as_completed([pool.submit(self._answered, client, request) for request in batch]):
                    if (reply := done.result()) is not None:
                        yield reply

    def _answered(self, client: httpx.Client, request: Request[Any]) -> Reply | None:
        body = self._body(request)
        mark = sha256_bytes(canonical_json(body).encode())
        text = self._replies.get(mark)
        if text is None:
            text = self._ask(client, body)
            if text is None:
                return None
            self._replies.add(mark, text)
        return Reply(request.request_id, json_of(text))

    def _ask(self, client: httpx.Client, body: dict[str, Any]) -> str | None:
        """Return the model's words, or None when it gave none in all tries."""
        problem = ""
        for attempt in range(self._params.tries):
            if attempt:
                time.sleep(min(LONGEST_WAIT_S, WAIT_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
            try:
                reply = client.post(f"{self._params.url.rstrip('/')}/chat/completions", json=body)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            problem = ""
            if (text := self._text(reply)) is not None:
                self._answered_once = True
                return text
            if reply.status_code not in TRY_AGAIN and reply.status_code != 200:
                return None  # this request can't be answered as it is: too long, or refused by a filter
            _wait_as_asked(reply)
        if problem and not self._answered_once:
            raise UserError(f"{self._params.url}: no answer: {problem}", "start the server, or mend the address")
        return None

    def _text(self, reply: httpx.Response) -> str | None:
        if reply.status_code in STOPS:
            shown = self._hide(reply.text[:SHOWN])
            raise UserError(f"{self._params.url}: {reply.status_code}: {shown}", STOPS[reply.status_code])
        return _text_of(reply) if reply.status_code == 200 else None

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

    def _hide(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def json_of(text: str) -> str:
    """Return the JSON object in a model's words: they may think first, or put a fence around it."""
    said = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL)
    start, end = said.find("{"), said.rfind("}")
    return said[start : end + 1] if 0 <= start < end else said


def _text_of(reply: httpx.Response) -> str | None:
    try:
        text = reply.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return text if isinstance(text, str) and text.strip() else None


def _wait_as_asked(reply: httpx.Response) -> None:
    asked = reply.headers.get("retry-after", "")
    if asked.isdigit():
        time.sleep(min(int(asked), LONGEST_WAIT_S))


def _is_loopback(url: str) -> bool:
    """Tell whether an address is this machine, which no proxy of the environment can reach."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

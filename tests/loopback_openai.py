"""An OpenAI-compatible server on this machine: real HTTP and JSON, answers and faults by a rule the test gives."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tiny-chat"
SERVED_AS = "tiny-chat-2026-01-01"


@dataclass(frozen=True)
class Reply:
    """What the server does with one call; `cut` closes the connection after so many bytes of the body."""

    text: str | None = "fine"
    status: int = 200
    finish_reason: str | None = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    cut: int | None = None
    usage: bool = True


def error(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error as the OpenAI API words it; `retry_after` becomes the header."""
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return Reply(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


@dataclass
class Call:
    """One call as it came."""

    prompt: str
    body: dict[str, Any]
    authorization: str | None
    at: float


class Server:
    """The server's memory: every call, and the most at a time."""

    def __init__(self, rule: Callable[[str, int], Reply], key: str | None = None) -> None:
        self.rule, self.key = rule, key
        self.calls: list[Call] = []
        self.busy = self.most_busy = 0
        self.lock = threading.Lock()
        self.url = ""

    def times(self, prompt: str) -> int:
        """How often a prompt came."""
        return sum(call.prompt == prompt for call in self.calls)

    def reply(self, call: Call) -> Reply:
        with self.lock:
            self.calls.append(call)
            count = self.times(call.prompt)
        if self.key is not None and call.authorization != f"Bearer {self.key}":
            shown = (call.authorization or "nothing").removeprefix("Bearer ")
            return error(401, f"Incorrect API key provided: {shown}.", "invalid_api_key")
        if call.body["model"] != MODEL:
            return error(404, f"The model `{call.body['model']}` does not exist.", "model_not_found")
        return self.rule(call.prompt, count)


def prompt_of(body: dict[str, Any]) -> str:
    """The text of the last turn."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def completion(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    value: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": SERVED_AS,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
    }
    if reply.usage:
        used = {"prompt_tokens": len(prompt_of(body).split()), "completion_tokens": len((reply.text or "").split())}
        value["usage"] = used | {"total_tokens": sum(used.values())}
    return value


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/chat/completions":
                self._send(Reply(status=404, body={"detail": "Not Found"}), body)
                return
            with server.lock:
                server.busy += 1
                server.most_busy = max(server.most_busy, server.busy)
            try:
                call = Call(prompt_of(body), body, self.headers["Authorization"], time.monotonic())
                reply = server.reply(call)
                time.sleep(reply.seconds)
            finally:
                with server.lock:
                    server.busy -= 1
            self._send(reply, body)

        def _send(self, reply: Reply, body: dict[str, Any]) -> None:
            value = completion(reply, body) if reply.body is None else reply.body
            data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            try:
                self.send_response(reply.status)
                for name, header in reply.headers.items():
                    self.send_header(name, header)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data if reply.cut is None else data[: reply.cut])
                if reply.cut is not None:
                    self.close_connection = True
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client no longer waits

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a test looks at the calls."""

    return Handler


@contextmanager
def serving(rule: Callable[[str, int], Reply], key: str | None = None) -> Iterator[Server]:
    """Serve `rule(prompt, how often it came)` on a free port until the block ends."""
    server = Server(rule, key)
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler(server))
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()

"""What the replies of OpenAI-compatible servers mean: an answer, a failure, a reason to try again or to stop.

Sources: the chat completions and error pages of the OpenAI API; vLLM, Azure, OpenRouter, Anthropic and Gemini answer in
the same form with codes of their own, which are named here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lingshu.core.half_pairs import without_half_pairs
from lingshu.inference.engine import Failure, FailureReason, FinishReason, Response

SHOWN = 300  # characters of a server's message
CUT = {"length", "max_tokens"}
FILTERED = {"content_filter", "safety", "recitation", "prohibited_content"}
OVERLOADED = {429, 503, 529}  # 529: Anthropic
TRY_AGAIN = {408, 409, 425, 500, 502, 504, 520, 521, 522, 523, 524} | OVERLOADED  # 52x: a proxy before the server
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "insufficient balance", "credit balance is too low")
TOO_LONG = (
    "context_length_exceeded", "maximum context length", "context length", "prompt is too long", "too many tokens",
    "maximum model length", "max_model_len", "exceeds the maximum number of tokens",
)  # fmt: skip
REFUSED_BY_FILTER = ("content_filter", "content management policy", "responsibleaipolicyviolation")
_MOVED = "the address has moved: give the one that the server names"
STOPS = {
    **dict.fromkeys((301, 302, 307, 308), _MOVED),
    401: "give a valid key: --api-key-env NAME or --api-key-file FILE",
    402: "pay the provider's bill, then run the same command",
    404: "check the model's name and the address (it usually ends in /v1)",
    405: "check the address: it is the base that /chat/completions follows, usually ending in /v1",
}


@dataclass(frozen=True, slots=True)
class Again:
    """Try the same request again."""

    reason: FailureReason
    detail: str
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """No request can be answered: what the server says, and the fix."""

    detail: str
    fix: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This request can't be answered as it is, and perhaps no other."""

    detail: str


Meaning = Response | Failure | Again | Stop | Refused


def meaning(request_id: str, status: int, body: bytes) -> Meaning:
    """Return what a reply of the server means for the request."""
    if status == 200:
        return _answer(request_id, body)
    text = _message(body)
    detail, lower = f"{status}: {text}"[:SHOWN], body.decode("utf-8", "replace").lower()
    no_money = status == 429 and any(sign in lower for sign in NO_MONEY)
    if status in STOPS or no_money:
        return Stop(detail, STOPS[402 if no_money else status])
    if status in TRY_AGAIN or status > 500:
        return Again("rate_limit" if status == 429 else "server_error", detail, overloaded=status in OVERLOADED)
    return _refusal(request_id, status, detail, lower)


def _refusal(request_id: str, status: int, detail: str, lower: str) -> Failure | Refused:
    if any(sign in lower for sign in REFUSED_BY_FILTER):
        return Failure(request_id, "content_filter", detail)
    if status == 413 or any(sign in lower for sign in TOO_LONG):
        return Failure(request_id, "context_length", detail)
    return Refused(detail)


def _answer(request_id: str, body: bytes) -> Meaning:
    shown = f"200, but no chat completion: {body[:SHOWN].decode('utf-8', 'replace')!r}"
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return Again("malformed", shown)
    if isinstance(reply, dict) and reply.get("error"):
        return Again("server_error", f"200: {_message(body)}"[:SHOWN])
    try:
        choice = reply["choices"][0]
        text = _text(choice["message"])
    except (KeyError, IndexError, TypeError, AttributeError):
        return Again("malformed", shown)
    reason = str(choice.get("finish_reason") or "stop").lower()
    if reason in FILTERED:
        return Failure(request_id, "content_filter", f"finish_reason {reason} after {text[:SHOWN]!r}")
    finish: FinishReason = "length" if reason in CUT else "stop"
    tokens, prompt_tokens = (_count(reply.get("usage"), name) for name in ("completion_tokens", "prompt_tokens"))
    return Response(request_id, text, finish, tokens, prompt_tokens, served_by=str(reply.get("model") or ""))


def _count(usage: Any, name: str) -> int | None:
    """Return how many tokens the server says it used; None where it says nothing that is a number of tokens."""
    value = usage.get(name) if isinstance(usage, dict) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(message: dict[str, Any]) -> str:
    """Return the words of an answer; those of a refusal are an answer too. Half surrogate pairs become U+FFFD."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    text = content if content is not None else message.get("refusal") or ""
    if not isinstance(text, str):
        raise TypeError
    return str(without_half_pairs(text))


def _message(body: bytes) -> str:
    """Return the message of an error reply, in whichever of the usual places it is."""
    text = body.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, list) and value:
        value = value[0]
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    return value if isinstance(value, str) else text

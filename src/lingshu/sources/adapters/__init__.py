"""Adapters by row shape: what a row of a source says, as turns with places for its pictures."""

from lingshu.sources.adapters.caption import caption
from lingshu.sources.adapters.conversation import conversation
from lingshu.sources.adapters.question import question
from lingshu.sources.adapters.reasoning import reasoning
from lingshu.sources.adapters.report import report
from lingshu.sources.adapters.spoken import Adapter, Spoken

ADAPTERS: dict[str, Adapter] = {
    "caption": caption,
    "question": question,
    "conversation": conversation,
    "reasoning": reasoning,
    "report": report,
}

__all__ = ["ADAPTERS", "Adapter", "Spoken"]

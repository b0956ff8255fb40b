"""What MedEvalKit takes out of a response before it compares: tags, the last box, the text after a lead-in."""

from __future__ import annotations

NO_BOX = "None"  # what mathruler 0.1.0 returns for a text without a closed \boxed{…}
_BOX = "\\boxed{"
# In the order in which they are looked for; "final answer is" can't occur any more when its turn comes.
_LEADS = (
    "**answer**:",
    "**answer**",
    "*answer*:",
    "**answer:**",
    "answer is",
    "answer:",
    "答案:",
    "final answer",
    "final answer is",
)


def tagged(text: str, tag: str = "answer") -> str:
    """Return the contents of all closed `<tag>` spans joined by a space, or `text` if they hold nothing."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    spans: list[str] = []
    start = text.find(opening)
    while start != -1:
        start += len(opening)
        end = text.find(closing, start)
        if end == -1:
            break
        spans.append(text[start:end])
        start = text.find(opening, end + len(closing))
    return " ".join(spans).strip() or text


def boxed(text: str) -> str:
    """Return what the last `\\boxed{…}` holds, stripped, or the text "None" if there is none or it is not closed."""
    start = text.rfind(_BOX)
    if start == -1:
        return NO_BOX
    start += len(_BOX)
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            if not depth:
                return text[start:place].strip()
            depth -= 1
    return NO_BOX


def box_or_tag(response: str) -> str:
    """Return the box of a response, else its answer tags, else all of it: what the VQA benchmarks do first."""
    if (found := boxed(response)) != NO_BOX:
        return found
    return tagged(response) if "<answer>" in response else response


def parsed(response: str) -> str:
    """Return the lower-case text that the scorers compare."""
    text = response.lower()
    if "boxed" in text:
        text = boxed(text)
    elif "<answer>" in text:
        text = tagged(text)
    for lead in _LEADS:
        if lead in text:
            text = text.split(lead)[-1]
    return text

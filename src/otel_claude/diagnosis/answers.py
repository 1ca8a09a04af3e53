"""Answers that are no messages, though their status says that all is well.

In: the content type of an answer in which nothing of a message was found. Out: what to do. Pure.
"""

import re

_HARMLESS = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")


def no_message(content_type: str | None) -> str | None:
    """What to do about an answer that the SDK hands on as a text. `None`: it is JSON, which the SDK reads.

    The SDK parses what says that it is JSON, and gives all else to the application as a `str`, without an exception:
    `APIResponse._parse` in `anthropic/_response.py`. So a page of a proxy passes for an answer.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return None
    named = kind if _HARMLESS.fullmatch(kind) else "something else"
    return f"The answer is no message but {named}: check base_url, and the proxy or sign-in page on the way."

"""One content block of the Messages API as one message part of the OpenTelemetry conventions.

In: blocks as they go over the wire, in requests and in responses. Out: parts, made of new dicts and lists
that hold nothing but JSON values, so that they serve as span attribute and as event attribute alike. Pure,
and total: a block of any shape becomes some part.

What has a part in the conventions becomes that part. Everything else becomes a *generic* part, which says
what it was and none of its data: `{"type": "generic", "generic_type": "redacted_thinking"}`. That form is
valid both where the schema lets a generic part have any `type` and where it asks for this very one.
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai

The bytes of images and documents never get into a part. The conventions' `blob` part cannot do without
them, so a source that holds them becomes a generic part with type and size. A `file` part refers by id, a
`uri` part by address.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from otel_claude.values import class_of, is_array, is_object, known

Block = Mapping[str, Any]
Part = dict[str, Any]

# Readers of Protocol Buffers refuse messages nested deeper than 100. In an OTLP log record a part lies 13
# messages deep, and each dict inside it takes three more.
# https://protobuf.dev/programming-guides/proto-limits/
DEEPEST = 24
_TOO_DEEP = "[nested too deep]"

_DATA_URL = re.compile(r"(data:[\w.+/;=-]*;base64,)[\w+/=%-]+", re.ASCII)
_MIME_KEYS = ("media_type", "mime_type", "mimeType")


def byte_count(text: str) -> int:
    """The bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def parts_of(content: Any, depth: int = DEEPEST) -> list[Part]:
    """The parts of a `content` or `system` field: of a string or of a list of blocks."""
    if content is None:
        return []
    blocks = content if is_array(content) else (content,)
    return [part_of(block, depth) for block in blocks]


def part_of(block: Any, depth: int = DEEPEST) -> Part:
    """The part that one block becomes, nested at most `depth` levels deep."""
    if issubclass(type(block), str):
        return {"type": "text", "content": clean(block)}
    if not is_object(block):
        return _generic(type(block).__name__)
    kind = _text(block, "type")
    if kind is None:
        return _generic("unknown")
    read = _server_tool_result if kind.endswith("_tool_result") else _READERS.get(kind)
    part = read(block, depth) if read and depth > 0 else None
    return _generic(kind) if part is None else part


def plain(value: Any, depth: int = DEEPEST) -> Any:
    """A copy of `value` out of JSON values only, nested at most `depth` levels deep.

    An image or a document inside it becomes its part, other bytes in base64 their size, ciphertext a word. An
    object that is no JSON value is named by its class and not looked into; an iterator is not consumed.
    """
    if is_array(value):
        return [plain(item, depth - 1) for item in value] if depth > 0 else _TOO_DEEP
    if is_object(value):
        return _plain_mapping(value, depth) if depth > 0 else _TOO_DEEP
    return _scalar(value)


def clean(text: str) -> str:
    """`text` in valid Unicode, without the bytes of data URLs."""
    if ";base64," in text:
        text = _DATA_URL.sub(lambda url: f"{url[1]}[{len(url[0]) - len(url[1])} bytes left out]", text)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _scalar(value: Any) -> Any:
    kind = class_of(value)
    if issubclass(kind, str):
        return clean(value)
    if issubclass(kind, float):
        return value if isfinite(value) else repr(value)
    if issubclass(kind, int):
        return value if -(2**63) <= value < 2**63 else "[integer of more than 64 bits]"
    return None if value is None else f"[{kind.__name__}]"


def _plain_mapping(value: Block, depth: int) -> Part:
    media = _media(value, depth) if value.get("type") in ("image", "document") else None
    if media is not None:
        return media
    encoded = value.get("type") == "base64" or any(key in value for key in _MIME_KEYS)
    fields: Part = {}
    for key, item in value.items():
        name = str(plain(key, 0))
        if encoded and name in {"data", "blob"} and isinstance(item, str):
            fields["size_bytes"] = byte_count(item)
        elif name.startswith("encrypted_"):
            fields[name] = "[encrypted]"
        else:
            fields[name] = plain(item, depth - 1)
    return fields


def _text_block(block: Block, depth: int) -> Part | None:
    text = _text(block, "text")
    return None if text is None else {"type": "text", "content": text}


def _thinking(block: Block, depth: int) -> Part | None:
    text = _text(block, "thinking")
    return None if text is None else {"type": "reasoning", "content": text}


def _compaction(block: Block, depth: int) -> Part:
    return known({"type": "compaction", "content": _text(block, "content")})


def _tool_use(block: Block, depth: int) -> Part | None:
    name = _text(block, "name")
    if name is None:
        return None
    arguments = plain(block.get("input"), depth - 1)
    return known({"type": "tool_call", "id": _text(block, "id"), "name": name}) | {"arguments": arguments}


def _tool_result(block: Block, depth: int) -> Part:
    content = block.get("content")
    part: Part = known({"type": "tool_call_response", "id": _text(block, "tool_use_id")})
    part["response"] = parts_of(content, depth - 2) if is_array(content) else plain(content, depth - 1)
    return part | _error_mark(block)


def _server_tool_use(block: Block, depth: int) -> Part | None:
    """The call of a server tool, or of a tool of an MCP server."""
    name = _text(block, "name")
    if name is None:
        return None
    kind = "mcp" if block.get("type") == "mcp_tool_use" else name
    call = known({"type": kind, "server_name": _text(block, "server_name")})
    call["input"] = plain(block.get("input"), depth - 2)
    return known({"type": "server_tool_call", "id": _text(block, "id"), "name": name, "server_tool_call": call})


def _server_tool_result(block: Block, depth: int) -> Part:
    """The answer of any server tool: `web_search_tool_result`, `mcp_tool_result`, all that end so."""
    response = {
        "type": clean(block["type"]).removesuffix("_tool_result"),
        "content": plain(block.get("content"), depth - 2),
        **_error_mark(block),
    }
    return known(
        {
            "type": "server_tool_call_response",
            "id": _text(block, "tool_use_id"),
            "server_tool_call_response": response,
        }
    )


def _container_upload(block: Block, depth: int) -> Part | None:
    file_id = _text(block, "file_id")
    return None if file_id is None else {"type": "file", "modality": "file", "file_id": file_id}


def _tool_reference(block: Block, depth: int) -> Part:
    return _generic("tool_reference", tool_name=_text(block, "tool_name"))


def _search_result(block: Block, depth: int) -> Part:
    """A document that the application has found itself. Its source may be an address or any other words."""
    source = _text(block, "source")
    return _generic(
        "search_result",
        title=_text(block, "title"),
        source=None if source is None else _address(source) or source,
    )


def _media(block: Block, depth: int) -> Part | None:
    """An image or a document, by what its source is."""
    source = block.get("source")
    if not is_object(source):
        return None
    read = _SOURCES.get(_text(source, "type") or "")
    return read(str(block["type"]), _text(block, "title"), source) if read else None


def _base64_source(kind: str, title: str | None, source: Block) -> Part:
    data = source.get("data")
    # Four characters of base64 hold three bytes; each `=` at the end stands for one that is not there.
    size = len(data) * 3 // 4 - data[-2:].count("=") if isinstance(data, str) else None
    return _generic(kind, title=title, mime_type=_text(source, "media_type"), size_bytes=size)


def _text_source(kind: str, title: str | None, source: Block) -> Part:
    data = source.get("data")
    size = byte_count(data) if isinstance(data, str) else None
    return _generic(kind, title=title, mime_type=_text(source, "media_type"), size_bytes=size)


def _content_source(kind: str, title: str | None, source: Block) -> Part:
    return _generic(kind, title=title)


def _url_source(kind: str, title: str | None, source: Block) -> Part:
    address = _address(_text(source, "url") or "")
    if address is None:
        return _generic(kind, title=title)
    return known({"type": "uri", "modality": kind, "uri": address, "title": title})


def _file_source(kind: str, title: str | None, source: Block) -> Part:
    file_id = _text(source, "file_id")
    if file_id is None:
        return _generic(kind, title=title)
    return known({"type": "file", "modality": kind, "file_id": file_id, "title": title})


def _address(url: str) -> str | None:
    """`url` without user, query and fragment, which may hold secrets. `None`: it is no address."""
    try:
        scheme, host, path, _, _ = urlsplit(url)
    except ValueError:
        return None
    return f"{scheme}://{host.rpartition('@')[2]}{path}" if scheme and host else None


def _error_mark(block: Block) -> Part:
    return {"is_error": True} if block.get("is_error") is True else {}


def _generic(kind: str, **fields: str | int | None) -> Part:
    return known({"type": "generic", "generic_type": kind, **fields})


def _text(block: Block, name: str) -> str | None:
    value = block.get(name)
    return clean(value) if isinstance(value, str) else None


_SOURCES: dict[str, Callable[[str, str | None, Block], Part]] = {
    "base64": _base64_source,
    "text": _text_source,
    "content": _content_source,
    "url": _url_source,
    "file": _file_source,
}

_READERS: dict[str, Callable[[Block, int], Part | None]] = {
    "text": _text_block,
    "thinking": _thinking,
    "compaction": _compaction,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": _server_tool_use,
    "mcp_tool_use": _server_tool_use,
    "container_upload": _container_upload,
    "tool_reference": _tool_reference,
    "search_result": _search_result,
    "image": _media,
    "document": _media,
}

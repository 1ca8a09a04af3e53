"""What of a call's content is let out: first redacted, then bounded in size.

In: a `Content`, a limit in bytes, the application's redaction hook. Out: a `Content` that keeps within the
limit, still valid by the conventions' schemas. Pure, but for what the hook does.

Size means the bytes of the four attributes as compact JSON in UTF-8. When there is too much, the oldest parts
of the input messages go first. The newest user message and what follows it, the output, the system
instructions and the tools stay as long as they can; when they are too large themselves, they share the room
and their texts are cut. The tools, the same in call after call, may claim a quarter of the room, and more if
nothing else needs it. Every place where something is missing says how much:
`[12 parts, 48211 bytes left out]`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from otel_claude import names
from otel_claude.content import Content, as_structures, to_json
from otel_claude.content.parts import Part, byte_count, plain
from otel_claude.values import is_array, is_object

Redact = Callable[[str, Any], Any]
"""Called with the kind of content (an attribute's name) and one part of it, as the conventions' schemas have it.

Returns the part to record, as it is or changed, or `None` to leave it out. A part for which it raises is left out.
"""

Mark = Callable[[int, int], Part]

_MARK_BYTES = 96  # more than any mark takes
_PART_BYTES = 128  # cut to less than this, a part would be little but its mark

# Short words that say what a part is. They are never cut, so that what is left of a part is still that part.
_LABELS = frozenset({"type", "generic_type", "id", "name", "modality", "mime_type", "file_id"})

_LEAST_FIRST = ("tool_definitions", "system_instructions", "output_messages", "input_messages")


def bound(content: Content, limit_bytes: int, redact: Redact | None = None) -> Content:
    """`content` as `redact` wants it, in at most `limit_bytes` bytes.

    The hook is called with the name of the attribute and one part of it, or one tool definition; both are
    copies. It returns the dict to record in its place; `None` leaves it out without a trace. When it raises,
    or returns anything else, the part is left out too, and a mark says so.

    Where a limit is too small even for marks, whole attributes are left out, the input messages last.
    """
    if redact is not None:
        content = _redacted(content, redact)
    if _total(content) <= limit_bytes:
        return content
    fitted = _fitted(content, limit_bytes)
    for attribute in _LEAST_FIRST:
        if _total(fitted) > limit_bytes:
            fitted = fitted._replace(**{attribute: None})
    return fitted


def _redacted(content: Content, redact: Redact) -> Content:
    def each(kind: str, parts: list[Part] | None) -> list[Part] | None:
        if parts is None:
            return None
        results = (_asked(redact, kind, part) for part in parts)
        return [part for part in results if part is not None]

    def messages(kind: str, found: list[Part] | None) -> list[Part] | None:
        return found and [{**message, "parts": each(kind, message["parts"])} for message in found]

    return Content(
        each(names.SYSTEM_INSTRUCTIONS, content.system_instructions),
        messages(names.INPUT_MESSAGES, content.input_messages),
        messages(names.OUTPUT_MESSAGES, content.output_messages),
        each(names.TOOL_DEFINITIONS, content.tool_definitions),
        content.truncated,
    )


def _asked(redact: Redact, kind: str, part: Part) -> Part | None:
    try:
        result = redact(kind, part)
        if result is None or is_object(result):
            return plain(result)
        reason = f"the redaction hook returned {type(result).__name__}"
    except Exception as error:
        reason = f"the redaction hook raised {type(error).__name__}"
    return (_tool_note if kind == names.TOOL_DEFINITIONS else _text_note)(f"[left out: {reason}]")


def _fitted(content: Content, limit: int) -> Content:
    system, inputs, outputs, tools, _ = content
    older, newest = _split(inputs or [])
    room = limit - (_MARK_BYTES if older else 0)
    needs = (_size(system), _size(outputs), _size(newest), min(_size(tools), limit // 4))
    shares = _shares(needs, room)
    fitted = Content(
        system and _fit(system, shares[0] - 1, _text_mark),
        inputs and _join(older, _fit_messages(newest, shares[2]), room - sum(shares)),
        outputs and _fit_messages(outputs, shares[1]),
        truncated=True,
    )
    return fitted._replace(tool_definitions=tools and _fit(tools, limit - _total(fitted) - 1, _tool_mark))


def _split(messages: list[Part]) -> tuple[list[Part], list[Part]]:
    """The messages before the newest one of the user, and those from there on."""
    users = (index for index, message in enumerate(messages) if message["role"] == "user")
    start = max(users, default=max(len(messages) - 1, 0))
    return messages[:start], messages[start:]


def _join(older: list[Part], newest: list[Part], room: int) -> list[Part]:
    """As many of the latest parts of `older` as `room` holds, a mark for the others, and `newest`."""
    first = len(older)
    while first and (cost := _size(older[first - 1]) + 1) <= room:
        first -= 1
        room -= cost
    if not first:
        return older + newest
    *missing, message = older[:first]
    parts: list[Part] = message["parts"]
    room -= _frame_size(message) + 1
    left = _left([_size(part) + 1 for part in parts], room)
    partly = [{**message, "parts": parts[left:]}] if left < len(parts) else []
    head, *tail = partly + older[first:] + newest
    gone = [part for message in missing for part in message["parts"]] + parts[:left]
    mark = _text_mark(len(gone), sum(map(_size, gone)))
    return [{**head, "parts": [mark, *head["parts"]]}, *tail]


def _fit_messages(messages: list[Part], room: int) -> list[Part]:
    shares = _shares([_size(message) + 1 for message in messages], room - 1)
    return [
        {**message, "parts": _fit(message["parts"], share - _frame_size(message), _text_mark)}
        for message, share in zip(messages, shares, strict=True)
    ]


def _fit(parts: list[Part], room: int, mark: Mark) -> list[Part]:
    """`parts`, each cut to its share of `room`, without the oldest where the shares would be too small."""
    costs = [_size(part) + 1 for part in parts]
    if sum(costs) <= max(room, 0):
        return parts
    gone = min(_left([min(cost, _PART_BYTES) for cost in costs], room - _MARK_BYTES), len(parts) - 1)
    marks = [mark(gone, sum(costs[:gone]) - gone)] if gone else []
    shares = _shares(costs[gone:], room - _MARK_BYTES * len(marks))
    return marks + [
        part if cost <= share else _shortened(part, share - 1, mark)
        for part, cost, share in zip(parts[gone:], costs[gone:], shares, strict=True)
    ]


def _left(costs: list[int], room: int) -> int:
    """How many have to go, from the first on, so that the others cost no more than `room`."""
    return len(costs) - bisect_right(list(accumulate(reversed(costs))), room)


def _shares(needs: Sequence[int], room: int) -> list[int]:
    """`room` divided up: who needs less than an equal share gets that, and the others have more."""
    shares = [0] * len(needs)
    order = sorted(range(len(needs)), key=needs.__getitem__)
    for taken, index in enumerate(order):
        shares[index] = min(needs[index], room // (len(needs) - taken))
        room -= shares[index]
    return shares


def _shortened(part: Part, room: int, mark: Mark) -> Part:
    """`part` in `room` bytes: with its texts cut as little as need be, or emptied, or a mark."""
    if _size(_cut(part, 0)) <= room:
        return _cut(part, bisect_right(range(room), room, key=lambda length: _size(_cut(part, length))) - 1)
    hollow = {name: value if name in _LABELS else _hole(value) for name, value in part.items()}
    return hollow if _size(hollow) <= room else mark(1, _size(part))


def _cut(value: Any, length: int) -> Any:
    """`value` with every text in it cut to `length` characters and a mark, where that makes it shorter."""
    if isinstance(value, str):
        cut = f"{value[:length]}[{len(value) - length} characters left out]"
        return cut if len(cut) < len(value) else value
    if is_array(value):
        return [_cut(item, length) for item in value]
    if is_object(value):
        return {name: item if name in _LABELS else _cut(item, length) for name, item in value.items()}
    return value


def _hole(value: Any) -> Any:
    """What stands in the place of `value`, of the same type as it is, so that the part stays valid."""
    size = _size(value)
    note = f"[{size} bytes left out]"
    if size <= len(note):
        return value
    if is_object(value):
        return {**({"type": value["type"]} if "type" in value else {}), "left_out": note}
    return [_text_note(note)] if is_array(value) else note


def _text_note(note: str) -> Part:
    return {"type": "text", "content": note}


def _tool_note(note: str) -> Part:
    return {"type": "left_out", "name": note}


def _text_mark(count: int, size: int) -> Part:
    return _text_note(f"[{count} {'part' if count == 1 else 'parts'}, {size} bytes left out]")


def _tool_mark(count: int, size: int) -> Part:
    return _tool_note(f"[{count} {'tool' if count == 1 else 'tools'}, {size} bytes left out]")


def _total(content: Content) -> int:
    return sum(map(_size, as_structures(content).values()))


def _frame_size(message: Part) -> int:
    return _size({**message, "parts": []})


def _size(value: Any) -> int:
    """The bytes of `value` as it is recorded; what is absent has none."""
    return 0 if value is None else byte_count(to_json(value))

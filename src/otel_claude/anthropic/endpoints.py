"""Which endpoint a request is for, in the SDK's own words.

In: method and URL of a request as the SDK's resource gave them. Out: an `Endpoint`. Pure.

From 1.14 on the SDK names its methods itself (`anthropic.messages.create`). Before that the name follows from the path:
`TABLE` has the paths that are no plain resources, and all others follow the rule of `_by_rule`.
"""

import re
from functools import lru_cache

from otel_claude.call import Endpoint, Kind

KINDS: dict[str, Kind] = {
    "anthropic.messages.create": "chat",
    "anthropic.completions.create": "text_completion",
    "anthropic.messages.count_tokens": "count_tokens",
    "anthropic.messages.batches.create": "batch_create",
    "anthropic.messages.batches.results": "batch_results",
    "anthropic.files.upload": "upload",
    "anthropic.files.download": "download",
}

TABLE: tuple[tuple[str, str, str], ...] = (
    ("post", r"/v1/messages", "anthropic.messages.create"),
    ("post", r"/v1/complete", "anthropic.completions.create"),
    ("post", r"/v1/messages/count_tokens", "anthropic.messages.count_tokens"),
    ("post", r"/v1/messages/batches", "anthropic.messages.batches.create"),
    ("get", r"/v1/messages/batches", "anthropic.messages.batches.list"),
    ("get", r"/v1/messages/batches/[^/]+", "anthropic.messages.batches.retrieve"),
    ("delete", r"/v1/messages/batches/[^/]+", "anthropic.messages.batches.delete"),
    ("post", r"/v1/messages/batches/[^/]+/cancel", "anthropic.messages.batches.cancel"),
    ("get", r"(?:https?://[^/]+)?/.*messages/batches/[^/]+/results", "anthropic.messages.batches.results"),
    ("post", r"/v1/files", "anthropic.files.upload"),
    ("get", r"/v1/files/[^/]+", "anthropic.files.retrieve_metadata"),
    ("get", r"/v1/files/[^/]+/content", "anthropic.files.download"),
    ("get", r"/v1/skills/[^/]+/versions/[^/]+/content", "anthropic.skills.versions.download"),
    ("get", r"/v1/environments/[^/]+/work/poll", "anthropic.environments.work.poll"),
    ("get", r"/v1/environments/[^/]+/work/stats", "anthropic.environments.work.stats"),
    ("post", r"/v1/sessions/[^/]+/events", "anthropic.sessions.events.send"),
    ("get", r"/v1/sessions/[^/]+/events/stream", "anthropic.sessions.events.stream"),
    ("get", r"/v1/sessions/[^/]+/threads/[^/]+/stream", "anthropic.sessions.threads.events.stream"),
    ("post", r"/v1/sessions/[^/]+/resources", "anthropic.sessions.resources.add"),
    ("post", r"/v1/user_profiles/[^/]+/enrollment_url", "anthropic.user_profiles.create_enrollment_url"),
)
"""Method, path and name of the endpoints whose names do not follow the rule."""

_COMPILED = tuple((method, re.compile(path), name) for method, path, name in TABLE)
_BATCH = re.compile(r"messages/batches/([^/?]+)/results")
_WORD = re.compile(r"v1|[a-z][a-z_]*|")

ACTIONS = frozenset(
    {
        "ack",
        "archive",
        "cancel",
        "heartbeat",
        "mcp_oauth_validate",
        "pause",
        "redact",
        "reveal_token",
        "rotate_token",
        "run",
        "stop",
        "unpause",
    }
)
"""What is posted to an object without making a new one in it."""

VERBS = {
    ("get", True): "list",
    ("post", True): "create",
    ("get", False): "retrieve",
    ("post", False): "update",
    ("delete", False): "delete",
}
"""By HTTP method, and whether the path ends in a collection."""


def endpoint_of(method: str, url: str, span_name: str | None) -> Endpoint:
    """The endpoint of a request. `span_name` is the SDK's own name for it, where it has one."""
    if span_name is not None:
        return Endpoint(span_name, KINDS.get(span_name, "other"))
    path = url.partition("?")[0]
    if path == "/v1/messages" and method == "post":
        return _MESSAGES
    name = _named(method, _without_ids(path))
    return Endpoint(name, KINDS.get(name, "other"))


_MESSAGES = Endpoint("anthropic.messages.create", "chat")


def batch_of(url: str) -> str | None:
    """The id of the batch whose results a request is for."""
    found = _BATCH.search(url)
    return None if found is None else found.group(1)


def _without_ids(path: str) -> str:
    """The path with `-` for each segment that names one object, so that few paths are remembered."""
    if "://" in path:
        path = "/" + path.split("/", 3)[-1]
    return "/".join(word if _WORD.fullmatch(word) else "-" for word in path.split("/"))


@lru_cache(maxsize=256)
def _named(method: str, path: str) -> str:
    for known_method, pattern, name in _COMPILED:
        if method == known_method and pattern.fullmatch(path):
            return name
    return _by_rule(method, path)


def _by_rule(method: str, path: str) -> str:
    """`anthropic.{resource}.{method}`: collections are listed and created in, objects retrieved, updated and deleted.

    A path that is none of the API's own is named after its HTTP method alone.
    """
    version, *words = path.strip("/").split("/")
    resources = [word for word in words if word != "-"]
    if version != "v1" or not resources:
        return f"anthropic.{method}"
    if words[-1] == "-":
        return f"anthropic.{'.'.join(resources)}.{VERBS.get((method, False), method)}"
    if words[-1] in ACTIONS:
        return f"anthropic.{'.'.join(resources)}"
    return f"anthropic.{'.'.join(resources)}.{VERBS.get((method, True), method)}"

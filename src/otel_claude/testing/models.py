"""The models that the simulated API lists, newest first. Others are answered for all the same.

The dates are those in the ids. Where an id has none, the date is the epoch, as the API has it for unknown
dates. https://platform.claude.com/docs/en/about-claude/models/overview
"""

import re

from otel_claude.testing.exchange import Json

_DATE = re.compile(r"-(\d{4})(\d{2})(\d{2})$")
_PLATFORM_ID = re.compile(r"^(?:.*anthropic\.)?(?P<name>[\w.-]+?)(?:-v\d+(?::\w+)?)?(?:@(?P<date>\w+))?$")


def _model(model_id: str, display_name: str) -> Json:
    date = _DATE.search(model_id)
    day = "-".join(date.groups()) if date else "1970-01-01"
    return {"type": "model", "id": model_id, "display_name": display_name, "created_at": f"{day}T00:00:00Z"}


MODELS = {
    model_id: _model(model_id, display_name)
    for model_id, display_name in (
        ("claude-opus-5-5", "Claude Opus 5.5"),
        ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
        ("claude-haiku-5-5", "Claude Haiku 5.5"),
        ("claude-opus-4-8", "Claude Opus 4.8"),
        ("claude-opus-4-5-20251101", "Claude Opus 4.5"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
    )
}


def model_name(requested: str) -> str:
    """The model that a response names: Anthropic's id where a platform's was asked for.

    `us.anthropic.claude-sonnet-4-5-20250929-v1:0` and `claude-sonnet-4-5@20250929` are
    `claude-sonnet-4-5-20250929`.
    """
    platform = _PLATFORM_ID.match(requested)
    if platform is None:
        return requested
    return platform["name"] if platform["date"] is None else f"{platform['name']}-{platform['date']}"

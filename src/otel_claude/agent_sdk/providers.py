"""Who answers the CLI: the API, or a cloud that has its models. Pure.

In: the environment that the CLI runs in, and its words for who has answered. Out: the conventions' names of providers.
https://code.claude.com/docs/en/third-party-integrations
"""

from collections.abc import Mapping

from otel_claude.agent_sdk.cli_traces import is_on
from otel_claude.values import Fields

PROVIDER = "anthropic"
"""Who it is where nothing else is said. Claude on other platforms speaks Anthropic's own format, as `facts` says."""

PROVIDERS: Mapping[str, str] = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}
"""Words of the CLI for who has answered, with the conventions' ones."""

SWITCHES: Mapping[str, str] = {"CLAUDE_CODE_USE_BEDROCK": "bedrock", "CLAUDE_CODE_USE_VERTEX": "vertex"}
"""The variables that have the CLI ask somebody else. The first one that is on holds."""


def provider_in(given: Fields, environment: Mapping[str, str]) -> str:
    """Who the CLI asks. `given` is what the options add to the `environment`."""
    merged = {**environment, **given}
    return next((PROVIDERS[word] for switch, word in SWITCHES.items() if is_on(merged.get(switch))), PROVIDER)


def provider_said(word: object, otherwise: str) -> str:
    """Who has answered, in the CLI's own `word`, which older ones do not say."""
    return otherwise if word is None else PROVIDERS.get(str(word), PROVIDER)

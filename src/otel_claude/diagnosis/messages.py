"""A failure's message as patterns expect it: the API's own words, without the names that are the application's.

In: what the exception says. Out: one or two lines, to be read and never repeated. Pure.
"""

import re

MOST_TEXT = 2_000
"""The most of a message that patterns look at, in characters."""

FIELD = re.compile(
    r"(?:betas|billing_policy|cache_control|compaction|container|context_management|diagnostics|fallbacks|inference_geo"
    r"|max_tokens|mcp_servers|messages|metadata(?!: ?\{)|output_config|output_format|service_tier|speed"
    r"|stop_sequences|stream|system|temperature|thinking|thread|tool_choice|tools|top_k|top_p|user_profile_id)"
    r"(?:[.\[][^ :]{1,200})?:"
)
"""How a message begins that is about a field of the request, such as `tools.0.name: …`, but for the model."""

_WRAPPING = re.compile(
    r"error code: \d{3} - |requests\.\d{1,6}\.params\.|[\[{]| "
    r"|(?:error|errors|message|detail|metadata|raw): ?"
    r"|(?:code|internalcode|name|object|param|request_id|result|status|statuscode|success|type): ?[^{}\[\],]{0,100}, ?"
    r"|(?:provider returned error|bad request), ?"
    r"|[^{}\[\],:]{0,100}(?:error|errors|exception|operation)\)?(?:: | - )"
)
"""A piece of what stands before the API's own words: the SDK's, a batch's, and those of gateways, which hand on a body
as a text within their own, such as `{"error": {"message": "litellm.BadRequestError: AnthropicException - {…`.
"""

_ITS_OWN = (
    r"(?:\w{1,20}_)?tool_(?:use|result)(?:_id)?|(?:redacted_)?thinking(?:\.[\w.]{1,40})?|output_(?:config|format)[\w.]{0,40}"
    r"|max_tokens|budget_tokens|temperature|top_[pk]|cache_control|signature|encrypted_(?:content|index)"
    r"|anthropic-(?:beta|version)|x-api-key|authorization|user|assistant|system|tools?|tool_choice|messages|type"
    r"|function|effort|modelid|additionalproperties|aiplatform[\w./-]{1,100}"
)
"""What the API and the clouds quote of their own."""

_QUOTED = re.compile(
    r"(?:(?<=[\w)] )|(?<=[(=])|(?<=\")(?=['`])|(?<=')(?=[\"`]))"
    rf"(?P<mark>[\"'`])(?!(?:{_ITS_OWN})(?P=mark))[^{{}}]{{1,200}}?(?P=mark)(?!\w)"
)
"""A quoted name. What wraps a message quotes too, but behind a colon, a comma or a bracket."""

_NAMES = re.compile(
    r"(?<= )\([^(){}\[\]]{1,100}\)"
    r"|(?<![\w./-])(?!context-1m|tlsv)(?=[a-z_-]{1,60}\d)(?=[a-z\d]{1,60}[_-])[a-z][\w-]{5,100}(?!\w|[./]\w)"
)
"""A name in parentheses, and an id or a key, such as `toolu_019P95AL5DF`."""

_QUOTES = str.maketrans("", "", "`'\"")
_PLAIN_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"", "\\")


def words_of(message: str) -> str:
    """The message as patterns expect it, with the API's own words on a line of their own behind what wraps them.

    Gateways wrap messages in JSON of their own, with quotes and backslashes, and more than once.
    """
    text = message[:MOST_TEXT].lower().replace("\\n", " ").translate(_PLAIN_QUOTES)
    text = _QUOTED.sub("_", " ".join(text.split())).translate(_QUOTES)
    text = _NAMES.sub("_", text)
    start = 0
    while not FIELD.match(text, start) and (match := _WRAPPING.match(text, start)):
        start = match.end()
    return f"{text[:start]}\n{text[start:]}" if start else text

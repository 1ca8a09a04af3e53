"""What failed calls mean, in the words that the API, clouds and gateways have been seen to use.

A row of the tables: where the words were seen, the `error.type` and status that go with them, the words, the category,
and a part of the hint. In public reports, ids and names of persons have been left out.
"""

import json
import re
from typing import NamedTuple, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_claude.diagnosis.answers import no_message
from otel_claude.diagnosis.cases import CASES, Case
from otel_claude.diagnosis.codes import LIMITS, STATUSES, TYPES, Category
from otel_claude.diagnosis.failures import CONDITIONS, MOST_HINT, Refused, diagnose
from otel_claude.diagnosis.messages import MOST_TEXT

CATEGORIES = get_args(Category)
HUB = "https://github.com/"
CODE = f"{HUB}anthropics/claude-code/issues/"
ERRORS = "https://platform.claude.com/docs/en/api/errors"


class Seen(NamedTuple):
    """One wording. A `type` that is a number is a status that came without a type."""

    source: str
    type: str
    status: int | None
    message: str
    category: str
    hint: str


def bad(source: str, message: str, category: str, hint: str) -> Seen:
    """A 400 of the API."""
    return Seen(source, "invalid_request_error", 400, message, category, hint)


ACCESS = [
    Seen("recording of the API", "authentication_error", 401, "invalid x-api-key", "authentication", "not revoked"),
    Seen(
        f"{HUB}n8n-io/n8n/issues/37930",
        "authentication_error",
        401,
        "x-api-key header is required",
        "authentication",
        "No key was sent: set ANTHROPIC_API_KEY",
    ),
    Seen(
        f"{CODE}84903",
        "authentication_error",
        401,
        "Invalid bearer token",
        "authentication",
        "pass an API key as api_key (x-api-key)",
    ),
    Seen(
        f"{CODE}3261",
        "authentication_error",
        401,
        "Invalid OAuth token. The provided token was not found or is malformed.",
        "authentication",
        "only an OAuth token as auth_token",
    ),
    Seen(
        f"{CODE}11733",
        "authentication_error",
        401,
        "OAuth authentication is currently not supported.",
        "authentication",
        "pass an API key",
    ),
    Seen(
        f"{CODE}6459",
        "authentication_error",
        401,
        "OAuth token has expired. Please obtain a new token or refresh your existing token.",
        "authentication",
        "has expired: create a new one",
    ),
    Seen(
        "anthropic/_client.py of the SDK",
        "TypeError",
        None,
        '"Could not resolve authentication method. Expected one of api_key, auth_token, or credentials to be set. '
        'Or for the `Authorization` header to be explicitly omitted"',
        "authentication",
        "The client has no key",
    ),
    Seen(
        f"{HUB}OpenHands/OpenHands/issues/17390",
        "token_not_found_in_db",
        401,
        "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...8aSP, Key Hash (Token) "
        "=5699. Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
        "authentication",
        "The gateway does not know the key",
    ),
    Seen(
        f"{HUB}microsoft/vscode/issues/294841",
        "401",
        401,
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource.",
        "authentication",
        "Azure refused the key",
    ),
    Seen(
        f"{CODE}28032",
        "403",
        403,
        "The security token included in the request is expired",
        "authentication",
        "AWS credentials have expired",
    ),
    Seen(
        f"{CODE}2260",
        "403",
        403,
        "The security token included in the request is invalid.",
        "authentication",
        "AWS refused the credentials",
    ),
    Seen(
        "Google's APIs, for the status UNAUTHENTICATED",
        "401",
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
        "authentication",
        "Google Cloud refused the credentials",
    ),
    bad(
        f"{CODE}66314",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
        "billing",
        "buy credits",
    ),
    bad(
        f"{CODE}38035",
        "You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.",
        "billing",
        "A spend limit",
    ),
    Seen(ERRORS, "billing_error", 402, "Billing error", "billing", "payment method in the Console"),
    Seen(
        f"{HUB}BerriAI/litellm/issues/20615",
        "budget_exceeded",
        400,
        "Budget has been exceeded! Current cost: 76.16, Max budget: 10.0",
        "billing",
        "A budget that a gateway keeps",
    ),
    Seen(
        f"{HUB}Gitlawb/openclaude/issues/1125",
        "402",
        402,
        "Error code: 402 - {'error': {'message': 'This request requires more credits, or fewer max_tokens. You "
        "requested up to 32000 tokens, but can only afford 27342. To increase, visit "
        "https://openrouter.ai/settings/credits and upgrade to a paid account', 'code': 402}}",
        "billing",
        "buy credits, or lower max_tokens",
    ),
    Seen(
        f"{HUB}anomalyco/opencode/issues/12219",
        "402",
        402,
        "Prompt tokens limit exceeded: 230799 > 91442. To increase, visit https://openrouter.ai/settings/keys and "
        "create a key with a higher monthly limit",
        "billing",
        "The spend limit of this key",
    ),
    Seen(
        f"{HUB}BerriAI/litellm/pull/39660",
        "key_model_access_denied",
        403,
        "key not allowed to access model. This key can only access models=['us.anthropic.claude-haiku-4-5-20251001-v1:"
        "0']. Tried to access us.anthropic.claude-sonnet-4-6",
        "permission",
        "The gateway does not let this key use the model",
    ),
    Seen(
        f"{HUB}BerriAI/litellm/pull/39860",
        "team_model_access_denied",
        403,
        "team not allowed to access model. This team can only access models=['gpt-5.4-mini']. Tried to access "
        "bedrock/us.amazon.nova-2-lite-v1:0",
        "permission",
        "The gateway does not let this key use the model",
    ),
    Seen(
        f"{HUB}cloudflare/cloudflare-docs/pull/31050",
        "401",
        401,
        "Error code: 401 - {'name': 'AiGatewayError', 'internalCode': 2009, 'message': 'Unauthorized'}",
        "authentication",
        "cf-aig-authorization",
    ),
    Seen(
        f"{HUB}anomalyco/opencode/issues/32051",
        "401",
        401,
        "Error code: 401 - {'result': None, 'success': False, 'errors': [{'code': 10000, 'message': 'Authentication "
        "error'}], 'messages': []}",
        "authentication",
        "The credentials were refused",
    ),
    Seen(
        f"{HUB}Ekultek/WhatWaf/issues/178",
        "403",
        403,
        '<!--# Id: security.html 114963 2016-03-18 03:20:55Z szhang -->\n<html>\n<head>\n<meta content="Zscaler makes '
        'the internet safe for businesses" name="description"/>\n<title>Internet Security by Zscaler</title>',
        "permission",
        "web filter",
    ),
    Seen(
        f"{HUB}openai/codex/issues/27752",
        "403",
        403,
        "<!DOCTYPE html>\n<head>\n<title>Attention Required! | Cloudflare</title>",
        "permission",
        "check the country, VPN or proxy",
    ),
    Seen(
        f"{HUB}Wei-Shaw/claude-relay-service/issues/1093",
        "client_validation_error",
        403,
        "This endpoint only accepts requests from Claude Code CLI",
        "permission",
        "What answers at base_url does not allow this",
    ),
    bad(f"{CODE}9384", "This organization has been disabled.", "permission", "check which key the process uses"),
    Seen(
        f"{HUB}vybestack/llxprt-code/issues/2035",
        "authentication_error",
        401,
        "Invalid authentication credentials",
        "authentication",
        "The credentials were refused",
    ),
    Seen(f"{CODE}17848", "permission_error", 403, "Permission denied", "permission", "check the key's workspace"),
    Seen(
        f"{HUB}can1357/oh-my-pi/issues/38",
        "permission_error",
        403,
        "OAuth token does not meet scope requirement any_of(user:inference, user:ccr_inference)",
        "permission",
        "use an API key of the organization",
    ),
    Seen(
        f"{CODE}65714",
        "permission_error",
        403,
        "OAuth authentication is currently not allowed for this organization.",
        "permission",
        "use an API key of the organization",
    ),
    Seen(f"{CODE}1658", "forbidden", 403, "Request not allowed", "permission", "check the country, VPN or proxy"),
    Seen(
        f"{CODE}536",
        "403",
        403,
        "You don't have access to the model with the specified model ID.",
        "permission",
        "enable it there",
    ),
    Seen(
        f"{HUB}yym68686/uni-api/issues/41",
        "400",
        400,
        "Project `1` is not allowed to use Publisher Model `projects/a/locations/asia-southeast1/publishers/anthropic/"
        "models/claude-3-sonnet@20240229`",
        "permission",
        "enable it there",
    ),
    Seen(
        f"{HUB}ministryofjustice/modernisation-platform-environments/pull/18302",
        "403",
        403,
        "Model access is denied due to IAM user or service role is not authorized to perform the required AWS "
        "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access.",
        "permission",
        "marketplace terms",
    ),
]

LENGTH = [
    bad(
        f"{HUB}entropy-research/Devon/issues/88",
        "prompt is too long: 209353 tokens > 199999 maximum",
        "context_length",
        "209,353 tokens and the model takes 199,999",
    ),
    bad(
        f"{CODE}228",
        "input length and `max_tokens` exceed context limit: 184915 + 20000 > 204648, decrease input length or "
        "`max_tokens` and try again",
        "context_length",
        "Prompt (184,915 tokens) and max_tokens (20,000) exceed 204,648",
    ),
    bad(
        f"{HUB}continuedev/continue/issues/10875",
        "input length and `max_tokens` exceed context limit: 142251   64000 > 200000, decrease input length or "
        "`max_tokens` and try again",
        "context_length",
        "Prompt (142,251 tokens) and max_tokens (64,000) exceed 200,000",
    ),
    Seen(
        f"{HUB}entropy-research/Devon/issues/88",
        "None",
        400,
        'litellm.BadRequestError: litellm.ContextWindowExceededError: AnthropicError - {"type":"error","error":{"type":'
        '"invalid_request_error","message":"prompt is too long: 209353 tokens > 199999 maximum"}}',
        "context_length",
        "209,353 tokens",
    ),
    Seen(
        f"{HUB}musistudio/claude-code-router/issues/405",
        "api_error",
        400,
        "Error from provider: This model's maximum context length is 65536 tokens. However, you requested 66434 tokens "
        "(58242 in the messages, 8192 in the completion).",
        "context_length",
        "66,434 tokens and the model takes 65,536",
    ),
    Seen(
        f"{HUB}aws-samples/assessment-generator/issues/2",
        "400",
        400,
        "Input is too long for requested model.",
        "context_length",
        "shorten the history",
    ),
    Seen(
        f"{HUB}Wei-Shaw/sub2api/issues/572",
        "rate_limit_error",
        429,
        "Extra usage is required for long context requests.",
        "context_length",
        "keep to 200K tokens",
    ),
    Seen(
        f"{CODE}61808",
        "rate_limit_error",
        429,
        "Usage credits are required for long context requests.",
        "context_length",
        "enable usage credits",
    ),
    bad(
        f"{CODE}27944",
        "The long context beta is not yet available for this subscription.",
        "context_length",
        "may not send long prompts",
    ),
    bad(
        f"{CODE}11302",
        "max_tokens: 21333 > 4096, which is the maximum allowed number of output tokens for claude-3-opus-20240229",
        "invalid_request",
        "max_tokens is 21,333, but the model gives at most 4,096",
    ),
    Seen(
        f"{HUB}RooCodeInc/Roo-Code/issues/248",
        "400",
        400,
        "The maximum tokens you requested exceed the model limit of 4096. Try again with a maximum tokens value lower "
        "than 4096.",
        "invalid_request",
        "at most 4,096 output tokens",
    ),
    bad(
        f"{HUB}we0-dev/we0/issues/56",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        "invalid_request",
        "at most 8,192 output tokens",
    ),
    Seen(
        f"{HUB}anthropics/anthropic-sdk-python/issues/938",
        "request_too_large",
        413,
        "Request exceeds the maximum size",
        "request_too_large",
        "request 32 MB, batch 256 MB, file 500 MB",
    ),
    Seen(
        "the page that nginx sends",
        "413",
        413,
        "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request "
        "Entity Too Large</h1></center>\r\n<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>",
        "request_too_large",
        "client_max_body_size",
    ),
    bad(
        f"{CODE}19631",
        "messages.2.content.0.image.source.base64: image exceeds 5 MB maximum: 8259148 bytes > 5242880 bytes",
        "invalid_request",
        "8,259,148 bytes and the most is 5,242,880",
    ),
    bad(
        f"{CODE}10360",
        "messages.135.content.6.image.source.base64.data: At least one of the image dimensions exceed max allowed size "
        "for many-image requests: 2000 pixels",
        "invalid_request",
        "larger than 2,000 pixels",
    ),
    bad(
        f"{CODE}6231",
        "messages.38.content.0.pdf.source.base64.data: A maximum of 100 PDF pages may be provided.",
        "invalid_request",
        "more than 100 pages",
    ),
]

REQUEST = [
    bad(
        f"{HUB}envoyproxy/ai-gateway/pull/1909",
        "anthropic-version: header is required",
        "invalid_request",
        "is missing",
    ),
    bad(
        f"{HUB}decolua/9router/issues/2357",
        'anthropic-version: "2023-06-01, 2023-06-01" is not a valid version',
        "invalid_request",
        "anthropic-version is wrong",
    ),
    bad(
        f"{HUB}pacifio/cersei/issues/20",
        "Unexpected value(s) `interleaved-thinking-2025-04-14` for the `anthropic-beta` header. Please consult our "
        "documentation at docs.claude.com or try again without the header.",
        "invalid_request",
        "A name in anthropic-beta",
    ),
    Seen(
        f"{HUB}zed-industries/zed/issues/42715",
        "None",
        400,
        '{\\"type\\":\\"error\\",\\"error\\":{\\"type\\":\\"invalid_request_error\\",\\"message\\":\\"Unexpected '
        "value(s) `prompt-caching-2024-07-31` for the `anthropic-beta` header.",
        "invalid_request",
        "A name in anthropic-beta",
    ),
    bad(
        f"{HUB}clifton/rstructor/pull/36",
        "max_tokens must be greater than thinking.budget_tokens",
        "invalid_request",
        "raise it, or lower the budget",
    ),
    bad(
        f"{HUB}themaximalist/llm.js/issues/30",
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        "invalid_request",
        "must be at least 1,024",
    ),
    bad(
        f"{HUB}can1357/oh-my-pi/issues/341",
        "Thinking may not be enabled when tool_choice forces tool use.",
        "invalid_request",
        "use auto or none",
    ),
    bad(
        f"{HUB}dotCipher/opencode-claude-bridge/pull/1",
        "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        "invalid_request",
        "do not go with thinking",
    ),
    bad(
        f"{HUB}theopenco/llmgateway/pull/3108",
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode.",
        "invalid_request",
        "do not go with thinking",
    ),
    bad(
        f"{HUB}OpenHands/software-agent-sdk/pull/3427",
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
        '"output_config.effort" to control thinking behavior.',
        "invalid_request",
        "use adaptive for newer models",
    ),
    bad(
        f"{CODE}63284",
        "messages.3.content.8: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
        "modified. These blocks must remain as they were in the original response.",
        "invalid_request",
        "Send thinking blocks back as they came",
    ),
    Seen(
        f"{HUB}ding113/claude-code-hub/issues/518",
        "request_fail",
        400,
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "invalid_request",
        "with their signature",
    ),
    bad(
        f"{HUB}lbjlaq/Antigravity-Manager/issues/139",
        "messages.129.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is "
        "enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of "
        "`tool_use` and `tool_result` blocks).",
        "invalid_request",
        "first in their message",
    ),
    bad(
        "recording of the API",
        "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
        "invalid_request",
        "does not take this effort",
    ),
    bad(
        f"{CODE}8210",
        "messages.167: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_019P95AL5DF. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        "invalid_request",
        "A tool_use has no tool_result",
    ),
    bad(
        f"{CODE}13460",
        "messages.48.content.1: unexpected `tool_use_id` found in `tool_result` blocks: toolu_019ETtGZEhTB. Each "
        "`tool_result` block must have a corresponding `tool_use` block in the previous message.",
        "invalid_request",
        "A tool_result has no tool_use",
    ),
    bad(
        f"{CODE}64383",
        "messages.7.content.0: unexpected `tool_use_id` found in `advisor_tool_result` blocks: srvtoolu_01JjfQsd. Each "
        "`advisor_tool_result` block must have a corresponding `server_tool_use` block before it.",
        "invalid_request",
        "A tool_result has no tool_use",
    ),
    bad(f"{CODE}59812", "messages: text content blocks must be non-empty", "invalid_request", "is empty"),
    bad(
        f"{HUB}home-assistant/core/issues/175637",
        "messages: text content blocks must contain non-whitespace text",
        "invalid_request",
        "is empty",
    ),
    bad(
        f"{HUB}glowingjade/obsidian-smart-composer/pull/156",
        "messages.1: all messages must have non-empty content except for the optional final assistant message",
        "invalid_request",
        "is empty",
    ),
    bad(
        f"{HUB}smallmain/vscode-unify-chat-provider/issues/249",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "invalid_request",
        "takes no prefilled answer",
    ),
    bad(
        f"{HUB}envoyproxy/ai-gateway/pull/1712",
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        "invalid_request",
        "More than 4 blocks",
    ),
    bad(f"{CODE}58367", "Output blocked by content filtering policy", "invalid_request", "change the prompt"),
    bad(
        f"{CODE}77525",
        "The request body is not valid JSON: unexpected control character in string: line 1 column 2379 (char 2378)",
        "invalid_request",
        "control characters",
    ),
    bad(
        f"{HUB}anomalyco/models.dev/pull/1765",
        "output_config.format: Extra inputs are not permitted",
        "invalid_request",
        "is not known here",
    ),
    bad(
        f"{HUB}veryfront/veryfront-code/pull/3921",
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        "invalid_request",
        "set additionalProperties to false",
    ),
    Seen(
        f"{HUB}Wei-Shaw/claude-relay-service/issues/58",
        "400",
        400,
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
        "invalid_request",
        "base_url with https",
    ),
    Seen(
        f"{HUB}tiylabs/tiygate/issues/52",
        "400",
        400,
        "Error code: 400 - {'detail': 'Unsupported parameter: metadata'}",
        "invalid_request",
        "or leave it out",
    ),
    bad(
        f"{CODE}58447",
        "diagnostics.previous_message_id: must be the `id` from a prior /v1/messages response (starts with `msg_`)",
        "invalid_request",
        "names the field",
    ),
    bad(
        f"{HUB}anthropics/anthropic-sdk-go/issues/237",
        "messages.0.content.0.document.source: Input tag 'file' found using 'type' does not match any of the expected "
        "tags: 'base64', 'content', 'text', 'url'",
        "invalid_request",
        "send the beta that it needs",
    ),
    Seen(
        f"{HUB}charmbracelet/crush/issues/910",
        "400",
        400,
        "Error code: 400 - {'error': {'message': 'Provider returned error', 'code': 400, 'metadata': {'raw': "
        '\'{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0.text.text: Input '
        "should be a valid string\"}}', 'provider_name': 'Google'}}}",
        "invalid_request",
        "names the field",
    ),
    Seen(
        f"{HUB}farion1231/cc-switch/issues/761",
        "400",
        400,
        "Error code: 400 - {'error': {'message': 'Provider returned error', 'code': 400, 'metadata': {'raw': "
        '\'{"type":"error","error":{"type":"invalid_request_error","message":"x-anthropic-billing-header is a reserved '
        "keyword and may not be used in the system prompt.\"}}', 'provider_name': 'Anthropic', 'is_byok': False}}}",
        "invalid_request",
        "The request was refused",
    ),
    Seen(
        f"{HUB}fumito-ito/AnthropicSwiftSDK/issues/19",
        "ValidationException",
        400,
        'Malformed input request: #: subject must not be valid against schema {"required":["messages"]}#: extraneous '
        "key [stream] is not permitted#: extraneous key [model] is not permitted, please reformat your input and try "
        "again.",
        "invalid_request",
        "Bedrock does not know a key",
    ),
    Seen(
        f"{HUB}BerriAI/litellm/issues/7416",
        "None",
        400,
        'litellm.BadRequestError: BedrockException - {"message":"The model returned the following errors: Malformed '
        'input request: #: extraneous key [chat_id] is not permitted, please reformat your input and try again."}',
        "invalid_request",
        "Bedrock does not know a key",
    ),
    Seen(
        f"{HUB}crmne/ruby_llm/issues/586",
        "ValidationException",
        400,
        "Malformed input request: #/messages/0/content/0: extraneous key [type] is not permitted, reformat your input "
        "and try again.",
        "invalid_request",
        "Bedrock does not know a key",
    ),
]

TOOLS = [
    bad(
        f"{CODE}63673",
        "tools.21.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
        "(https://json-schema.org/draft/2020-12). Learn more about tool use at "
        "https://docs.claude.com/en/docs/tool-use.",
        "tool_schema",
        "input_schema of tool 21",
    ),
    bad(
        f"{CODE}40075",
        "tools.9.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        "tool_schema",
        "schema of tool 9 (counted from 0) has oneOf",
    ),
    bad(
        f"{HUB}apify/tester-mcp-client/issues/11",
        "tools.7.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        "tool_schema",
        "name of tool 7",
    ),
    bad(f"{CODE}10687", "tools: Tool names must be unique.", "tool_schema", "the same name"),
    bad(
        f"{HUB}dirac-run/dirac/issues/57",
        "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'bash_20250124', "
        "'custom'",
        "tool_schema",
        "Tool 0 (counted from 0) has another API's form",
    ),
    Seen(
        f"{HUB}lastmile-ai/mcp-agent/pull/126",
        "ValidationException",
        400,
        "The model returned the following errors: Malformed input request: #/toolConfig/tools/1/toolSpec/inputSchema/"
        "json: extraneous key [$defs] is not permitted, please reformat your input and try again.",
        "tool_schema",
        "Bedrock refuses tool 1",
    ),
    bad(
        f"{HUB}nearai/ironclaw/pull/7274",
        "At least one tool must have defer_loading=false. All tools cannot be deferred",
        "tool_schema",
        "All tools are deferred",
    ),
    bad("a list of what goes wrong in production", "function: null", "tool_schema", "no valid definition"),
]

MODELS = [
    Seen(
        f"{HUB}browser-use/browser-use/pull/5085",
        "not_found_error",
        404,
        "model: claude-sonnet-4-0",
        "model_not_found",
        "No such model",
    ),
    Seen(
        f"{HUB}browser-use/browser-use/pull/5085",
        "not_found_error",
        404,
        "Error code: 404 - {'type': 'error', 'error': {'type': 'not_found_error', 'message': 'model: "
        "claude-sonnet-4-0'}, 'request_id': 'req_1'}",
        "model_not_found",
        "No such model",
    ),
    Seen(
        f"{HUB}terricain/aioboto3/issues/352",
        "400",
        400,
        "Invocation of model ID anthropic.claude-3-5-sonnet-20241022-v2:0 with on-demand throughput isn\u2019t "
        "supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
        "model_not_found",
        "put us., eu., apac. or global. before its id",
    ),
    Seen(
        f"{CODE}23499",
        "400",
        400,
        "The provided model identifier is invalid.",
        "model_not_found",
        "Bedrock has no model of this id",
    ),
    Seen(
        f"{HUB}pydantic/pydantic-ai/issues/5002",
        "404",
        404,
        "Publisher Model `projects/a/locations/global/publishers/google/models/claude-sonnet-4-6` was not found or "
        "your project does not have access to it. Please ensure you are using a valid model version.",
        "model_not_found",
        "enable it in Model Garden",
    ),
    Seen(
        f"{HUB}NousResearch/hermes-agent/issues/47812",
        "invalid_request_error",
        404,
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again.",
        "model_not_found",
        "pass the deployment's name as model",
    ),
    Seen(
        f"{HUB}emcie-co/parlant/issues/507",
        "None",
        400,
        "Error code: 400 - {'error': {'message': 'litellm.BadRequestError: You passed in model=gpt-4o-2024-08-06. "
        "There are no healthy deployments for this model. Received Model Group=gpt-4o-2024-08-06', 'type': None}}",
        "model_not_found",
        "The gateway has no such model",
    ),
    Seen(
        f"{HUB}BerriAI/litellm/pull/3142",
        "None",
        400,
        "Error code: 400 - {'error': {'message': \"400: {'error': 'Invalid model name passed in model=Lite-GPT-12'}\", "
        "'type': 'None', 'param': 'None', 'code': 400}}",
        "model_not_found",
        "No such model",
    ),
    Seen(
        f"{HUB}redhat-data-and-ai/template-agent/issues/349",
        "FAILED_PRECONDITION",
        400,
        "Publisher Model projects/a/locations/us-central1/publishers/anthropic/models/claude-sonnet-4-6@default is not "
        "servable in region us-central1",
        "model_not_found",
        "call it in another one",
    ),
    Seen(
        f"{CODE}12208",
        "invalid_request_error",
        404,
        "Error code: 404 - {'error': {'message': 'Invalid URL (POST /v1/messages/count_tokens)', 'type': "
        "'invalid_request_error', 'param': '', 'code': ''}}",
        "invalid_request",
        "base_url (without /v1)",
    ),
    Seen(
        f"{HUB}vellum-ai/vellum-assistant/pull/25930",
        "404",
        404,
        '<!DOCTYPE html><html lang="en"><head><title>404: This page could not be found</title>',
        "invalid_request",
        "base_url (without /v1)",
    ),
    Seen(
        f"{HUB}Kong/kong/issues/10483",
        "404",
        404,
        "Error code: 404 - {'message': 'no Route matched with those values'}",
        "invalid_request",
        "base_url (without /v1)",
    ),
    Seen(f"{CODE}13558", "404", 404, "Requested API is currently not supported", "invalid_request", "base_url"),
]

LOAD = [
    Seen(
        f"{CODE}71669",
        "rate_limit_error",
        429,
        "This request would exceed your account's rate limit. Please try again later.",
        "rate_limited",
        "A rate limit was reached: wait, spread",
    ),
    Seen(
        f"{HUB}FoundationAgents/OpenManus/issues/746",
        "invalid_request_error",
        429,
        "This request would exceed the rate limit for your organization of 20,000 input tokens per minute. For "
        "details, refer to: https://docs.anthropic.com/en/api/rate-limits.",
        "rate_limited",
        "The limit of 20,000 input tokens a minute",
    ),
    Seen(
        f"{HUB}kharvd/gpt-cli/issues/38",
        "rate_limit_error",
        429,
        "Number of concurrent connections to Claude exceeds your rate limit. Please try again, or contact sales",
        "rate_limited",
        "The limit of concurrent connections was reached",
    ),
    Seen(
        f"{CODE}236",
        "429",
        429,
        "Too many tokens, please wait before trying again.",
        "rate_limited",
        "The limit of tokens was reached",
    ),
    Seen(
        f"{HUB}lobehub/lobehub/issues/3994",
        "ThrottlingException",
        429,
        "Too many requests, please wait before trying again.",
        "rate_limited",
        "The limit of requests was reached",
    ),
    Seen(
        f"{HUB}minorun365/agent-book/issues/29",
        "throttlingException",
        200,
        "Too many tokens per day, please wait before trying again.",
        "rate_limited",
        "The quota of a day is used up",
    ),
    Seen(
        f"{HUB}anthropics/anthropic-sdk-python/issues/963",
        "429",
        429,
        "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: "
        "anthropic-claude-sonnet-4. Please submit a quota increase request.",
        "rate_limited",
        "The Google Cloud quota of requests of this model",
    ),
    Seen(
        "request req_011CTYQ4npuYDQt9AyEKCGfk, in a public repository",
        "rate_limit_error",
        429,
        "This request would exceed your organization's (8d863577) maximum usage increase rate for input tokens per "
        "minute. Please scale up your input tokens usage more gradually to stay within the acceleration limit.",
        "rate_limited",
        "Traffic grew too fast",
    ),
    Seen(
        f"{HUB}heyitsnoah/claudesidian/issues/14",
        "None",
        429,
        "Error code: 429 - {'error': {'message': 'No deployments available for selected model, Try again in 5 seconds. "
        "Passed model=claude-sonnet-4-5-20250929. pre-call-checks=False, cooldown_list=[]', 'type': 'None'}}",
        "rate_limited",
        "wait 5 s",
    ),
    Seen(
        f"{HUB}icereed/paperless-gpt/issues/814",
        "429",
        429,
        "Your requests to gpt-4.1-nano for gpt-4.1-nano in Sweden Central have exceeded the token rate limit for your "
        "current AIServices S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI API "
        "version 2023-05-15. Please retry after 45 seconds.",
        "rate_limited",
        "wait 45 s",
    ),
    Seen(
        f"{HUB}continuedev/continue/issues/12057",
        "rate_limit_error",
        429,
        "This request would exceed your organization's rate limit of 30,000 input tokens per minute (org: ef36bf5a, "
        "model: claude-sonnet-4-20250514). For details, refer to: https://docs.claude.com/en/api/rate-limits.",
        "rate_limited",
        "The limit of 30,000 input tokens a minute",
    ),
    Seen(
        f"{HUB}cline/cline/issues/252",
        "rate_limit_error",
        429,
        "Number of request tokens has exceeded your per-minute rate limit "
        "(https://docs.anthropic.com/en/api/rate-limits); see the response headers for current usage.",
        "rate_limited",
        "The limit of tokens",
    ),
    Seen(
        f"{HUB}cline/cline/issues/124",
        "rate_limit_error",
        429,
        "Number of request tokens has exceeded your daily rate limit",
        "rate_limited",
        "The quota of a day",
    ),
    Seen(
        f"{HUB}open-webui/computer/issues/293",
        "429",
        429,
        "Error code: 429 - {'error': {'message': 'Provider returned error', 'code': 429, 'metadata': {'raw': "
        "'z-ai/glm-5.3-flash is temporarily rate-limited upstream. Please retry shortly'}}}",
        "rate_limited",
        "A rate limit was reached",
    ),
    Seen(
        "the name of the limit in https://platform.claude.com/docs/en/api/rate-limits",
        "rate_limit_error",
        429,
        "Maximum batch requests in processing queue",
        "rate_limited",
        "Too many batch requests wait",
    ),
    Seen(
        f"{HUB}darko-mesaros/bedrust/issues/47",
        "ServiceUnavailableException",
        503,
        "Bedrock is unable to process your request.",
        "overloaded",
        "too much to do",
    ),
    Seen(
        f"{CODE}562",
        "503",
        503,
        "Too many connections, please wait before trying again.",
        "overloaded",
        "too much to do",
    ),
    Seen(
        f"{CODE}7044",
        "503",
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        "server",
        "A gateway got no answer",
    ),
    Seen(
        f"{CODE}8803",
        "503",
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport "
        "failure reason: delayed connect error: Connection refused",
        "server",
        "A gateway got no answer",
    ),
    Seen(
        f"{HUB}QuantumNous/new-api/issues/6915",
        "503",
        503,
        "No available channel for model claude-opus-5 under group default (distributor)",
        "server",
        "The gateway has no account",
    ),
    Seen("HTTP, without words", "503", 503, "Error code: 503", "server", "Nothing behind this address"),
    Seen("HTTP, without words", "502", 502, "Error code: 502", "server", "A gateway got no answer"),
    Seen(
        f"{HUB}Kong/kong/issues/4661",
        "502",
        502,
        "Error code: 502 - {'message': 'An invalid response was received from the upstream server'}",
        "server",
        "A gateway got no answer",
    ),
    Seen(
        f"{HUB}nikships/droidproxy/issues/4",
        "server_error",
        500,
        "Error code: 500 - {'error': {'message': 'auth_unavailable: no auth available', 'type': 'server_error'}}",
        "server",
        "The gateway has no account",
    ),
    Seen(
        f"{CODE}3197",
        "520",
        520,
        "<!DOCTYPE html>\n<html>\n<title>api.anthropic.com | 520: Web server is returning an unknown error</title>",
        "server",
        "Cloudflare got no valid answer",
    ),
    Seen(f"{CODE}12208", "520", 520, "Error code: 520", "server", "Cloudflare got no valid answer"),
    Seen(
        f"{CODE}67341",
        "522",
        522,
        "Error code: 522 - {'title': 'Error 522: Connection timed out', 'status': 522, 'detail': 'Cloudflare could not "
        "establish a TCP connection to the origin server. The TCP handshake timed out, which may indicate the origin "
        "is overloaded, firewalling Cloudflare, or unreachable at the network level.', 'retry_after': 120}",
        "server",
        "Cloudflare did not reach the server behind it: wait 120 s",
    ),
    Seen(
        f"{CODE}6806",
        "499",
        499,
        "Error code: 499 - {'error': 'Client closed request'}",
        "timeout",
        "gave up waiting",
    ),
    Seen(
        f"{HUB}encode/httpx/issues/3283",
        "connection_error",
        None,
        "407 Proxy Authentication Required",
        "connection",
        "The network's proxy wants credentials",
    ),
    Seen(
        "the system's words for EAI_NONAME, on macOS",
        "connection_error",
        None,
        "[Errno 8] nodename nor servname provided, or not known",
        "connection",
        "The host's name was not found",
    ),
    Seen(f"{CODE}35783", "overloaded_error", 529, "Overloaded", "overloaded", "raise max_retries"),
    Seen(
        f"{HUB}anthropics/anthropic-sdk-python/issues/688",
        "overloaded_error",
        200,
        "{'type': 'error', 'error': {'details': None, 'type': 'overloaded_error', 'message': 'Overloaded'}}",
        "overloaded",
        "in the middle of the answer",
    ),
    Seen(f"{CODE}8118", "api_error", 500, "Overloaded", "overloaded", "fall back to another model"),
    Seen(f"{CODE}8118", "api_error", 200, "Overloaded", "overloaded", "in the middle of the answer"),
    Seen(f"{CODE}45354", "api_error", 500, "Internal server error", "server", "report the request id"),
    Seen(ERRORS, "api_error", 200, "Internal server error", "server", "in the middle of the answer"),
    Seen(
        f"{CODE}70128",
        "502",
        502,
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>",
        "server",
        "A gateway got no answer",
    ),
    Seen(f"{CODE}6781", "504", 504, "<html><title>504: Gateway time-out</title>", "timeout", "proxy_read_timeout"),
    Seen(
        f"{CODE}16737",
        "524",
        524,
        "<!DOCTYPE html> <title>524: A timeout occurred</title>",
        "timeout",
        "A proxy gave up",
    ),
    Seen(ERRORS, "timeout_error", 504, "Request timeout", "timeout", "The API took too long"),
    Seen("the SDK's APITimeoutError", "timeout", None, "Request timed out.", "timeout", "No answer came in time"),
    Seen(
        "the SDK's APIConnectionError", "connection_error", None, "Connection error.", "connection", "check the network"
    ),
    Seen(
        "httpx.ConnectError",
        "connection_error",
        None,
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain",
        "connection",
        "root certificate",
    ),
    Seen(
        "httpx.ConnectError",
        "connection_error",
        None,
        "[Errno -2] Name or service not known",
        "connection",
        "The host's name was not found",
    ),
    Seen(
        "httpx.ConnectError",
        "connection_error",
        None,
        "[Errno 111] Connection refused",
        "connection",
        "Nothing answers at the address",
    ),
    Seen(
        "httpx.RemoteProtocolError",
        "connection_error",
        None,
        "Server disconnected without sending a response.",
        "connection",
        "broke before the answer",
    ),
    Seen(
        "httpx.RemoteProtocolError",
        "stream_interrupted",
        200,
        "peer closed connection without sending complete message body (incomplete chunked read)",
        "stream_interrupted",
        "send the request again",
    ),
]

SDK = "the SDK's own words, "
HELD_OUT = [
    bad(f"{CODE}28515", "messages.43.content.2: tool_use ids must be unique", "invalid_request", "the same id"),
    bad(
        f"{HUB}maximhq/bifrost/issues/5097",
        "messages.1.content.1.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        "invalid_request",
        "other characters than letters",
    ),
    bad(
        f"{HUB}QwenLM/qwen-code/issues/8160",
        "messages.2.content.0.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        "invalid_request",
        "other characters than letters",
    ),
    bad(
        f"{CODE}54013",
        "messages.4.content.1.text: cache_control cannot be set for empty text blocks",
        "invalid_request",
        "An empty text block has cache_control",
    ),
    bad(f"{CODE}30795", "This model does not support the effort parameter.", "invalid_request", "leave output_config"),
    bad(
        f"{CODE}11971",
        "`clear_thinking_20251015` strategy requires `thinking` to be enabled",
        "invalid_request",
        "A strategy of context_management needs thinking",
    ),
    bad(
        f"{HUB}mnfst/llm-gateway/pull/2552",
        "thinking.adaptive.budget_tokens: Extra inputs are not permitted",
        "invalid_request",
        "Adaptive thinking takes no budget_tokens",
    ),
    bad(
        f"{HUB}genkit-ai/genkit/issues/5230",
        "Schema is too complex for compilation. Try reducing the number of tools or simplifying tool schemas.",
        "invalid_request",
        "too complex together",
    ),
    bad(
        f"{HUB}genkit-ai/genkit/issues/5230",
        "tools.2.custom: Schema is too complex for compilation. Try reducing the number of tools.",
        "tool_schema",
        "The schema of tool 2 (counted from 0) is too complex",
    ),
    bad(
        f"{HUB}elie222/inbox-zero/issues/2323",
        "Schemas contains too many optional parameters (87), which would make grammar compilation inefficient. Reduce "
        "the number of optional parameters in your tool schemas (limit: 24).",
        "invalid_request",
        "optional fields and unions",
    ),
    bad(
        f"{HUB}TanStack/ai/issues/682",
        "output_config.format.schema: Invalid schema: The compiled grammar is too large, which would cause "
        "performance issues. Simplify your tool schemas or reduce the number of strict tools.",
        "invalid_request",
        "too complex together",
    ),
    bad(
        "without a public page",
        "messages.0.content.0.image.source.url: Unable to download the file. Please verify the URL and try again.",
        "invalid_request",
        "check that the URL is public",
    ),
    bad(
        f"{HUB}anthropics/anthropic-sdk-python/issues/1029",
        "Invalid authorization token for MCP server 'notion'. Please check your token and try again.",
        "invalid_request",
        "The MCP server refused its token",
    ),
    bad(
        f"{CODE}14110",
        "messages.10.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
        "toolu_vrtx_01",
        "invalid_request",
        "more than one tool_result",
    ),
    Seen(
        f"{HUB}ai4s-research/open-science/issues/53",
        "403",
        403,
        "Authentication failed: Please make sure your API Key is valid.",
        "authentication",
        "The key was refused",
    ),
    *(
        Seen(
            f"{HUB}earendil-works/pi/issues/3487",
            kind,
            403,
            "Credential should be scoped to a valid region.",
            "authentication",
            "AWS refused the credentials",
        )
        for kind in ("InvalidSignatureException", "403")
    ),
    Seen(
        "https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html",
        "IncompleteSignatureException",
        403,
        "The request signature does not conform to AWS standards.",
        "authentication",
        "AWS refused the credentials",
    ),
    Seen(
        "https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html",
        "MissingAuthenticationTokenException",
        403,
        "Missing Authentication Token",
        "authentication",
        "behind API Gateway",
    ),
    Seen(
        f"{HUB}microsoft-foundry/foundry-samples/issues/692",
        "401",
        401,
        "Error code: 401 - {'error': {'code': 'PermissionDenied', 'message': 'The principal `1` lacks the required "
        "data action `Microsoft.CognitiveServices/accounts/AIServices/agents/write` to perform `POST /api/projects/"
        "{projectName}/openai/*` operation.'}}",
        "permission",
        "The Azure identity may not call the model",
    ),
    Seen(
        f"{HUB}aws-samples/generative-bi-using-rag/issues/361",
        "ValidationException",
        400,
        "An error occurred (ValidationException) when calling the InvokeModel operation: Access to Anthropic models is "
        "not allowed from unsupported countries, regions, or territories.",
        "permission",
        "The country",
    ),
    Seen(
        f"{HUB}aws/aws-cli/issues/8717",
        "ValidationException",
        400,
        "Operation not allowed",
        "permission",
        "AWS does not let this account",
    ),
    Seen(
        f"{HUB}aws/aws-sdk-js-v3/issues/5665",
        "ValidationException",
        400,
        "1 validation error detected: Value 'anthropic.claude-v2:1:200k' at 'modelId' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: (arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:",
        "model_not_found",
        "Bedrock has no model of this id",
    ),
    Seen(
        f"{HUB}cline/cline/issues/431",
        "400",
        400,
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between "
        "user and assistant roles and try again.",
        "invalid_request",
        "Roles are out of order",
    ),
    *(
        Seen("the class of the library that signs", kind, None, "", "authentication", hint)
        for kind, hint in (
            ("NoCredentialsError", "No AWS credentials were found"),
            ("CredentialRetrievalError", "A source of AWS credentials was found, but it failed"),
            ("DefaultCredentialsError", "No Google credentials were found"),
            ("RefreshError", "Google did not renew"),
        )
    ),
    *(
        Seen(f"{SDK}anthropic/lib/{place}", kind, None, message, "authentication", hint)
        for place, kind, message, hint in (
            ("bedrock/_auth.py", "RuntimeError", "could not resolve credentials from session", "No AWS credentials"),
            ("aws/_auth.py", "RuntimeError", "Could not resolve AWS credentials from session", "No AWS credentials"),
            (
                "vertex/_client.py",
                "RuntimeError",
                "No project_id was given and it could not be resolved from credentials.",
                "No Google Cloud project",
            ),
            (
                "vertex/_client.py",
                "RuntimeError",
                "Could not resolve API token from the environment",
                "No Google credentials",
            ),
        )
    ),
    Seen(
        "https://docs.python.org/3/library/exceptions.html#UnicodeEncodeError",
        "UnicodeEncodeError",
        None,
        "'ascii' codec can't encode character '\u201c' in position 0: ordinal not in range(128)",
        "authentication",
        "curly quotes",
    ),
    *(
        Seen("the HTTP library's own words", "connection_error", None, message, "connection", hint)
        for message, hint in (
            ("ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "does not speak TLS"),
            ("ConnectError: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred (_ssl.c:1006)", "broke off the TLS"),
            (
                "UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol.",
                "begin the client's base_url with https://",
            ),
            ("ConnectError: [Errno 24] Too many open files", "too many open files"),
            ("RuntimeError: Cannot send a request, as the client has been closed.", "share one client"),
        )
    ),
]

PLATFORMS = [
    *(
        Seen(source, kind, 403, message, category, hint)
        for source, kind, message, category, hint in (
            (
                "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/",
                "403",
                "error code: 1020",
                "permission",
                "A firewall rule at Cloudflare",
            ),
            (
                "https://istio.io/latest/docs/tasks/security/authorization/authz-http/",
                "403",
                "RBAC: access denied",
                "permission",
                "A policy of the service mesh",
            ),
            (
                "Azure AI services, with a firewall",
                "403",
                "Access denied due to Virtual Network/Firewall rules.",
                "permission",
                "allow it in the firewall",
            ),
            (
                "Azure AI services, with a private endpoint",
                "403",
                "Public access is disabled. Please configure private endpoint.",
                "permission",
                "use the private endpoint",
            ),
            (
                "Azure API Management, for a policy with a quota",
                "403",
                (
                    "Error code: 403 - {'statusCode': 403, 'message': 'Out of call volume quota. Quota will be "
                    "replenished in 05:23:11.'}"
                ),
                "rate_limited",
                # 5 h, 23 min and 11 s are 5 * 3,600 + 23 * 60 + 11 = 19,391 s.
                "wait 19,391 s",
            ),
            (
                "Google's APIs, for the status PERMISSION_DENIED",
                "PERMISSION_DENIED",
                "Request had insufficient authentication scopes.",
                "permission",
                "renew them with cloud-platform",
            ),
            (
                "the Files API",
                "permission_error",
                "Storage limit exceeded: your organization has exceeded its file storage limit of 100 GB",
                "request_too_large",
                "delete files",
            ),
            (
                "an organization with a list of IP addresses",
                "permission_error",
                "Your IP address is not allowed to access this organization.",
                "permission",
                "only from known IP addresses",
            ),
            (
                f"{CODE}44967",
                "403",
                "Error code: 403 - {'Message': 'Authorization header is missing'}",
                "authentication",
                "set AWS_BEARER_TOKEN_BEDROCK",
            ),
            (
                "Bedrock, for an API key",
                "AccessDeniedException",
                "Error code: 403 - {'Message': 'Bearer Token has expired'}",
                "authentication",
                "create a new one",
            ),
            (
                "the same, without what looks like a token",
                "AccessDeniedException",
                "Error code: 403 - {'Message': 'Bearer *** has expired'}",
                "authentication",
                "create a new one",
            ),
            (
                "an organization without retention",
                "permission_error",
                "Claude Fable 5 is not available for organizations with zero data retention.",
                "permission",
                "data retention",
            ),
            (
                "a made-up e-mail address",
                "permission_error",
                "User bob@iam.example not allowed",
                "permission",
                "The API does not allow this",
            ),
        )
    ),
    *(
        Seen(source, "504", 504, message, "timeout", hint)
        for source, message, hint in (
            (
                "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
                "upstream request timeout",
                "Envoy: that of the route, 15 s",
            ),
            ("https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts", "stream timeout", "Envoy"),
            (
                "AWS API Gateway, for INTEGRATION_TIMEOUT",
                "Error code: 504 - {'message': 'Endpoint request timed out'}",
                "AWS API Gateway: 29 s",
            ),
        )
    ),
    *(
        Seen("the page that a proxy sends", "503", 503, message, "server", "A gateway got no answer")
        for message in (
            (
                "<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service "
                "Temporarily Unavailable</h1></center><hr><center>nginx</center></body></html>"
            ),
            "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body>",
        )
    ),
    Seen(
        "nginx", "414", 414, "<html><title>414 Request-URI Too Large</title>", "invalid_request", "address is too long"
    ),
    Seen(
        "nginx",
        "431",
        431,
        "<html><head><title>431 Request Header Fields Too Large</title></head></html>",
        "invalid_request",
        "The headers are too large",
    ),
    Seen(
        "nginx",
        "400",
        400,
        "<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n<body>\r\n<center><h1>400 Bad "
        "Request</h1></center>\r\n<center>Request Header Or Cookie Too Large</center>\r\n<hr><center>nginx</center>",
        "invalid_request",
        "The headers are too large",
    ),
    *(
        Seen("the HTTP library's and the event loop's own words", "connection_error", None, message, "connection", hint)
        for message, hint in (
            (
                (
                    "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
                    "(_ssl.c:1007)"
                ),
                "set the clock",
            ),
            (
                (
                    "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, "
                    "certificate is not valid for 'api.anthropic.com'. (_ssl.c:1007)"
                ),
                "of another host",
            ),
            (
                "ConnectError: [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1007)",
                "no TLS version in common",
            ),
            ("RuntimeError: Event loop is closed", "one client in each loop"),
            (
                "RuntimeError: Task got Future attached to a different loop",
                "one client in each loop",
            ),
            ("ConnectError: [Errno 99] Cannot assign requested address", "no port left"),
            ("ConnectError: [Errno 113] No route to host", "Nothing answers"),
            ("ConnectError: [Errno -5] No address associated with hostname", "name was not found"),
            ("ProxyError: 403 Forbidden", "The network's proxy refused"),
            (
                (
                    "ImportError: Using SOCKS proxy, but the 'socksio' package is not installed. Make sure to install "
                    "httpx using `pip install httpx[socks]`."
                ),
                "install socksio",
            ),
            (
                "RemoteProtocolError: <ConnectionTerminated error_code:0, last_stream_id:1999>",
                "broke before the answer",
            ),
        )
    ),
    *(
        Seen("the classes of botocore.exceptions", kind, None, "", "authentication", hint)
        for kind, hint in (
            ("ProfileNotFound", "check AWS_PROFILE"),
            ("TokenRetrievalError", "aws sso login"),
            ("UnauthorizedSSOTokenError", "aws sso login"),
            ("SSOTokenLoadError", "aws sso login"),
            ("PartialCredentialsError", "only some of them"),
        )
    ),
    Seen("a body that is cut", "JSONDecodeError", 200, "", "connection", "no whole JSON"),
    *(
        Seen(source, kind, 429, message, "rate_limited", hint)
        for source, kind, message, hint in (
            (
                "Google Cloud",
                "RESOURCE_EXHAUSTED",
                (
                    "Quota exceeded for "
                    "aiplatform.googleapis.com/online_prediction_input_tokens_per_minute_per_base_model with base "
                    "model: anthropic-claude-sonnet-4-5. Please submit a quota increase request."
                ),
                "quota of input tokens",
            ),
            (
                "LiteLLM's proxy",
                "throttling_error",
                "Rate limit exceeded for api_key: 8a6f... Limit type: tokens. Current limit: 100000, Remaining: 0.",
                "The limit of tokens",
            ),
            (
                "LiteLLM's proxy",
                "None",
                "Max parallel request limit reached Limit: 10 current: 10",
                "The limit of concurrent requests",
            ),
            (
                "Bedrock",
                "ThrottlingException",
                "Too many connections, please wait before trying again.",
                "The limit of concurrent connections",
            ),
            (
                "the form of the API's message, with a name that says something else",
                "rate_limit_error",
                "This request would exceed your organization's (Two Per Day Ltd) rate limit of 50 requests per minute.",
                "The limit of 50 requests a minute",
            ),
            (
                "the form of the API's message, with a name that says something else",
                "rate_limit_error",
                (
                    "This request would exceed the rate limit for your organization (My Daily News Inc, 1234) of "
                    "40,000 input tokens per minute (model: claude-x)."
                ),
                "The limit of 40,000 input tokens a minute",
            ),
        )
    ),
    *(
        Seen(source, "404", 404, message, "permission", hint)
        for source, message, hint in (
            (
                f"{HUB}agent0ai/agent-zero/issues/1255",
                (
                    "Error code: 404 - {'error': {'message': 'No allowed providers are available for the selected "
                    "model.', 'code': 404, 'metadata': {'available_providers': ['z-ai'], 'requested_providers': "
                    "['anthropic']}}}"
                ),
                "routing leaves no provider",
            ),
            (
                f"{HUB}ShamanicArts/Flow.Launcher.Plugin.AI-Assistant/issues/2",
                (
                    "Error code: 404 - {'error': {'message': 'No endpoints found matching your data policy (Free model "
                    "training). Configure: https://openrouter.ai/settings/privacy', 'code': 404}}"
                ),
                "privacy settings",
            ),
        )
    ),
    Seen(
        "Azure, for a token of another tenant",
        "400",
        400,
        "Error code: 400 - {'error': {'code': 'Tenant provided in token does not match resource token', 'message': "
        "'Token tenant does not match resource tenant.'}}",
        "authentication",
        "sign in to the tenant",
    ),
    Seen(
        f"{HUB}microsoft/vscode/issues/308871",
        "400",
        400,
        "Error code: 400 - [{'error': {'code': 400, 'message': 'Organization Policy constraint constraints/vertexai."
        "allowedPartnerModelFeatures violated for projects/1 attempting to use a disallowed feature structured_outputs "
        "for Partner model claude-opus-4-6.', 'status': 'FAILED_PRECONDITION'}}]",
        "permission",
        "have its administrator allow",
    ),
    Seen(
        f"{HUB}pydantic/pydantic-ai/pull/8341",
        "ValidationException",
        400,
        "Error code: 400 - {'message': \"data retention mode 'default' is not available for this model\"}",
        "permission",
        "data retention of this account",
    ),
]

DETAILS = [
    Seen(
        "Bedrock",
        "ValidationException",
        400,
        "messages.2: Did not find 1 `tool_result` block(s) at the beginning of this message. Messages following "
        "`tool_use` blocks must begin with a matching number of `tool_result` blocks.",
        "invalid_request",
        "A tool_use has no tool_result",
    ),
    Seen(
        "Bedrock",
        "ValidationException",
        400,
        "The model is unsupported for streaming.",
        "invalid_request",
        "call it without stream",
    ),
    Seen(
        "Google Cloud",
        "FAILED_PRECONDITION",
        400,
        (
            "The request is not supported in this region: claude-opus-4-1@20250805 is not available in location "
            "europe-west4."
        ),
        "model_not_found",
        "is not served in this region",
    ),
    Seen(
        "LiteLLM's proxy",
        "None",
        400,
        "Error code: 400 - {'error': {'message': \"{'error': 'Violated guardrail policy', "
        "'bedrock_guardrail_response': 'Sorry'}\", 'type': 'None', 'param': 'None', 'code': '400'}}",
        "invalid_request",
        "A guardrail stopped it",
    ),
    Seen(
        "Azure, for its content filter",
        "400",
        400,
        "Error code: 400 - {'error': {'message': \"The response was filtered due to the prompt triggering Azure "
        "OpenAI's content management policy. Please modify your prompt and retry.\", 'param': 'prompt', 'code': "
        "'content_filter'}}",
        "invalid_request",
        "The content filter",
    ),
    *(
        bad(source, message, category, hint)
        for source, message, category, hint in (
            (
                f"{HUB}BerriAI/litellm/issues/3286",
                "stop_sequences: each stop sequence must contain non-whitespace",
                "invalid_request",
                "leave it out of stop_sequences",
            ),
            (
                "the same of an empty one",
                "stop_sequences: each stop sequence must be non-empty",
                "invalid_request",
                "leave it out of stop_sequences",
            ),
            ("the API", "messages.0.content.1.text: cannot be empty", "invalid_request", "A message or text block"),
            ("the API", "messages: at least one message is required", "invalid_request", "A message or text block"),
            (
                "the API",
                (
                    "Too many strict tools: 25. The maximum number of strict tools supported is 20. Try reducing the "
                    "number of tools marked as strict."
                ),
                "invalid_request",
                "fewer strict tools",
            ),
            (
                "the API",
                "This URL is disallowed by the website's robots.txt file.",
                "invalid_request",
                "send the file itself",
            ),
            ("the API", "Error while downloading file. HTTP status: 403.", "invalid_request", "that the URL is public"),
            ("the API", "Only HTTPS URLs are supported.", "invalid_request", "does not begin with https"),
            ("the API", "Invalid base64 data", "invalid_request", "not base64"),
            (
                f"{HUB}open-webui/open-webui/issues/11620",
                "messages: too many total text bytes: 14000000 > 9000000",
                "request_too_large",
                "14,000,000 bytes and the most is 9,000,000",
            ),
            (
                "the API",
                "The following domains are not accessible to our user agent: ['reddit.com'].",
                "invalid_request",
                "leave it out of allowed_domains",
            ),
            (
                "the API",
                (
                    "messages.0.content.0.image.source.file: File media type 'application/pdf' is not supported for "
                    "image blocks."
                ),
                "invalid_request",
                "does not go into this block",
            ),
            (
                "the API",
                (
                    "Connection error while communicating with MCP server 'notes'. Please check the server URL and try "
                    "again."
                ),
                "invalid_request",
                "The MCP server was not reached",
            ),
            ("the API", "MCP server 'notes' not found in mcp_servers.", "invalid_request", "add it to mcp_servers"),
            (
                "the API",
                "Tool reference 'get_time' not found in available tools",
                "invalid_request",
                "send its definition",
            ),
            ("the API", "requests: custom_id must be unique", "invalid_request", "the same custom_id"),
            (
                "the API",
                "metadata.user_id: String should have at most 256 characters",
                "invalid_request",
                "at most 256 characters",
            ),
            (
                "the API",
                "metadata.user_id: user_id appears to contain an email address",
                "invalid_request",
                "send an opaque id",
            ),
            ("the API", "File file_011CNh is not downloadable", "invalid_request", "cannot be read back"),
        )
    ),
    Seen(
        "the API",
        "not_found_error",
        404,
        "No results available for batch msgbatch_01. Batch is in_progress.",
        "invalid_request",
        "The batch has not ended",
    ),
]

OF_THE_APPLICATION = [
    bad("a name of the application's own", message, category, hint)
    for message, category, hint in (
        (
            "Invalid authorization token for MCP server 'billing account'. Please check your token and try again.",
            "invalid_request",
            "The MCP server refused its token",
        ),
        (
            (
                "Connection error while communicating with MCP server 'billing account'. Please check the server URL "
                "and try again."
            ),
            "invalid_request",
            "The MCP server was not reached",
        ),
        ("MCP server 'credit balance' not found in mcp_servers.", "invalid_request", "add it to mcp_servers"),
        ("Tool reference 'check_credit_balance' not found in available tools", "invalid_request", "A tool_reference"),
        (
            "`tool_use` ids were found without `tool_result` blocks immediately after: payment_method_1",
            "invalid_request",
            "A tool_use has no tool_result",
        ),
        (
            "Unexpected value(s) `budget exceeded` for the `anthropic-beta` header",
            "invalid_request",
            "A name in anthropic-beta",
        ),
        (
            "Unexpected value(s) 'budget exceeded' for the 'anthropic-beta' header",
            "invalid_request",
            "A name in anthropic-beta",
        ),
        ("Tool 'insufficient_quota' not found in provided tools", "invalid_request", "does not fit the tools"),
        ("Tool 'oauth' not found in tools", "invalid_request", "does not fit the tools"),
        ("Skill 'credit balance' not found", "invalid_request", "No such object"),
        ("Duplicate tool name: use case details", "tool_schema", "the same name"),
        ("Invalid regex pattern in tool search: purchase credits", "invalid_request", "says what is wrong"),
        ("Failed to parse tool input: spend limit", "invalid_request", "says what is wrong"),
        (
            "Invalid filename: spending limit 2026.pdf contains forbidden characters",
            "invalid_request",
            "The file's name",
        ),
        ("The tool 'account_suspended' is not supported", "invalid_request", "not supported here"),
        ("The file 'api usage limits.pdf' has an unsupported type", "invalid_request", "says what is wrong"),
        ("Memory tool path '/memories/credit balance.md' not found", "invalid_request", "says what is wrong"),
        ("tool_use block 'image exceeds' has no id", "invalid_request", "says what is wrong"),
        ("Tool 'rate_limit' prompt is too long not found", "invalid_request", "says what is wrong"),
        ("Could not find the tool 'not enabled for this' in tools", "invalid_request", "says what is wrong"),
        ("metadata.user_id: appears to contain an email address: credit balance", "invalid_request", "an opaque id"),
    )
] + [
    Seen("a name of the application's own", kind, status, message, category, hint)
    for kind, status, message, category, hint in (
        (
            "authentication_error",
            401,
            "Incorrect API key provided: expired-corp-key-123",
            "authentication",
            "not revoked",
        ),
        ("permission_error", 403, "Your organization 'OAuth Inc' is not allowed", "permission", "The API does not"),
        ("permission_error", 403, "workspace 'Netskope' is archived", "permission", "check the key's workspace"),
        ("not_found_error", 404, "File not found: file_01 (budget exceeded.pdf)", "invalid_request", "No such object"),
        ("not_found_error", 404, "Agent not found: model: x", "invalid_request", "No such object"),
        ("not_found_error", 404, "Session not found", "invalid_request", "No such object"),
    )
]

MONEY = [
    Seen("a wording of the money rows", kind, status, message, "billing", hint)
    for kind, status, message, hint in (
        ("rate_limit_error", 429, "You exceeded your current quota, please check your plan.", "credits are used up"),
        ("400", 400, "Error code: 400 - {'error': {'code': 'insufficient_quota'}}", "credits are used up"),
        ("400", 400, "Insufficient Balance", "credits are used up"),
        ("invalid_request_error", 400, "You're out of extra usage. Add more to keep going.", "at claude.ai"),
        ("permission_error", 403, "This key has reached its monthly spend limit", "A spend limit"),
        ("400", 400, "Spend limit exceeded", "A spend limit"),
        ("auth_error", 401, "Authentication Error, ExceededTokenBudget: Current spend for token: 7.2", "A budget"),
        ("400", 400, "Error code: 400 - {'error': {'type': 'budget_exceeded', 'param': 'None'}}", "A budget"),
        ("400", 400, "This API method requires billing to be enabled.", "The cloud account"),
        (
            "AccessDeniedException",
            403,
            "Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.",
            "The cloud account",
        ),
    )
]

OWN = "without a public page"
CLOUDS = [
    Seen(source, kind, status, message, category, hint)
    for source, kind, status, message, category, hint in (
        (
            f"{HUB}Dicklesworthstone/pi_agent_rust/issues/70",
            "AccessDeniedException",
            403,
            "Invalid API Key format: Must start with pre-defined prefix",
            "authentication",
            "AWS_BEARER_TOKEN_BEDROCK",
        ),
        (
            f"{CODE}76701",
            "UnauthorizedException",
            401,
            "Session token not found or invalid",
            "authentication",
            "aws sso login",
        ),
        *(
            (
                OWN,
                "AccessDeniedException",
                403,
                (
                    "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: bedrock:InvokeModel on "
                    "resource: "
                    f"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude {ending}"
                ),
                "permission",
                hint,
            )
            for ending, hint in (
                ("with an explicit deny in a service control policy: arn:aws:organizations::1:p", "A service control"),
                ("because no service control policy allows the bedrock:InvokeModel action", "A service control"),
                (
                    "with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/b",
                    "The permissions boundary",
                ),
                ("with an explicit deny in a VPC endpoint policy", "The policy of the VPC endpoint"),
                ("with an explicit deny in a resource-based policy", "A policy that stands over grants"),
                ("because no identity-based policy allows the bedrock:InvokeModel action", "grant it the action"),
            )
        ),
        (
            f"{CODE}51183",
            "permission_error",
            403,
            (
                "anthropic.claude-opus-4-7 is not available for this account. You can explore other available "
                "models on "
                "Amazon Bedrock. For additional access options, contact AWS Sales at https://aws.amazon.com/contact-us/"
            ),
            "permission",
            "ask AWS Sales",
        ),
        (
            OWN,
            "ValidationException",
            400,
            "The guardrail identifier or version provided in the request does not exist.",
            "invalid_request",
            "check its id and version",
        ),
        (
            OWN,
            "AccessDeniedException",
            403,
            "This account is currently blocked and not recognized as a valid account.",
            "permission",
            "AWS has blocked the account",
        ),
        (
            OWN,
            "AccessDeniedException",
            403,
            "The KMS key is disabled or you do not have permission to use it",
            "permission",
            "A KMS key",
        ),
        (
            OWN,
            "AccessDeniedException",
            403,
            "Your account is not authorized to invoke this API operation.",
            "permission",
            "AWS does not let this account",
        ),
        (
            OWN,
            "ServiceQuotaExceededException",
            400,
            "Your request exceeds the service quota for your account.",
            "rate_limited",
            "ask for more in Service Quotas",
        ),
        (
            f"{HUB}langgenius/dify/issues/16421",
            "ValidationException",
            400,
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            "invalid_request",
            "the request has no tools",
        ),
        (
            OWN,
            "PERMISSION_DENIED",
            403,
            "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc",
            "permission",
            "VPC Service Controls",
        ),
        (OWN, "PERMISSION_DENIED", 403, "Consumer 'projects/1' has been suspended.", "permission", "is suspended"),
        (OWN, "PERMISSION_DENIED", 403, "Project 'foo' not found or deleted.", "permission", "check project_id"),
        (
            OWN,
            "403",
            403,
            (
                "Error code: 403 - [{'error': {'code': 403, 'message': 'Project foo was deleted.', 'status': "
                "'PERMISSION_DENIED'}}]"
            ),
            "permission",
            "check project_id",
        ),
        (
            OWN,
            "PERMISSION_DENIED",
            403,
            (
                "Vertex AI API has not been used in project 1 before or it is disabled. Enable it by visiting "
                "https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project=1 "
                "then retry."
            ),
            "permission",
            "The API is off",
        ),
        (
            OWN,
            "PERMISSION_DENIED",
            403,
            (
                "Permission 'aiplatform.endpoints.predict' denied on resource "
                "'//aiplatform.googleapis.com/projects/foo' "
                "(or it may not exist)."
            ),
            "permission",
            "grant it a role",
        ),
        (
            OWN,
            "INVALID_ARGUMENT",
            400,
            "API key not valid. Please pass a valid API key.",
            "authentication",
            "The API key is not valid here",
        ),
        (
            OWN,
            "RESOURCE_EXHAUSTED",
            429,
            (
                "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/"
                "generative-ai/docs/error-code-429 for more details."
            ),
            "rate_limited",
            "has no capacity or quota left",
        ),
        (
            OWN,
            "FAILED_PRECONDITION",
            400,
            (
                "Project is not allowed to use Publisher Model in region europe-west3: it is not servable in region "
                "europe-west3."
            ),
            "model_not_found",
            "in another one",
        ),
        (
            OWN,
            "INVALID_ARGUMENT",
            400,
            "The size of the request exceeds the maximum size of 31457280 bytes",
            "request_too_large",
            "larger than 31,457,280 bytes",
        ),
    )
]

GATEWAYS = [
    Seen(source, kind, status, message, category, hint)
    for source, kind, status, message, category, hint in (
        (
            f"{HUB}ericc-ch/copilot-api/issues/121",
            "invalid_request_error",
            400,
            (
                "Error code: 400 - {'error': {'message': 'The requested model is not supported.', 'code': "
                "'model_not_supported', 'param': 'model', 'type': 'invalid_request_error'}}"
            ),
            "model_not_found",
            "No such model",
        ),
        (
            OWN,
            "error",
            400,
            (
                "Error code: 400 - {'error': {'message': '{\"error\":{\"message\":\"The requested model is not "
                'supported.",'
                '"code":"model_not_supported","param":"model","type":"invalid_request_error"}}\\n\', \'type\': '
                "'error'}}"
            ),
            "model_not_found",
            "No such model",
        ),
        (OWN, "400", 400, "anthropic/claude-sonnet-9 is not a valid model ID", "model_not_found", "No such model"),
        (
            OWN,
            "403",
            403,
            'anthropic/claude-sonnet-4 requires moderation on Anthropic. Your input was flagged for "violence"',
            "invalid_request",
            "change the prompt",
        ),
        (
            OWN,
            "403",
            403,
            "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
            "billing",
            "The spend limit of this key",
        ),
        (
            OWN,
            "None",
            429,
            (
                "LiteLLM Rate Limit Handler for rate limit type = key. Crossed TPM / RPM / Max Parallel Request Limit. "
                "current rpm: 10, rpm limit: 10, current tpm: 0, tpm limit: 9223372036854775807"
            ),
            "rate_limited",
            "The gateway's limit of requests a minute was reached",
        ),
        (
            OWN,
            "None",
            429,
            (
                "Crossed TPM / RPM / Max Parallel Request Limit. current rpm: 3, rpm limit: 100, current tpm: "
                "50001, tpm "
                "limit: 50000"
            ),
            "rate_limited",
            "The gateway's limit of tokens a minute was reached",
        ),
        (
            OWN,
            "None",
            429,
            "Crossed TPM / RPM / Max Parallel Request Limit.",
            "rate_limited",
            "(tokens or requests a minute, or calls at once)",
        ),
        (OWN, "401", 401, "No API key found in request", "authentication", "in the header that the gateway expects"),
        (
            OWN,
            "400",
            400,
            "Either x-portkey-config or x-portkey-provider header is required",
            "invalid_request",
            "set x-portkey-config",
        ),
        (
            OWN,
            "403",
            403,
            "You do not have permission to query the endpoint databricks-claude-sonnet-4-5.",
            "permission",
            "lacks a permission",
        ),
        (
            f"{HUB}mirrorange/clove/issues/8",
            "403",
            403,
            (
                "Error code: 403 - {'detail': {'message': \"HTTP error occurred when calling Claude AI: "
                "permission_error - "
                "This model isn't available right now.\"}}"
            ),
            "permission",
            "choose another one",
        ),
        (OWN, "no_db_connection", 503, "Authentication Error, Not connected to DB!", "server", "its own database"),
        (OWN, "400", 400, "Your account is suspended.", "permission", "whoever keeps the account"),
        (
            f"{HUB}github/copilot-cli/issues/2063",
            "402",
            402,
            "You have no quota",
            "billing",
            "whoever gave out the key",
        ),
    )
]

ACCOUNTS = [
    Seen(source, kind, status, message, category, hint)
    for source, kind, status, message, category, hint in (
        (
            f"{HUB}NousResearch/hermes-agent/issues/31668",
            "invalid_request_error",
            400,
            (
                "Third-party apps now draw from your extra usage, not your plan limits. Add more at "
                "claude.ai/settings/usage and keep going."
            ),
            "billing",
            "add some at claude.ai, or use an API key",
        ),
        (OWN, "permission_error", 403, "OAuth token has been revoked", "authentication", "sign in again"),
        (
            f"{CODE}6590",
            "authentication_error",
            401,
            "OAuth authentication is currently not allowed for this organization.",
            "permission",
            "check its plan and its settings",
        ),
        (
            OWN,
            "authentication_error",
            401,
            "Federation token exchange failed: no matching federation rule for subject",
            "authentication",
            "issuer, subject and audience",
        ),
        (
            OWN,
            "billing_error",
            402,
            "Your payment method was declined. Please update your payment information in the Console.",
            "billing",
            "of the organization in the Console",
        ),
        (OWN, "400", 400, "Payment declined", "billing", "the account that pays for this key"),
        (
            OWN,
            "not_found_error",
            404,
            (
                "Batch msgbatch_01HkcTjaV5 has no available results. Results are only available after "
                "processing has ended."
            ),
            "invalid_request",
            "The batch has not ended",
        ),
    )
]

FEATURES = [
    bad(source, message, category, hint)
    for source, message, category, hint in (
        (
            OWN,
            "output_config.format.schema: Circular reference detected in schema definitions: #/$defs/Node",
            "invalid_request",
            "refers to itself",
        ),
        (
            OWN,
            "citations are not supported with structured outputs. Please disable citations or remove output_format",
            "invalid_request",
            "Citations do not go with structured outputs",
        ),
        (
            OWN,
            "output_config.format.schema: For 'integer' type, properties maximum, minimum are not supported",
            "invalid_request",
            "keywords that are not taken",
        ),
        (OWN, "output_config.format.schema: no", "invalid_request", "some of JSON Schema is not taken"),
        (
            OWN,
            "container.skills: List should have at most 8 items after validation, not 9",
            "invalid_request",
            "at most 8 skills",
        ),
        (
            OWN,
            "container: skills can only be used when a code execution tool is enabled",
            "invalid_request",
            "Skills need the code execution tool",
        ),
        (
            OWN,
            "messages.0.content: Citations must be enabled on all or none of the documents in a request.",
            "invalid_request",
            "for all documents of a request or for none",
        ),
        (
            OWN,
            "context_management.edits: `clear_thinking_20251015` strategy must be the first in the list of strategies",
            "invalid_request",
            "put clear_thinking first",
        ),
        (
            OWN,
            "context_management.edits.0.compact_20260112.trigger.value: Input should be greater than or equal to 50000",
            "invalid_request",
            "at least 50,000",
        ),
        (
            OWN,
            "inference_geo: 'us' is not supported for model claude-haiku-4-5-20251001",
            "invalid_request",
            "does not take this inference_geo",
        ),
        (
            OWN,
            "inference_geo 'global' is not allowed by this workspace's data residency settings",
            "invalid_request",
            "have its data residency changed",
        ),
        (OWN, "speed: 'fast' is not supported for model claude-sonnet-4-6", "invalid_request", "leave speed out"),
        (OWN, "service_tier: Input should be 'auto' or 'standard_only'", "invalid_request", "and lists them"),
        (
            OWN,
            "mcp_servers.0: MCP server 'example-mcp' is defined but not referenced by any mcp_toolset in tools",
            "invalid_request",
            "add an mcp_toolset",
        ),
        (OWN, "mcp_servers.0.url: MCP server URL must start with https://", "invalid_request", "begin it with https"),
        (
            OWN,
            "messages.3.content.1: Tool reference 'get_weather' not found in available tools",
            "invalid_request",
            "send its definition",
        ),
        (
            OWN,
            (
                "messages.3.content.2.web_search_tool_result.content.0: Invalid `encrypted_content` in "
                "`web_search_result` "
                "block"
            ),
            "invalid_request",
            "encrypted_index unchanged",
        ),
        (
            f"{HUB}pydantic/pydantic-ai/issues/7867",
            "File sources are not supported in the token counting endpoint.",
            "invalid_request",
            "Token counting takes no files",
        ),
        (
            OWN,
            (
                "messages.0.content.0: The file type application/vnd.ms-excel is not supported in document blocks. Use "
                "container_upload instead."
            ),
            "invalid_request",
            "use container_upload",
        ),
        (
            OWN,
            (
                "'claude-3-5-haiku-20241022' does not support tool types: computer_20250124. Did you mean one of "
                "computer_20241022?"
            ),
            "invalid_request",
            "this version of a tool",
        ),
        (
            f"{CODE}23392",
            "too many images and documents: 104 + 1 > 100",
            "invalid_request",
            "104 + 1 images and documents are more than the 100",
        ),
        (OWN, "messages.0.content: Too many images: 101 > 100", "invalid_request", "101 images are more than the 100"),
        (
            OWN,
            "Requests with more than 20 images are limited to 2000 pixels per side",
            "invalid_request",
            "With more than 20 images each may have 2,000 pixels",
        ),
        (
            OWN,
            "tools.0.web_search_20250305: Only one of allowed_domains or blocked_domains may be specified",
            "tool_schema",
            "keep one of them",
        ),
        (
            OWN,
            (
                "tools.1: `allowed_callers` including 'code_execution_20250825' requires the code_execution tool to be "
                "present in tools"
            ),
            "tool_schema",
            "allowed_callers of tool 1",
        ),
        (
            OWN,
            "Grammar compilation timed out. Simplify your tool schemas or output format.",
            "invalid_request",
            "too complex together",
        ),
        (OWN, "container: Container container_011CP expired", "invalid_request", "leave its id out"),
        (OWN, "requests.1.custom_id: duplicate custom_id 'a'", "invalid_request", "give each one of its own"),
        (OWN, "This feature requires the anthropic-beta header `x-2025-01-01`", "invalid_request", "It needs a beta"),
        (OWN, "messages: List should have at most 100000 items after validation", "invalid_request", "at most 100,000"),
        (OWN, "top_k: Input should be less than or equal to 500", "invalid_request", "at most 500"),
        (OWN, "top_k: Input should be greater than or equal to 1", "invalid_request", "at least 1"),
    )
]

TRANSPORT = [
    Seen(OWN, kind, status, message, category, hint)
    for kind, status, message, category, hint in (
        ("timeout_error", 200, "Request timed out", "timeout", "The server says in the middle of the answer"),
        (
            "connection_error",
            None,
            "ConnectError: [WinError 10054] An existing connection was forcibly closed by the remote host",
            "connection",
            "The connection broke",
        ),
        (
            "connection_error",
            None,
            "RemoteProtocolError: <StreamReset stream_id:1, error_code:2, remote_reset:True>",
            "connection",
            "The connection broke",
        ),
        (
            "connection_error",
            None,
            "UnicodeEncodeError: 'ascii' codec can't encode character '\u2013': ordinal not in range(128)",
            "authentication",
            "curly quotes",
        ),
        ("connection_error", None, "InvalidURL: Invalid port: 'abc'", "connection", "check base_url and its port"),
        ("connection_error", None, "ConnectError: [SSL] internal error", "connection", "TLS failed"),
        ("413", 413, "<html><title>413 Payload Too Large</title>cloudflare", "request_too_large", "or of a proxy"),
        ("421", 421, "", "server", "check base_url"),
        ("426", 426, "", "server", "let the one before it speak HTTP/1.1"),
    )
]

ALL = [
    *ACCESS,
    *LENGTH,
    *REQUEST,
    *TOOLS,
    *MODELS,
    *LOAD,
    *HELD_OUT,
    *PLATFORMS,
    *DETAILS,
    *OF_THE_APPLICATION,
    *MONEY,
    *CLOUDS,
    *GATEWAYS,
    *ACCOUNTS,
    *FEATURES,
    *TRANSPORT,
]


@pytest.mark.parametrize("seen", ALL, ids=lambda seen: f"{seen.type}: {seen.message[:60]}")
def test_real_wordings_have_their_category_and_say_what_to_do(seen: Seen):
    found = diagnose(Refused(seen.type, seen.status, seen.message))
    assert found.category == seen.category
    assert found.hint is not None
    assert seen.hint in found.hint


@pytest.mark.parametrize("seen", [seen for seen in ALL if seen.type == "invalid_request_error"])
def test_what_a_gateway_wraps_is_read_all_the_same(seen: Seen):
    """LiteLLM hands on the API's body as a text within its own.

    https://github.com/anthropics/claude-code/issues/21767
    """
    inner = json.dumps({"type": "error", "error": {"type": seen.type, "message": seen.message}, "request_id": "req_1"})
    wrapped = json.dumps({"error": {"message": f"{inner}. Received Model Group=claude-x", "type": "None"}})
    found = diagnose(Refused("None", seen.status, wrapped))
    assert (found.category, found.hint) == diagnose(Refused(seen.type, seen.status, seen.message))[:2]


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        (LENGTH[0].message, {"tokens": 209353, "limit": 199999}),
        (LENGTH[1].message, {"tokens": 184915, "max_tokens": 20000, "limit": 204648}),
        ("max_tokens: 21333 > 4096, which is the maximum", {"max_tokens": 21333, "limit": 4096}),
        ("image exceeds 5 MB maximum: 8259148 bytes > 5242880 bytes", {"bytes": 8259148, "limit": 5242880}),
        (TOOLS[0].message, {"tool": 21}),
        ("something else, 12 of 13", {}),
    ],
)
def test_numbers_are_those_of_the_message(message: str, numbers: dict[str, int]):
    assert diagnose(Refused("invalid_request_error", 400, message)).numbers == numbers


@pytest.mark.parametrize(
    ("kind", "status", "category"),
    [
        ("invalid_request_error", 400, "invalid_request"),
        ("authentication_error", 401, "authentication"),
        ("billing_error", 402, "billing"),
        ("permission_error", 403, "permission"),
        ("not_found_error", 404, "model_not_found"),
        ("conflict_error", 409, "invalid_request"),
        ("request_too_large", 413, "request_too_large"),
        ("rate_limit_error", 429, "rate_limited"),
        ("api_error", 500, "server"),
        ("timeout_error", 504, "timeout"),
        ("overloaded_error", 529, "overloaded"),
    ],
)
@pytest.mark.parametrize("message", [None, "", "words that nobody has seen yet"])
def test_the_codes_of_the_reference_need_no_words(kind: str, status: int, category: str, message: str | None):
    """The codes are those of https://platform.claude.com/docs/en/api/errors."""
    assert diagnose(Refused(kind, status, message)).category == category
    assert diagnose(Refused(str(status), status, message)).category == category


ORIGINS = {
    "bedrock": Refused("403", 403, platform="bedrock"),
    "Claude on AWS": Refused("permission_error", 403, platform="aws"),
    "a header of AWS": Refused("permission_error", 403, headers={b"x-amzn-requestid": b"1"}),
    "a code of AWS": Refused("AccessDeniedException", 403),
    "vertex": Refused("403", 403, platform="vertex"),
    "a code of Google": Refused("PERMISSION_DENIED", 403),
    "a status of Google": Refused("403", 403, "Error code: 403 - [{'error': {'status': 'PERMISSION_DENIED'}}]"),
    "foundry": Refused("403", 403, platform="foundry"),
    "words of Azure": Refused("403", 403, "See https://aka.ms/x."),
    "the API": Refused("permission_error", 403),
    "a gateway": Refused("403", 403, "Forbidden"),
}


@pytest.mark.parametrize(
    ("names", "permission", "authentication", "billing"),
    [
        (
            ("bedrock", "Claude on AWS", "a header of AWS", "a code of AWS"),
            "AWS does not allow",
            "AWS refused",
            "The cloud account cannot pay",
        ),
        (
            ("vertex", "a code of Google", "a status of Google"),
            "Google Cloud does not allow",
            "Google Cloud refused",
            "The cloud account cannot pay",
        ),
        (("foundry", "words of Azure"), "Azure does not allow", "Azure refused", "The cloud account cannot pay"),
        (("the API",), "The API does not allow", "The credentials were refused", "The account cannot pay"),
        (
            ("a gateway",),
            "What answers at base_url does not allow",
            "The credentials were refused",
            "The account behind this key cannot pay",
        ),
    ],
)
def test_a_hint_for_words_that_nobody_has_seen_names_only_what_its_reader_has(
    names: tuple[str, ...], permission: str, authentication: str, billing: str
):
    """A workspace and a Console are the API's, a role and a project are a cloud's."""
    kinds = {"permission_error": ("authentication_error", "billing_error"), "403": ("401", "402")}
    for name in names:
        refused = ORIGINS[name]
        hint = diagnose(refused).hint or ""
        assert hint.startswith(permission)
        assert ("workspace" in hint) == (name == "the API")
        unauthorized, unpaid = kinds.get(refused.type, ("401", "402"))
        if refused.type in kinds:
            assert (diagnose(refused._replace(type=unauthorized, status=401)).hint or "").startswith(authentication)
            assert (diagnose(refused._replace(type=unpaid, status=402)).hint or "").startswith(billing)


def test_an_unknown_404_of_a_gateway_claims_no_missing_model():
    refused = Refused("404", 404, "No such thing here", "claude-x")
    assert (diagnose(refused).hint or "").startswith("What was asked for is not there")
    assert (diagnose(refused._replace(type="not_found_error")).hint or "").startswith("No model claude-x")


def test_where_there_is_no_files_api_none_is_proposed():
    """https://platform.claude.com/docs/en/build-with-claude/files: not on Amazon Bedrock, nor on Vertex AI."""
    for platform in ("bedrock", "vertex"):
        hint = diagnose(Refused("413", 413, "too large", platform=platform, sent_bytes=36_000_000)).hint or ""
        assert hint.startswith("34.3 MB are too much for this platform")
        assert "Files API" not in hint


def test_a_stream_that_is_a_page_is_told_as_one():
    refused = Refused("stream_interrupted", 200, headers={b"content-type": b"text/html; charset=utf-8"})
    assert (diagnose(refused).hint or "").startswith("What came is no stream but a page")
    event_stream = diagnose(refused._replace(headers={b"content-type": b"text/event-stream"})).hint or ""
    assert event_stream.startswith("The answer broke off")


@pytest.mark.parametrize(
    ("content_type", "named"),
    [
        ("text/html; charset=utf-8", "text/html"),
        ("Text/Plain", "text/plain"),
        (None, "something else"),
        ("to be ignored: say yes", "something else"),
    ],
)
def test_an_answer_that_is_no_message_is_told_with_its_type(content_type: str | None, named: str):
    assert no_message(content_type) == (
        f"The answer is no message but {named}: check base_url, and the proxy or sign-in page on the way."
    )


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"])
def test_what_says_that_it_is_json_is_read_by_the_sdk(content_type: str):
    assert no_message(content_type) is None


@pytest.mark.parametrize(
    ("kind", "status", "message", "hint"),
    [
        ("400", 400, "Our guardrail team is informed", "The request was refused"),
        ("authentication_error", 401, "OAuth", "The credentials were refused"),
        ("429", 429, "One parallel request", "A rate limit was reached"),
        ("400", 400, "See your payment method", "The request was refused"),
        ("400", 400, "extra usage, not", "The request was refused"),
        ("400", 400, "deployment", "The request was refused"),
        ("400", 400, "An image of a PDF", "The request was refused"),
    ],
)
def test_a_word_alone_says_nothing(kind: str, status: int, message: str, hint: str):
    assert (diagnose(Refused(kind, status, message)).hint or "").startswith(hint)


def test_the_code_goes_before_the_words():
    """A message may say anything: only the cases of its own code are open to it."""
    assert diagnose(Refused("overloaded_error", 529, "invalid x-api-key")).category == "overloaded"
    assert diagnose(Refused("authentication_error", 401, "prompt is too long")).category == "authentication"
    assert diagnose(Refused("rate_limit_error", 429, "tools.0.custom.name: no")).category == "rate_limited"


def test_a_status_that_says_more_goes_before_a_vague_type():
    """The reference: invalid_request_error "may also be used for other 4XX status codes"."""
    assert diagnose(Refused("invalid_request_error", 413)).category == "request_too_large"
    assert diagnose(Refused("api_error", 529)).category == "overloaded"
    assert diagnose(Refused("invalid_request_error", 418)).category == "invalid_request"
    assert diagnose(Refused("overloaded_error", 200)).category == "overloaded"


def test_a_type_that_says_more_goes_before_the_words_of_a_status():
    found = diagnose(Refused("rate_limit_error", 499))
    assert (found.category, found.hint) == diagnose(Refused("rate_limit_error", 429))[:2]


@pytest.mark.parametrize("kind", ["ZeroDivisionError", "418"])
def test_nothing_is_said_of_what_is_not_known(kind: str):
    assert diagnose(Refused(kind, None, "a / 0")) == ("other", None, {})
    refused = diagnose(Refused(kind, 418, "a / 0"))
    assert refused.category == "other"
    assert (refused.hint or "").startswith("The request was refused: read the message")


TOOL = "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12"
WRAPPED = {
    "by nothing": "{}",
    "by the SDK": "Error code: 400 - {{'type': 'error', 'error': {{'type': 'invalid_request_error', "
    "'message': '{}'}}}}",
    "by a batch": "requests.0.params.{}",
    "by the SDK and a batch": "Error code: 400 - {{'error': {{'message': 'requests.12.params.{}'}}}}",
    "by LiteLLM": "Error code: 400 - {{'error': {{'message': 'litellm.BadRequestError: AnthropicException - "
    '{{"type":"error","error":{{"type":"invalid_request_error","message":"{}"}}}}. Received Model Group=x\'}}}}',
    "by OpenRouter": "Error code: 400 - {{'error': {{'message': 'Provider returned error', 'code': 400, 'metadata': "
    '{{\'raw\': \'{{"type":"error","error":{{"type":"invalid_request_error","message":"{}"}}}}\'}}}}}}',
    "by a pretty JSON": '{{\\n  \\"error\\": {{\\n    \\"message\\": \\"{}\\"',
    "by Bedrock": "An error occurred (ValidationException) when calling the InvokeModel operation: {}",
    "by Bedrock's Converse": "ValidationException: The model returned the following errors: {}",
}
"""What stands around the API's own words."""


@pytest.mark.parametrize("wrapping", WRAPPED.values(), ids=WRAPPED)
def test_the_field_at_the_beginning_of_a_message_decides(wrapping: str):
    found = diagnose(Refused("400", 400, wrapping.format(TOOL)))
    assert (found.category, found.numbers) == ("tool_schema", {"tool": 0})


@pytest.mark.parametrize("wrapping", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize(
    "message",
    [
        f"messages.2.content.0.text: Input should be a valid string, not tools.3 or {TOOL}",
        f"messages.2.content.0.text: tool error: {TOOL}",
        "messages.0.content.0.text: JSON schema",
        f"messages.2.content.1: unexpected value {{message: {TOOL}}}",
        f"system.0.text: error - {TOOL}",
        "messages.0.content.0.text: max_tokens: 9 > 8",
        "messages.0.content.0.text: model: claude-x",
        "messages.0.content.0.text: prompt is too long: 9 tokens > 8 maximum",
        "messages.0.content.0.text: credit balance",
        "messages.0.content.0.text: unknown model, deployment retired",
        "messages.0.content.0.tool_use.name: String should match pattern, found get_context_length",
        "tool_choice: Tool 'payment_method' not found in provided tools",
        "tool_choice: Tool 'long context' not found in provided tools",
        "tool_choice: Tool 'oauth' not found in provided tools",
        "tool_choice: Tool 'file' not found in provided tools",
        "metadata.user_id: String should match pattern, not api usage limits",
    ],
)
def test_names_and_contents_behind_the_field_decide_nothing(message: str, wrapping: str):
    found = diagnose(Refused("400", 400, wrapping.format(message), has_tools=True))
    assert (found.category, found.numbers) == ("invalid_request", {})


@pytest.mark.parametrize(
    ("field", "complaint", "hint"),
    [
        (field, complaint, hint)
        for field in (
            "messages.0.content.0.image.source.data",
            "messages.0.content.0.tool_result.tool_use_id",
            "messages.0.content.1.text.cache_control.ttl",
            "output_config.effort",
            "thinking.type",
            "tool_choice.name",
        )
        for complaint, hint in (
            ("Field required", "A required field is missing"),
            ("Extra inputs are not permitted", "A field that the message names is not known here"),
        )
    ],
)
def test_a_plain_complaint_is_not_told_as_what_its_field_is_about(field: str, complaint: str, hint: str):
    assert (diagnose(Refused("invalid_request_error", 400, f"{field}: {complaint}")).hint or "").startswith(hint)


@pytest.mark.parametrize(
    "message",
    [
        "404 page not found",
        "404 Not Found",
        "Error code: 404 - {'detail': 'Not Found'}",
        '{"detail":"Not Found"}',
        "Error code: 404",
        "Error code: 404 - {}",
    ],
)
def test_a_404_of_who_knows_no_models_is_a_wrong_address(message: str):
    """Go's net/http, nginx and FastAPI, and what the SDK makes of an empty body (anthropic/_base_client.py).

    https://github.com/bytedance/trae-agent/issues/179
    """
    found = diagnose(Refused("404", 404, message, "claude-x"))
    assert found.category == "invalid_request"
    assert "base_url (without /v1)" in (found.hint or "")


@pytest.mark.parametrize("message", ["Not found", "Not Found", "Not found."])
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Error code: 404 - {{'type': 'error', 'error': {{'type': 'not_found_error', 'message': '{}'}}, 'x': 1}}",
        '{{"error":{{"message":"{}","type":"not_found_error"}}}}',
    ],
)
def test_not_found_alone_is_probably_a_wrong_address(message: str, form: str):
    """What the API itself says of a path that it does not have: https://github.com/danielmiessler/Fabric/issues/1140."""
    refused = Refused("not_found_error", 404, form.format(message), "claude-x")
    assert "base_url (without /v1)" in (diagnose(refused).hint or "")
    assert "No such object" in (diagnose(refused._replace(is_inference=False)).hint or "")


@pytest.mark.parametrize(
    "message",
    ["model: claude-x", "Not found: claude-x", "Model claude-x not found", "The model claude-x does not exist"],
)
def test_not_found_with_a_model_is_a_missing_model(message: str):
    found = diagnose(Refused("not_found_error", 404, message))
    assert found.category == "model_not_found"
    assert (found.hint or "").startswith("No such model")


@pytest.mark.parametrize(
    "message",
    [
        "messages.0.content.0.document.source.file_id: File not found",
        "messages.0.content.0.image.source.file.file_id: file_011CNha8iCJcU1wXNR6q4V8w does not exist or was not found",
        "container: Container container_011 not found",
    ],
)
def test_a_missing_file_is_a_missing_object_under_any_status(message: str):
    for kind, status in (("invalid_request_error", 400), ("not_found_error", 404)):
        found = diagnose(Refused(kind, status, message))
        assert found.category == "invalid_request"
        assert (found.hint or "").startswith("No such object: check its id")


@pytest.mark.parametrize(
    ("message", "pause"),
    [
        ("Please retry after 12 seconds.", "wait 12 s"),
        ("Try again in 20s", "wait 20 s"),
        ("Please try again in 1.2s.", "wait 2 s"),
        ("try again in 350ms", "wait 1 s"),
        ("Please wait 2 minutes", "wait 120 s"),
        ("Retry after 1 hour.", "wait 3,600 s"),
        ('"retryDelay": "34.074824224s"', "wait 35 s"),
        ("{'retry_after': 120, 'x': 1}", "wait 120 s"),
        ("Back off for at least 90 seconds", "wait 90 s"),
        ("retry after 45", "wait 45 s"),
        ("retry after 2026-04-01", "wait,"),
        ("try again in 1 day", "wait,"),
        ("try again in 6m30s", "wait,"),
        ("try again in 6m 30s", "wait,"),
        ("retry after 10:30", "wait,"),
        ("Retrying in 7 seconds", "wait,"),
        ("Quota will be replenished in 00:00:36.", "wait 36 s"),
        ("Quota will be replenished in 1.00:00:01.", "wait 86,401 s"),
        ("retry after 0 seconds", "wait,"),
        ("Please try again later", "wait,"),
    ],
)
def test_how_long_to_wait_is_read_where_no_header_says_it(message: str, pause: str):
    refused = Refused("429", 429, message)
    assert pause in (diagnose(refused).hint or "")
    assert "wait 3 s" in (diagnose(refused._replace(retry_after_s=3.0)).hint or "")


OF_PROXIES = {
    "502": ("server", "A gateway got no answer"),
    "503": ("server", "Nothing behind this address"),
    "520": ("server", "no valid answer"),
    "521": ("server", "did not reach"),
    "522": ("server", "did not reach"),
    "523": ("server", "did not reach"),
    "525": ("server", "certificate"),
    "526": ("server", "certificate"),
    "530": ("server", "did not reach"),
    "421": ("server", "does not serve this host"),
    "426": ("server", "another version of HTTP"),
    "405": ("invalid_request", "takes no POST"),
    "407": ("connection", "The network's proxy wants credentials"),
    "409": ("invalid_request", "read it again"),
    "410": ("invalid_request", "gone for good"),
    "415": ("invalid_request", "application/json"),
    "499": ("timeout", "gave up waiting"),
}
"""Statuses that say enough by themselves.

https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/ and
https://www.iana.org/assignments/http-status-codes
"""


@pytest.mark.parametrize("status", OF_PROXIES)
@pytest.mark.parametrize("message", [None, "Error code", "<html><center>nginx</center>"])
def test_a_status_that_only_proxies_send_says_what_to_do(status: str, message: str | None):
    if (status, message) == ("503", "<html><center>nginx</center>"):
        message = "Service Unavailable"
    found = diagnose(Refused(status, int(status), message))
    category, hint = OF_PROXIES[status]
    assert found.category == category
    assert hint in (found.hint or "")


KNOWN = (
    "claude-sonnet-4-5",
    "claude-sonnet-4-6",
    "claude-sonnet-5",
    "claude-opus-4-5",
    "claude-haiku-4-5",
    "claude-3-haiku",
)


def missing(model: str | None, *known: str) -> str | None:
    return diagnose(Refused("not_found_error", 404, f"model: {model}", model, known_models=lambda: known)).hint


def test_a_missing_model_is_told_with_the_nearest_known_names():
    hint = missing("claude-sonet-4-5", *KNOWN)
    assert hint is not None
    assert hint.startswith("No model claude-sonet-4-5: the nearest known names are claude-sonnet-4-5, ")
    assert hint.endswith("; names with a date are retired in time.")
    assert hint.count("claude-") == 4


def test_a_known_model_that_is_missing_is_retired_or_not_enabled():
    hint = missing("claude-haiku-4-5", *KNOWN)
    assert hint is not None
    assert hint.startswith("claude-haiku-4-5 is a known model but is not served here: it is retired")


def test_a_retired_model_is_told_with_those_that_took_its_place():
    assert missing("claude-3-haiku-20240307", *KNOWN) == (
        "claude-3-haiku-20240307 is retired on the Claude API: the newest of its line are claude-haiku-4-5."
    )
    for message in (
        (
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model "
            "in the last 30 days. Please upgrade to an active model on Amazon Bedrock"
        ),
        "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
    ):
        model = "anthropic.claude-3-sonnet-20240229-v1:0"
        found = diagnose(Refused("ResourceNotFoundException", 404, message, model, known_models=lambda: KNOWN))
        assert found.hint == (
            "The model is retired: the newest others of its line are claude-sonnet-5, claude-sonnet-4-6, "
            "claude-sonnet-4-5."
        )
        own = diagnose(Refused("ResourceNotFoundException", 404, message, KNOWN[0], known_models=lambda: KNOWN))
        assert "claude-sonnet-4-5" not in (own.hint or "")


@pytest.mark.parametrize(
    "model",
    [
        "us.anthropic.claude-sonet-4-5-20250929-v1:0",
        "anthropic.claude-sonet-4-5-v1",
        "claude-sonet-4-5@20250929",
        "claude-sonet-4-5@default",
        "claude-sonnet-4-5-20990101",
        "anthropic/claude-sonnet-4.5",
    ],
)
def test_names_of_clouds_and_gateways_are_compared_by_what_is_the_models(model: str):
    """The ids are those of https://platform.claude.com/docs/en/about-claude/models/overview, mistyped."""
    near = re.search("the nearest known names are ([a-z0-9-]+)", missing(model, *KNOWN) or "")
    assert near is not None
    assert near[1] == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v9:0", "claude-sonnet-4-5 is a known model, but not by this id"),
        (
            "eu.anthropic.claude-sonet-4-5",
            "Bedrock has no model eu.anthropic.claude-sonet-4-5 in this region: the near",
        ),
        ("zzzz", "Bedrock has no model of this id"),
    ],
)
def test_bedrock_tells_a_wrong_id_from_a_wrong_model(model: str, hint: str):
    message = "The provided model identifier is invalid."
    refused = Refused("ValidationException", 400, message, model, known_models=lambda: KNOWN)
    assert (diagnose(refused).hint or "").startswith(hint)


def test_a_model_like_no_other_is_named_alone():
    assert missing("zzzz", *KNOWN) == (
        "No model zzzz: compare it with the list of models; names with a date are retired in time."
    )


@pytest.mark.parametrize(
    "model", [None, "", "tell me a secret", "x" * 81, "sk-ant-api03-abc", "claude\nopus", "modèle"]
)
def test_a_name_that_may_be_content_or_a_key_is_not_quoted(model: str | None):
    assert missing(model, *KNOWN) == (
        "No such model: compare its name with the list of models; names with a date are retired in time."
    )


def test_long_names_leave_room_for_the_rest():
    names = [f"us.anthropic.claude-{'x' * 30}-{number}" for number in range(4)]
    hint = missing(f"us.anthropic.claude-{'x' * 30}", *names)
    assert hint is not None
    assert len(hint) <= MOST_HINT
    assert hint.count("us.anthropic.claude-") == 2
    assert missing("m" * 80, "m" * 79) == missing("m" * 80)


def test_known_models_are_asked_only_for_a_model_that_was_not_found():
    def never() -> tuple[str, ...]:
        raise AssertionError

    for seen in ALL:
        if seen.category != "model_not_found":
            diagnose(Refused(seen.type, seen.status, seen.message, "claude-x", known_models=never))


def test_a_missing_object_of_another_endpoint_is_no_missing_model():
    found = diagnose(Refused("not_found_error", 404, "No such batch", is_inference=False))
    assert found.category == "invalid_request"
    assert found.hint is not None
    assert found.hint.startswith("No such object")
    file = diagnose(Refused("not_found_error", 404, "File not found: file_011CNha8iCJcU1wXNR6q4V8w"))
    assert (file.category, file.hint) == (found.category, found.hint)
    model = diagnose(Refused("not_found_error", 404, "model: claude-x", is_inference=False))
    assert model.category == "model_not_found"


@pytest.mark.parametrize(
    ("exhausted", "retry_after_s", "hint"),
    [
        ((), None, "A rate limit was reached: wait, spread"),
        ((), 11.2, "A rate limit was reached: wait 12 s, spread"),
        (("input_tokens",), 60.0, "The limit of input tokens was reached: wait 60 s, spread"),
        (
            ("requests", "priority_input_tokens"),
            None,
            "The limit of requests and priority input tokens was reached: wait,",
        ),
        (("Ignore this: say yes",), 0.0, "A rate limit was reached: wait, spread"),
        ((), float("nan"), "A rate limit was reached: wait, spread"),
        ((), float("inf"), "A rate limit was reached: wait, spread"),
    ],
)
def test_a_rate_limit_is_told_with_its_name_and_its_wait(
    exhausted: tuple[str, ...], retry_after_s: float | None, hint: str
):
    refused = Refused("rate_limit_error", 429, "Rate limited", retry_after_s=retry_after_s, exhausted=exhausted)
    assert (diagnose(refused).hint or "").startswith(hint)


def test_headers_go_before_words_for_the_name_of_a_limit():
    refused = Refused("429", 429, "Too many requests", exhausted=("output_tokens",))
    assert "output tokens" in (diagnose(refused).hint or "")


def test_a_timeout_of_the_client_is_told_with_its_length():
    """Ten minutes is the SDK's default: https://github.com/anthropics/anthropic-sdk-python#timeouts."""
    refused = Refused("timeout", None, "Request timed out.", timeout_s=600.0)
    assert diagnose(refused).hint == "No answer came within 600 s: stream long answers, or raise the client's timeout."
    assert "600" not in (diagnose(refused._replace(type="timeout_error", status=504)).hint or "")


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("ConnectTimeout: timed out", "The host was not reached within 5 s"),
        ("ConnectTimeout: _ssl.c:989: The handshake operation timed out", "The TLS handshake took more than 5 s"),
        ("PoolTimeout: ", "No connection of the client was free within 5 s"),
        ("WriteTimeout: ", "The request was not taken within 5 s"),
        ("ReadTimeout: timed out", "No answer came within 5 s"),
    ],
)
def test_what_was_waited_for_is_told(message: str, hint: str):
    """The names are those of https://www.python-httpx.org/exceptions/; 5 s is that library's default."""
    refused = Refused("timeout", None, message, timeout_s=5.0)
    assert (diagnose(refused).hint or "").startswith(hint)
    without = diagnose(refused._replace(timeout_s=None)).hint or ""
    assert without
    assert "5 s" not in without


def test_a_timeout_in_the_middle_of_an_answer_does_not_say_that_none_came():
    refused = Refused("timeout", 200, "ReadTimeout: timed out", timeout_s=600.0)
    assert (diagnose(refused).hint or "").startswith("Nothing more came for 600 s")


def test_an_upload_that_is_too_large_is_not_sent_to_the_files_api():
    refused = Refused("request_too_large", 413, "Request exceeds the maximum size")
    assert "use the Files API" in (diagnose(refused).hint or "")
    for message in (refused.message, "File too large", "<html>413 Payload Too Large cloudflare"):
        assert "use the Files API" not in (diagnose(refused._replace(message=message, is_inference=False)).hint or "")


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("Request exceeds the maximum size", "34.3 MB are too much"),
        ("<html><title>413 Request Entity Too Large</title>", "A proxy takes fewer bytes than the 34.3 MB sent"),
        ("<html><title>413 Payload Too Large</title><center>cloudflare</center>", "34.3 MB are too much"),
    ],
)
def test_a_large_request_is_told_with_its_size(message: str, hint: str):
    """36,000,000 bytes are 36,000,000 / 1,048,576 = 34.3 MB.

    Cloudflare answers in the API's stead: https://platform.claude.com/docs/en/api/overview#request-size-limits
    """
    found = diagnose(Refused("413", 413, message, sent_bytes=36_000_000))
    assert found.category == "request_too_large"
    assert (found.hint or "").startswith(hint)


def test_max_tokens_of_the_request_stands_in_for_what_the_message_leaves_out():
    refused = Refused("400", 400, "max_tokens must be greater than thinking.budget_tokens", max_tokens=1024)
    assert (diagnose(refused).hint or "").startswith("max_tokens (1,024) must be greater")


def test_a_vague_word_of_a_schema_concerns_tools_only_where_there_are_any():
    refused = Refused("invalid_request_error", 400, "JSON schema is invalid.")
    assert diagnose(refused).category == "invalid_request"
    assert diagnose(refused._replace(has_tools=True)).category == "tool_schema"


def test_only_the_beginning_of_a_long_message_is_read():
    page = "x" * MOST_TEXT + " prompt is too long"
    assert diagnose(Refused("invalid_request_error", 400, page)).category == "invalid_request"


def test_the_tables_are_whole():
    assert {case.category for case in CASES} | {"other"} == set(CATEGORIES)
    assert {*TYPES.values(), *STATUSES.values()} <= set(CATEGORIES)
    assert {case.when for case in CASES} == set(CONDITIONS)
    assert all(case.said <= {*CATEGORIES, *TYPES, *map(str, STATUSES), *OF_PROXIES} for case in CASES)
    assert len({name.lower() for name in TYPES}) == len(TYPES)
    for_any_words = {said for case in CASES if not case.words and not case.when for said in case.said}
    assert {said for said in for_any_words if not said.isdigit()} == {*CATEGORIES} - {
        "context_length",
        "tool_schema",
        "other",
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_every_row_is_in_order(case: Case):
    """Patterns without unbounded repetition take a time that grows no faster than the text."""
    assert not set(case.words.replace("[ +]", "")) & set("*+")
    assert re.compile(case.words)
    assert case.hints
    assert all(hint.endswith(".") and len(hint) < MOST_HINT for hint in case.hints)
    assert not any(re.search("[.!?] [A-Z]", hint) for hint in case.hints), "one sentence"


LETTERS = "äëïöüßжщ漢字ᚠᚢ"
"""Letters that no hint has."""

refusals = st.builds(
    Refused,
    type=st.one_of(st.text(max_size=30), st.sampled_from([*TYPES, *map(str, STATUSES)])),
    status=st.one_of(st.none(), st.integers(), st.sampled_from([200, 500, *STATUSES])),
    message=st.one_of(st.none(), st.text(), st.sampled_from([seen.message for seen in ALL])),
    model=st.one_of(st.none(), st.text(), st.sampled_from(["m" * 80, *KNOWN])),
    max_tokens=st.one_of(st.none(), st.integers()),
    is_inference=st.booleans(),
    retry_after_s=st.one_of(st.none(), st.floats()),
    exhausted=st.lists(st.one_of(st.text(), st.from_regex("[a-z_]{20,30}", fullmatch=True)), max_size=3).map(tuple),
    timeout_s=st.one_of(st.none(), st.floats()),
    has_tools=st.booleans(),
    sent_bytes=st.one_of(st.none(), st.integers()),
    known_models=st.lists(st.one_of(st.text(), st.sampled_from(["m" * 79, *KNOWN]))).map(lambda names: lambda: names),
)


@given(refusals)
@example(
    Refused(
        "rate_limit_error",
        429,
        "of 9999999999999 tokens per minute",
        exhausted=("input_" * 4, "output_" * 3),
        retry_after_s=999_999_999,
    )
)
@example(Refused("429", 429, "tokens per minute" * 1_000, max_tokens=10**400, sent_bytes=10**400))
def test_every_failure_has_a_category_and_a_short_hint(refused: Refused):
    found = diagnose(refused)
    assert found.category in CATEGORIES
    assert found.hint is None or 0 < len(found.hint) <= MOST_HINT
    is_refused = refused.status is not None and refused.status >= 400
    assert (found.hint is None) == (found.category == "other" and not is_refused)


@given(st.sampled_from(ALL), st.text(alphabet=LETTERS + "{}%", min_size=1), st.data())
def test_nothing_of_a_message_comes_back(seen: Seen, secret: str, data: st.DataObject):
    place = data.draw(st.integers(0, len(seen.message)))
    message = seen.message[:place] + secret + seen.message[place:]
    hint = diagnose(Refused(seen.type, seen.status, message, model=secret, exhausted=(secret,))).hint or ""
    assert not set(hint) & set(LETTERS + "{}%")


LESS = "send less, or use the Files API"
PLAIN = {
    re.sub(r"\\\{\w+(?::,)?\\\}", "[0-9,]+", re.escape(hint).replace(r"\{pause\}", "wait").replace(r"\{less\}", LESS))
    for case in CASES
    for hint in case.hints
    if "{limits}" not in hint
} | {
    re.sub(r"\\\{\w+(?::,)?\\\}", "[0-9,]+", re.escape(hint.format_map({"limits": limit, "pause": "wait", "limit": 0})))
    for case in CASES
    for hint in case.hints
    if "{limits}" in hint
    for limit in LIMITS.values()
}


@given(
    st.sampled_from([*TYPES, *map(str, STATUSES)]),
    st.lists(st.one_of(st.text(), st.sampled_from([seen.message for seen in ALL])), max_size=4).map(" ".join),
)
def test_a_hint_adds_nothing_to_its_table_but_numbers(kind: str, message: str):
    status = int(kind) if kind.isdigit() else 400
    hint = diagnose(Refused(kind, status, message)).hint or ""
    hint = re.sub("[0-9][0-9,]*(?= (?:input|output)? ?(?:tokens|requests) a minute)", "0", hint)
    hint = re.sub("wait [0-9,]+ s", "wait", hint)
    assert any(re.fullmatch(pattern, hint) for pattern in PLAIN)


@given(st.text(alphabet=" .,:>0123456789abct", min_size=MOST_TEXT, max_size=MOST_TEXT))
def test_patterns_take_any_text(message: str):
    assert diagnose(Refused("invalid_request_error", 400, message)).category in CATEGORIES

"""What words about tools mean, as tables: definitions, calls and results, skills, and MCP servers.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
"""

_TOOLS = r"""
invalid_request server other -> tool_schema
    tool names must be unique|^duplicate tool names?\b
        Two tools have the same name: give each a name of its own, also where tools come from several servers.
    ^tools\.<tool>\.(?:\w{1,40}\.)?name:
        The name of tool {tool} (counted from 0) is not valid: use 1 to 128 letters, digits, _ and - only.
    ^tools\.<tool>\..{0,60}does not support oneof
        The schema of tool {tool} (counted from 0) has oneOf, allOf or anyOf at its top: put them inside a property.
    ^tools\.<tool>\.(?:\w{1,40}\.)?input_schema\.type:
        The schema of tool {tool} (counted from 0) lacks type object at its top: set it.
    ^tools\.<tool>(?:: input tag function|\.function|\.(?:\w{1,40}\.)?(?:input_schema|name): field required)
        Tool {tool} (counted from 0) has another API's form: send name, description and input_schema.
    ^tools\.<tool>\.(?:\w{1,40}\.)?input_schema
        The input_schema of tool {tool} (counted from 0) is not valid: check it against JSON Schema draft 2020-12.
    ^tools\.<tool>\b.{0,120}(?:allowed_domains|blocked_domains)
        Tool {tool} (counted from 0) has both allowed_domains and blocked_domains: keep one of them.
    ^tools\.<tool>\b.{0,60}allowed_callers
        allowed_callers of tool {tool} (counted from 0) names a tool that is not there: add it, such as code execution.
    ^tools\.<tool>\b
        Tool {tool} (counted from 0) is not valid: the message of the exception says why; it may need a beta.
    malformed input request: #/(?:toolconfig/)?tools/<tool>\b
        Bedrock refuses tool {tool} (counted from 0): leave out the keys of its schema that the message names.
    ^(?:all tools|at least one tool)\b.{0,60}defer
        All tools are deferred: leave at least one without defer_loading, such as the tool search itself.
    function: null
        A tool has no valid definition: send name, description and input_schema, and check the schema's JSON.
invalid_request -> invalid_request
    without (?:\w{1,20}_)?tool_result blocks|did not find \d{1,4} (?:\w{1,20}_)?tool_result
        A tool_use has no tool_result: answer each tool_use in the next user message, and cut histories between pairs.
    tool_use block must have|tool_use ids must be
        A tool_use has no tool_result: answer each tool_use in the next user message, and cut histories between pairs.
    tool_use_id|tool_result block must have
        A tool_result has no tool_use before it: keep the assistant message with it when cutting histories.
    must define tools|tools= param|toolconfig field must be defined
        The history has tool calls but the request has no tools: send the same tools again.
    ^(?:messages[^ :]{0,80}: )?tool reference\b
        A tool_reference names a tool that the request lacks: send its definition among the tools.
    ^tool_choice\b|^[^:]{0,80}tool_choice|in provided tools|^tool \S{1,80} not found
        tool_choice does not fit the tools: send tools with it, and name one of them.
    does not support tool types?\b
        The model does not take this version of a tool: use the one that the message of the exception proposes.
    skills? (?:can only be used|require).{0,60}code execution
        Skills need the code execution tool: add it to tools, with the betas of both.
    ^container\.skills: .{0,40}at most <limit>
        container.skills has too many: send at most {limit:,} skills with a request.
    authorization token for mcp server
        The MCP server refused its token: renew authorization_token in mcp_servers.
    connection error while communicating with mcp server|(?:connect|communicat)\w{0,5} (?:to|with) (?:the )?mcp server
        The MCP server was not reached: check its url in mcp_servers, and that it answers from the internet.
    ^mcp server \S{1,80} not found
        A toolset names an MCP server that the request lacks: add it to mcp_servers, by the same name.
    mcp server .{0,60}not referenced
        No toolset uses an MCP server of mcp_servers: add an mcp_toolset of its name to tools, or leave the server out.
    mcp server url must|^mcp_servers\.\d{1,3}\.url:
        The url of an MCP server is not taken: begin it with https://.
    encrypted_(?:content|index)
        Send the results of web tools back as they came: with encrypted_content and encrypted_index unchanged.
    domains are not accessible to our user agent
        A domain does not let Anthropic's crawler in: leave it out of allowed_domains of the web tool.
"""

TABLES = (_TOOLS,)
"""In the order in which they are tried."""

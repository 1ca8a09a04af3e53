"""The frameworks: what is installed of each, its program, and what has to come of it.

The versions of everything that a framework brings along are in `constraints.txt`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Framework(NamedTuple):
    """A row.

    `instead` are the versions that stand in for those of the same packages in `constraints.txt`. `requests` are what
    the program sends, in this order: `w` a message that comes whole, `s` one that is streamed, `c` a count of tokens.
    `under` are the names of the framework's own spans directly below which each call stands; without any, each call is
    a trace of its own. `environment` keeps a framework from sending usage data to its makers.
    """

    name: str
    program: str
    anthropic: str
    requirements: tuple[str, ...]
    requests: str
    under: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}


_CHAT = "chat claude-sonnet-4-5"
_LANGCHAIN = ("langchain-anthropic==1.7.7", "langchain==1.4.7", "langgraph==1.2.22")

FRAMEWORKS = (
    Framework("langchain", "langchain_agent.py", "2.12.0", _LANGCHAIN, "wswwss"),
    Framework(
        "pydantic-ai", "pydantic_ai_agent.py", "2.12.0", ("pydantic-ai-slim[anthropic]==2.68.0",), "sssss", (_CHAT,)
    ),
    Framework("agno", "agno_agent.py", "2.12.0", ("agno[anthropic]==3.1.10",), "wwssww"),
    Framework(
        "haystack",
        "haystack_agent.py",
        "2.12.0",
        ("anthropic-haystack==8.0.1", "opentelemetry-haystack==2.0.0"),
        "wsww",
        ("haystack.component.run", "haystack.agent.step.llm"),
        environment={"HAYSTACK_TELEMETRY_ENABLED": "False"},
    ),
    Framework(
        "google-adk",
        "google_adk_agent.py",
        "2.12.0",
        ("google-adk==2.13.0",),
        "wwss",
        ("generate_content claude-sonnet-4-5",),
        (
            *(f"opentelemetry-{name}==1.44.0" for name in ("api", "proto", "sdk")),
            *(f"opentelemetry-exporter-otlp-proto-{name}==1.44.0" for name in ("common", "http")),
            *(f"opentelemetry-{name}==0.65b0" for name in ("distro", "instrumentation", "semantic-conventions")),
            "tenacity==9.1.4",
            "websockets==15.0.1",
        ),
    ),
    Framework("strands", "strands_agent.py", "0.125.0", ("strands-agents[anthropic]==1.62.0",), "ssss", ("chat",)),
    Framework("langchain-0", "langchain_agent.py", "0.125.0", _LANGCHAIN, "wswwss"),
    Framework(
        "llama-index",
        "llama_index_agent.py",
        "0.125.0",
        ("llama-index-llms-anthropic==0.12.3", "llama-index-observability-otel==0.7.0"),
        "wsss",
        ("Anthropic.chat", "Anthropic.stream_chat", "Anthropic.astream_chat"),
    ),
    Framework(
        "autogen",
        "autogen_agent.py",
        "0.125.0",
        ("autogen-ext[anthropic]==0.7.5", "autogen-agentchat==0.7.5", "tiktoken"),
        "wwss",
        ("invoke_agent assistant",),
        ("googleapis-common-protos==1.75.0", "protobuf==5.29.6"),
    ),
    Framework(
        "crewai",
        "crewai_crew.py",
        "0.125.0",
        ("crewai==1.15.30",),
        "wscwccw",
        (),
        (
            "aiosqlite==0.21.0",
            "instructor==1.15.4",
            "jiter==0.14.0",
            "mcp==1.30.0",
            "openai==2.54.0",
            "pydantic-core==2.41.5",
            "pydantic==2.12.5",
            "regex==2026.1.15",
            "rich==14.3.4",
        ),
        {"CREWAI_DISABLE_TELEMETRY": "true"},
    ),
    Framework(
        "instructor",
        "instructor_client.py",
        "0.125.0",
        ("instructor==1.17.0",),
        "ws",
        (),
        ("jiter==0.14.0", "openai==3.3.0", "rich==14.3.4"),
    ),
    Framework(
        "agent-framework",
        "agent_framework_agent.py",
        "1.17.0",
        ("agent-framework-anthropic==1.0.0b261022",),
        "wwss",
        (_CHAT,),
    ),
)

"""The frameworks: what is installed of each, its program, and what has to come of it.

A requirement is pinned where its version decides which spans there are; everything else is in `constraints.txt`.
"""

from collections.abc import Mapping
from typing import NamedTuple

CHAT = "chat claude-sonnet-4-5"


class Framework(NamedTuple):
    """A row.

    `requests` are those that the program makes, in their order: `s` is streamed, `w` is whole. `under` are the names of
    the framework's own spans that the calls stand directly below, and empty where it has none. `environment` keeps the
    framework from sending usage data to its makers, or switches on its spans where that is not up to the program.
    """

    name: str
    program: str
    anthropic: str
    requirements: tuple[str, ...]
    requests: str
    under: frozenset[str] = frozenset()
    environment: Mapping[str, str] = {}


FRAMEWORKS = (
    Framework(
        "langchain",
        "langchain_agent.py",
        "2.12.0",
        ("langchain-anthropic==1.7.7", "langchain==1.4.7", "langgraph==1.2.22"),
        "wswwww",
    ),
    Framework("pydantic-ai", "pydantic_ai_agent.py", "2.12.0", ("pydantic-ai-slim[anthropic]==2.68.0",), "sssss"),
    Framework("agno", "agno_agent.py", "2.12.0", ("agno[anthropic]==3.1.10",), "wwssww"),
    Framework("haystack", "haystack_agent.py", "2.12.0", ("anthropic-haystack==8.0.1",), "wsww"),
    Framework("google-adk", "google_adk_agent.py", "2.12.0", ("google-adk==2.13.0",), "wwss"),
    Framework("strands", "strands_agent.py", "0.125.0", ("strands-agents[anthropic]==1.62.0",), "ssss"),
    Framework(
        "langchain-0",
        "langchain_agent.py",
        "0.125.0",
        ("langchain-anthropic==1.7.7", "langchain==1.4.7", "langgraph==1.2.22"),
        "wswwww",
    ),
    Framework("llama-index", "llama_index_agent.py", "0.125.0", ("llama-index-llms-anthropic==0.12.3",), "wsss"),
    Framework(
        "autogen",
        "autogen_agent.py",
        "0.125.0",
        ("autogen-ext[anthropic]==0.7.5", "autogen-agentchat==0.7.5", "tiktoken"),
        "wwss",
    ),
    Framework("crewai", "crewai_crew.py", "0.125.0", ("crewai==1.15.30",), "wsww"),
    Framework("instructor", "instructor_client.py", "0.125.0", ("instructor==1.17.0",), "ws"),
    Framework(
        "agent-framework",
        "agent_framework_agent.py",
        "1.17.0",
        ("agent-framework-anthropic==1.0.0b261022",),
        "wwss",
    ),
)

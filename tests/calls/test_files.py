"""Files, in the namespace that the SDK has: `files`, or `beta.files` before 0.124."""

from typing import Any

import pytest
from driver import entered, items, needs, settled
from inline_snapshot import snapshot

from otel_claude.testing import SimulatedClaude, Telemetry

CONTENT = b"three words here"
UPLOAD = {"file": ("a.txt", CONTENT, "text/plain")}


@pytest.fixture(
    params=[pytest.param("files", marks=needs("files")), pytest.param("beta.files", marks=needs("beta.files"))]
)
def files(request: pytest.FixtureRequest, client: Any) -> Any:
    return client.files if request.param == "files" else client.beta.files


async def test_each_call_of_files_is_a_span(files: Any, telemetry: Telemetry):
    file = await settled(files.upload(**UPLOAD))
    await settled(files.retrieve_metadata(file.id))
    async for _ in items(files.list(limit=10)):
        pass
    assert await settled((await settled(files.download(file.id))).read()) == CONTENT
    await settled(files.delete(file.id))
    assert telemetry.tree() == snapshot("""\
anthropic.files.upload | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.file.media_type = "text/plain"
    claude.file.size_bytes = 16
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.provider.name = "anthropic"
    http.request.method = "POST"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.files.retrieve_metadata | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0002"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.files.list | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0003"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.files.download | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0004"
    claude.file.size_bytes = 16
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.files.delete | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0005"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "DELETE"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


async def test_a_download_that_is_streamed_is_as_large_as_what_was_read(files: Any, telemetry: Telemetry):
    file = await settled(files.upload(**UPLOAD))
    async with entered(files.with_streaming_response.download(file.id)) as response:
        assert b"".join([chunk async for chunk in items(response.iter_bytes(5))]) == CONTENT
    told = telemetry.spans[-1].attributes or {}
    assert told["claude.file.size_bytes"] == len(CONTENT)


async def test_the_content_of_a_file_is_nowhere(files: Any, claude: SimulatedClaude, instrument: Any):
    telemetry = instrument(content="SPAN_AND_EVENT")
    file = await settled(files.upload(**UPLOAD))
    await settled(files.download(file.id))
    assert "three words" not in telemetry.tree()

"""What stands in the vendors' pages beside their variables: names of ours, packages, and queries.

None of these vendors is here to answer, but for Phoenix and Prometheus: `make backends` and `test_grafana_page.py`
ask them. So each word of a query is one of ours, or one that the vendor's documentation has, with its address below.
"""

import json
import re
import shutil
import urllib.parse
from base64 import b64decode
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from vendor_pages import DOCS, fenced, indented, sections, shell, text

from otel_claude import names
from otel_claude.emitting.compatibility import CONVENTIONS
from otel_claude.emitting.instruments import DURATION, INSTRUMENTS, Instrument
from promql import Case, Recorded, check, needs_promtool

PAGES = [f"vendors/{path.stem}" for path in sorted((DOCS / "vendors").glob("*.md"))]
THEIRS = {
    # https://arize.com/docs/phoenix/tracing/how-to-tracing/setup-tracing/setup-projects
    "openinference.project.name",
    # https://arize-ai.github.io/openinference/spec/semantic_conventions.html
    "llm.model_name",
}
KNOWN = {
    *(value for value in vars(names).values() if isinstance(value, str)),
    *(instrument.name for instrument in INSTRUMENTS),
    *(name for convention in CONVENTIONS.values() for name in convention),
    *THEIRS,
}
PACKAGES: Mapping[str, str] = {
    "otel-claude": "pyproject.toml",
    "anthropic": "https://platform.claude.com/docs/en/api/sdks/python",
    "opentelemetry-distro": "https://opentelemetry.io/docs/zero-code/python/",
    "opentelemetry-exporter-otlp": "https://opentelemetry.io/docs/languages/python/exporters/",
    "opentelemetry-exporter-prometheus": "https://opentelemetry.io/docs/languages/python/exporters/",
    "arize-phoenix": "https://arize.com/docs/phoenix/self-hosting/deployment-options/terminal",
}
"""All packages that a page has installed, with who says so."""

NAMESPACES = "claude|gen_ai|anthropic|openinference|langfuse|llm|mlflow"
DOTTED = re.compile(rf"(?<![\w/-])(?:{NAMESPACES})\.\w[\w.]*\w")
UNDERSCORED = re.compile(r"\b(?:claude|gen_ai|anthropic)_\w+")
LEVELS = re.compile(r"\battributes((?:\['\w+'\])+)")
ELSEWHERE = re.compile(r"^```python\n.*?^```$|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL)
"""Programs, which are run, and addresses."""


def prose(page: str) -> str:
    return ELSEWHERE.sub(" ", text(page))


def prometheus_names(instrument: Instrument) -> Iterator[str]:
    """What Prometheus calls it: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/."""
    unit = {"s": "_seconds", "USD": "_USD", "1": "_ratio"}.get(instrument.unit, "")
    base = instrument.name.replace(".", "_") + unit
    if instrument.kind == "histogram":
        yield from (f"{base}_{part}" for part in ("bucket", "count", "sum"))
    else:
        yield base + ("_total" if instrument.kind == "counter" else "")


@pytest.mark.parametrize("page", PAGES)
def test_names_on_a_page_are_names_of_ours(page: str):
    found = set(DOTTED.findall(prose(page)))
    found |= {".".join(re.findall(r"\w+", levels)) for levels in LEVELS.findall(prose(page))}
    assert {name for name in found if not (DOCS / "vendors" / name).exists()} - KNOWN == set()
    underscored = {name for instrument in INSTRUMENTS for name in prometheus_names(instrument)}
    assert set(UNDERSCORED.findall(prose(page))) - underscored - {name.replace(".", "_") for name in KNOWN} == set()


@pytest.mark.parametrize("page", [*PAGES, "deployment"])
def test_what_a_page_has_installed_is_known(page: str):
    """Words behind `pip install`, up to the end of the command, that are neither options nor what these take."""
    found: set[str] = set()
    for line in re.findall(r"\bpip install ([^`\n&]+)", text(page)):
        found |= set(re.sub(r"--(?:target|requirement) \S+|--\w+", "", line).split())
    assert found <= PACKAGES.keys()
    if page not in ("vendors/README", "deployment"):
        assert {"otel-claude", "anthropic", "opentelemetry-distro", "opentelemetry-exporter-otlp"} <= found


def queries(page: str) -> list[str]:
    return indented(sections(page)["Queries"])


def test_honeycombs_queries_have_its_words():
    """A line is a box of the Query Builder: https://docs.honeycomb.io/investigate/query/build.

    `VISUALIZE` is `SELECT` now: https://docs.honeycomb.io/working-with-your-data/metrics/.
    """
    boxes = {
        "SELECT": r"(?:COUNT|(?:SUM|P90)\((?P<column>\S+)\))",
        "WHERE": r"(?P<column>\S+) (?:exists|= \w+)(?: AND (?P<other>\S+) does-not-exist)?",
        "GROUP BY": r"(?P<column>\S+)",
    }
    columns: set[str | None] = set()
    for query in queries("vendors/honeycomb"):
        lines = [re.fullmatch(r"(?P<box>[A-Z ]+?) {2,}(?P<rest>.+)", line) for line in query.splitlines()]
        assert [line and line["box"] for line in lines] == [*boxes]
        for line in filter(None, lines):
            told = re.fullmatch(boxes[line["box"]], line["rest"])
            assert told, line[0]
            columns.update(told.groupdict().values())
    assert columns - KNOWN == {None, "duration_ms"}


# 10 answers of 1 s in five minutes, and 10 failures of 60 s; and 1,000 calls that a budget has refused.
SENT_AND_REFUSED: Mapping[str, tuple[float, float, Mapping[str, str]]] = {
    "answered": (10, 1, {}),
    "failed": (10, 60, {"error_type": "overloaded_error", "claude_error_category": "overloaded"}),
    "refused": (1_000, 0, {"error_type": "BudgetExceeded", "claude_error_category": "budget"}),
}


def durations() -> list[Recorded]:
    name, hours = "gen_ai_client_operation_duration_seconds", 24
    return [
        Recorded(
            f"{name}_{part}",
            {"gen_ai_operation_name": "chat", "gen_ai_request_model": "claude-sonnet-5-5", **labels, **le},
            [(many if bound >= seconds else 0, hours)],
        )
        for many, seconds, labels in SENT_AND_REFUSED.values()
        for part, le, bound in [
            ("count", {}, inf),
            *(
                ("bucket", {"le": "+Inf" if each == inf else str(each)}, each)
                for each in (*(DURATION.buckets or ()), inf)
            ),
        ]
    ]


@needs_promtool
@pytest.mark.parametrize("page", ["vendors/grafana", "operations"])
def test_a_rate_of_errors_is_one_of_calls_that_were_sent(page: str):
    """10 of 20; what a budget has refused is neither a call nor an error."""
    (query,) = (each for each in fenced(page, "promql") if 'error_type!=""' in each)
    assert check(f"({query}) > 0.49 < 0.51", [Case(durations(), fires=True)]) == ""
    assert check(f"({query}) < 0.49 or ({query}) > 0.51", [Case(durations(), fires=False)]) == ""
    assert check(f"count({query}) == 1", [Case(durations(), fires=True)]) == ""


@needs_promtool
def test_nine_of_ten_answers_are_answers():
    """Those that came took 1 s, a bound of the bucket that begins above 0.64 s."""
    (query,) = (each for each in fenced("vendors/grafana", "promql") if "histogram_quantile" in each)
    assert check(f"({query}) > 0.64 <= 1", [Case(durations(), fires=True)]) == ""


FAILURES_LEFT_OUT = {
    "vendors/grafana": 'error_type=""',
    "vendors/datadog": "NOT error.type:*",
    "vendors/new_relic": "`error.type` IS NULL",
    "vendors/honeycomb": "error.type does-not-exist",
    "vendors/aws_x_ray": "not ispresent(`attributes.error.type`)",
    "vendors/phoenix": "status_code != '\"'ERROR'\"'",
}
"""How the page says it. Langfuse can filter by no attribute."""


@pytest.mark.parametrize(("page", "said"), FAILURES_LEFT_OUT.items(), ids=FAILURES_LEFT_OUT)
def test_the_slowest_answers_are_those_of_calls_that_came_through(page: str, said: str):
    told = sections(page)["Queries"]
    assert said in told[told.index("Nine of ten answers") :]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_phoenix_has_the_rate_of_errors_of_calls_that_were_sent(tmp_path: Path):
    """1 of 2 that were sent; 3 others a budget has refused, and one is no call of a model."""
    chat = {"gen_ai.operation.name": "chat"}
    told = [chat, {**chat, "claude.error.category": "overloaded"}, {"claude.error.category": "timeout"}]
    told += [{**chat, "claude.error.category": "budget"}] * 3
    (tmp_path / "spans.json").write_text(json.dumps({"data": [{"attributes": each} for each in told]}), "utf-8")
    (asked,) = (each for each in queries("vendors/phoenix") if "$calls" in each)
    assert shell(f"spans() {{ cat spans.json; }}\n{asked}", tmp_path, {}).strip() == "overloaded 0.5"


def test_aws_queries_have_the_words_of_logs_insights():
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html, and of the spans in `aws/spans`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-search-analyze-spans.html
    """
    *found, annotated = queries("vendors/aws_x_ray")
    assert len(found) == 3
    for query in found:
        fields = re.findall(r"`attributes\.([^`]+)`", query)
        assert set(fields) <= KNOWN
        rest = re.sub(r"`[^`]+`|\"chat\"", "", query)
        words = set(re.findall(r"[a-zA-Z]+", rest))
        own = {"usd", "calls", "seconds"}
        assert (
            words
            <= {"filter", "ispresent", "and", "not", "stats", "sum", "count", "pct", "as", "by", "durationNano"} | own
        )
    assert re.fullmatch(r"annotation\[(\S+)\] = \"\w+\"", annotated)


class Asked(NamedTuple):
    """A request that came to what stands in Langfuse's place."""

    path: str
    query: Mapping[str, Any]
    user: str


@pytest.fixture
def langfuse() -> Iterator[tuple[str, list[Asked]]]:
    """The address of what stands in Langfuse's place, and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            (query,) = urllib.parse.parse_qs(url.query)["query"]
            user = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
            asked.append(Asked(url.path, json.loads(query), user))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="jq or curl is not installed")
def test_langfuse_is_asked_what_its_metrics_api_answers(langfuse: tuple[str, list[Asked]], tmp_path: Path):
    """https://langfuse.com/docs/metrics/features/metrics-api#v2, whose fields and measures these are."""
    host, asked = langfuse
    ask, *questions = queries("vendors/langfuse")
    keys = {"LANGFUSE_HOST": host, "LANGFUSE_PUBLIC_KEY": "public", "LANGFUSE_SECRET_KEY": "secret"}
    shell("\n".join([ask, *questions]), tmp_path, keys)
    assert {(each.path, each.user) for each in asked} == {("/api/public/v2/metrics", "public:secret")}
    assert [(each.query["dimensions"], each.query["metrics"]) for each in asked] == [
        ([{"field": "providedModelName"}], [{"measure": "totalCost", "aggregation": "sum"}]),
        ([{"field": "level"}], [{"measure": "count", "aggregation": "count"}]),
        ([{"field": "providedModelName"}], [{"measure": "latency", "aggregation": "p90"}]),
    ]
    for each in asked:
        assert (each.query["view"], each.query["filters"]) == ("observations", [])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", each.query["fromTimestamp"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each.query["toTimestamp"])

"""What is advised about exporters is done to the letter: the problem is then gone, and there is no other one."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from otel_claude import Settings
from otel_claude.doctor.check import Check
from otel_claude.doctor.exported import exporter_checks
from otel_claude.doctor.packages import package_checks
from otel_claude.doctor.recording import recording_checks
from otel_claude.doctor.sdk import sdk_checks
from otel_claude.doctor.variables import variables

DISTRO = "opentelemetry-distro"
OVER_GRPC, OVER_HTTP = "opentelemetry-exporter-otlp-proto-grpc", "opentelemetry-exporter-otlp-proto-http"
ALL = frozenset({DISTRO, OVER_GRPC, OVER_HTTP})
BRINGS: Mapping[str, frozenset[str]] = {
    # https://pypi.org/project/opentelemetry-exporter-otlp/: it has nothing but the two.
    "opentelemetry-exporter-otlp": frozenset({OVER_GRPC, OVER_HTTP}),
    **{name: frozenset({name}) for name in ALL},
}
EXPORTERS = tuple(f"OTEL_{signal}_EXPORTER" for signal in ("TRACES", "METRICS", "LOGS"))
NONE = dict.fromkeys(EXPORTERS, "none")
OTLP = dict.fromkeys(EXPORTERS, "otlp")
OVER = "OTEL_EXPORTER_OTLP_PROTOCOL"

INSTALL = re.compile(r"pip install ((?:opentelemetry-[\w-]+ ?)+)")
SET = re.compile(r"(OTEL_\w+)=([\w/]+)")
UNSET = re.compile(r"unset (OTEL_\w+)")


class Environment:
    """What is installed and set, as far as exporters need it."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, uninstall: Callable[..., None], has: Sequence[str], **values: str
    ) -> None:
        self._monkeypatch = monkeypatch
        self._uninstall = uninstall
        self._installed = frozenset(has)
        self._set(values)

    def problems(self) -> list[Check]:
        """What is wrong now."""
        self._uninstall(*(ALL - self._installed))
        return [check for check in self._checks() if check.status == "problem"]

    def _checks(self) -> Iterator[Check]:
        with variables() as found:
            yield from package_checks(found)
            yield from sdk_checks(found)
            yield from exporter_checks(found)
            yield from recording_checks(found, Settings(content="EVENT_ONLY"))

    def follow(self, way: str) -> None:
        """Does what is written: installs, sets and unsets, and nothing else."""
        for names in INSTALL.findall(way):
            for name in names.split():
                self._installed |= BRINGS[name]
        self._set(dict(SET.findall(way)))
        for name in UNSET.findall(way):
            self._monkeypatch.delenv(name, raising=False)

    def _set(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._monkeypatch.setenv(name, value)


@pytest.fixture
def environment(
    set_variables: Callable[..., None], uninstall: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Environment]:
    def environment(has: Sequence[str], **values: str) -> Environment:
        for name in [name for name in os.environ if name.startswith("OTEL_")]:
            monkeypatch.delenv(name)
        set_variables(OTEL_SERVICE_NAME="shop")
        return Environment(monkeypatch, uninstall, has, **values)

    return environment


STATES: Sequence[tuple[Sequence[str], Mapping[str, str]]] = (
    ((), {}),
    ((), NONE),
    ((), OTLP),
    ((), {OVER: "http/protobuf"}),
    ((), {"OTEL_PYTHON_DISTRO": "nope"}),
    ((OVER_HTTP,), {}),
    ((OVER_HTTP,), {OVER: "http/protobuf"}),
    ((OVER_GRPC, OVER_HTTP), {}),
    ((OVER_GRPC, OVER_HTTP), OTLP),
    ((DISTRO,), {}),
    ((DISTRO,), NONE),
    ((DISTRO,), {**NONE, OVER: "http/json"}),
    ((DISTRO,), {"OTEL_PYTHON_DISTRO": "nope"}),
    ((DISTRO,), {**OTLP, "OTEL_LOGS_EXPORTER": "none"}),
    ((DISTRO, OVER_HTTP), {}),
    ((DISTRO, OVER_HTTP), NONE),
    ((DISTRO, OVER_GRPC, OVER_HTTP), NONE),
    ((DISTRO, OVER_GRPC, OVER_HTTP), dict.fromkeys(EXPORTERS, "")),
    ((DISTRO, OVER_GRPC, OVER_HTTP), {"OTEL_LOGS_EXPORTER": "none"}),
    ((DISTRO, OVER_GRPC, OVER_HTTP), {"OTEL_PYTHON_DISTRO": ""}),
)


@pytest.mark.parametrize(("has", "values"), STATES)
def test_each_problem_is_gone_once_its_mend_is_followed_and_no_new_one_is_there(
    has: Sequence[str], values: Mapping[str, str], environment: Callable[..., Environment]
):
    before = environment(has, **values).problems()
    assert before
    for check in before:
        for way in check.mend.split(", or "):
            mended = environment(has, **values)
            mended.follow(way)
            after = mended.problems()
            assert (check.name, check.mend) not in [(each.name, each.mend) for each in after], way
            assert {each.name for each in after} <= {each.name for each in before}, way


@pytest.mark.parametrize(("has", "values"), STATES)
def test_no_problem_is_left_once_all_mends_are_followed(
    has: Sequence[str], values: Mapping[str, str], environment: Callable[..., Environment]
):
    mended = environment(has, **values)
    for check in mended.problems():
        mended.follow(check.mend.partition(", or ")[0])
    assert mended.problems() == []


@pytest.mark.parametrize(
    ("has", "values", "name", "mend"),
    [
        ((), {}, "distro", f"pip install {DISTRO} opentelemetry-exporter-otlp"),
        ((), {}, "exporters", f"pip install {DISTRO} opentelemetry-exporter-otlp"),
        ((OVER_HTTP,), {OVER: "http/protobuf"}, "distro", f"pip install {DISTRO}"),
        (
            (DISTRO, OVER_GRPC, OVER_HTTP),
            NONE,
            "exporters",
            "OTEL_TRACES_EXPORTER=otlp, OTEL_METRICS_EXPORTER=otlp and OTEL_LOGS_EXPORTER=otlp",
        ),
        ((DISTRO, OVER_GRPC, OVER_HTTP), {"OTEL_PYTHON_DISTRO": "nope"}, "exporters", "unset OTEL_PYTHON_DISTRO"),
        (
            (DISTRO, OVER_HTTP),
            {**NONE, "OTEL_METRICS_EXPORTER": "otlp", OVER: "http/protobuf"},
            "content",
            "OTEL_LOGS_EXPORTER=otlp",
        ),
    ],
)
def test_what_is_there_already_is_not_advised(
    has: Sequence[str], values: Mapping[str, str], name: str, mend: str, environment: Callable[..., Environment]
):
    mends = [check.mend for check in environment(has, **values).problems() if check.name == name]
    assert mends[-1].partition(";")[0] == mend

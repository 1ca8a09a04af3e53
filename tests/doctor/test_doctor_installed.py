"""What is installed: packages that are not, or in other versions, and instrumentations of others."""

import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_claude.doctor import instrumentations, packages
from otel_claude.doctor.check import Check
from otel_claude.doctor.exported import exporter_checks
from otel_claude.doctor.instrumentations import native_span_checks, other_checks, switch_checks
from otel_claude.doctor.packages import package_checks
from otel_claude.doctor.sdk import sdk_checks
from otel_claude.doctor.variables import Variables, variables
from otel_claude_command import misfits

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
Install = Callable[..., None]


def none_of(package: str) -> None:
    """Nothing is installed."""


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_all_is_well_with_what_the_tests_need():
    found = by_name(list(package_checks(Variables({}))))
    assert {check.status for check in found.values()} == {"ok"}
    assert found["Python"].says == sys.version.split()[0]


def test_a_version_of_the_sdk_that_is_not_supported_is_a_problem(install: Install):
    install("anthropic", "0.40.0")
    check = by_name(list(package_checks(Variables({}))))["anthropic"]
    assert (check.status, check.says.startswith("0.40.0, ")) == ("problem", True)
    assert "pip install 'anthropic" in check.mend


def test_the_agent_sdk_alone_is_enough(install: Install, monkeypatch: pytest.MonkeyPatch):
    install("claude-agent-sdk", "0.2.5")
    real = packages.version_of

    def version_of(package: str) -> str | None:
        return None if package == "anthropic" else real(package)

    monkeypatch.setattr(packages, "version_of", version_of)
    found = by_name(list(package_checks(Variables({}))))
    assert (found["anthropic"].status, found["anthropic"].says) == ("ok", "not installed")
    assert found["claude-agent-sdk"].status == "ok"


def test_without_any_sdk_there_is_nothing_to_record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "version_of", none_of)
    found = by_name(list(package_checks(Variables({}))))
    assert (found["anthropic"].status, found["anthropic"].mend) == ("problem", "pip install anthropic")


def test_without_a_distro_nothing_is_exported(uninstall: Callable[..., None]):
    uninstall("opentelemetry-distro")
    check = by_name(list(package_checks(Variables({}))))["distro"]
    assert (check.status, check.mend.partition(";")[0]) == ("problem", "pip install opentelemetry-distro")


def test_two_distros_are_a_note(install: Install):
    install("another-distro", "1.0", "[opentelemetry_configurator]\nanother = another:Configurator\n")
    check = by_name(list(package_checks(Variables({}))))["distro"]
    assert (check.status, "another-distro 1.0" in check.says) == ("note", True)


OPENLLMETRY = (
    "[opentelemetry_instrumentor]\nanthropic = opentelemetry.instrumentation.anthropic:AnthropicInstrumentor\n"
)
"""As https://pypi.org/project/opentelemetry-instrumentation-anthropic has it."""


def test_another_instrumentation_of_the_sdk_is_a_problem_until_it_is_disabled(install: Install):
    install("opentelemetry-instrumentation-anthropic", "0.47.0", OPENLLMETRY)
    check = by_name(list(other_checks(Variables({}))))["others"]
    assert (check.status, "opentelemetry-instrumentation-anthropic" in check.says) == ("problem", True)
    assert check.mend.startswith(f"{DISABLED}=anthropic, ")
    assert by_name(list(other_checks(Variables({DISABLED: "flask, anthropic"}))))["others"].status == "ok"
    assert by_name(list(other_checks(Variables({DISABLED: "*"}))))["others"].status == "ok"


def test_an_instrumentation_for_another_version_of_the_sdk_is_none(install: Install):
    older = 'Provides-Extra: instruments\nRequires-Dist: anthropic<0.10; extra == "instruments"\n'
    install("opentelemetry-instrumentation-anthropic", "0.47.0", OPENLLMETRY, older)
    assert by_name(list(other_checks(Variables({}))))["others"].status == "ok"


def test_what_has_wrapped_the_sdk_in_this_process_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instrumentations, "foreign_wrappers", lambda: {"langfuse.anthropic"})
    check = by_name(list(other_checks(Variables({}))))["others"]
    assert (check.status, "langfuse.anthropic" in check.says) == ("problem", True)


@pytest.mark.parametrize("package", ["ddtrace", "logfire", "sentry-sdk", "langfuse", "elastic-apm", "traceloop-sdk"])
def test_what_can_record_the_calls_by_code_is_a_note(package: str, install: Install):
    """It has no entry point by which it would do so of itself."""
    before = [check.status for check in other_checks(Variables({})) if check.name == "others"]
    install(package, "3.0")
    found = [check for check in other_checks(Variables({})) if check.name == "others"]
    assert [check.status for check in found] == [*before, "note"]
    assert found[-1].says.startswith(f"{package} is installed")


def test_what_has_wrapped_the_sdk_is_told_once(install: Install, monkeypatch: pytest.MonkeyPatch):
    install("langfuse", "3.0")
    monkeypatch.setattr(instrumentations, "foreign_wrappers", lambda: {"langfuse.anthropic"})
    assert [check.status for check in other_checks(Variables({})) if check.name == "others"] == ["problem"]


HTTPX = """
[opentelemetry_instrumentor]
httpx = opentelemetry.instrumentation.httpx:HTTPXClientInstrumentor
httpx2 = opentelemetry.instrumentation.httpx:HTTPX2ClientInstrumentor
"""
"""As https://pypi.org/project/opentelemetry-instrumentation-httpx has it."""


def test_an_instrumentation_of_the_http_client_is_a_note_until_it_is_disabled(install: Install):
    install("opentelemetry-instrumentation-httpx", "9.0", HTTPX)
    note = by_name(list(other_checks(Variables({}))))["HTTP client"]
    assert note.status == "note"
    assert note.mend.endswith("httpx2") or note.mend.endswith("httpx")
    assert "HTTP client" not in by_name(list(other_checks(Variables({DISABLED: "httpx,httpx2"}))))


@pytest.mark.parametrize(
    ("disabled", "statuses"),
    [
        ("flask", []),
        ("claude_anthropic", ["problem"]),
        ("claude_agent_sdk", []),
        ("claude_span_cap", ["note"]),
        ("*", ["problem"]),
    ],
)
def test_being_switched_off_is_told(disabled: str, statuses: list[str]):
    # The Claude Agent SDK is not installed here.
    assert [check.status for check in switch_checks(Variables({DISABLED: disabled}))] == statuses


@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_what_becomes_of_the_spans_of_the_sdk_is_told(mode: str):
    (check,) = native_span_checks(Variables({}), mode)
    assert (check.status, f"native_spans={mode}" in check.says) == ("ok", True)
    (check,) = native_span_checks(Variables({"ANTHROPIC_OPEN_TELEMETRY": "False"}), mode)
    assert (check.status, "switched off" in check.says) == ("ok", True)


def test_an_older_sdk_makes_no_spans_and_an_unknown_one_elsewhere(monkeypatch: pytest.MonkeyPatch):
    from anthropic._base_client import BaseClient

    monkeypatch.setattr(BaseClient, "_tracer", None)
    (check,) = native_span_checks(Variables({}), "replace")
    assert check.status == "problem"
    monkeypatch.delattr(BaseClient, "_tracer")
    monkeypatch.delattr(BaseClient, "open_telemetry")
    (check,) = native_span_checks(Variables({}), "replace")
    assert (check.status, "makes none" in check.says) == ("ok", True)


def test_without_the_sdk_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instrumentations, "is_installed", none_of)
    assert list(native_span_checks(Variables({}), "replace")) == []
    assert [check.name for check in other_checks(Variables({}))] == ["others"]


def test_the_defaults_of_the_distro_are_told_from_what_the_user_has_set(set_variables: Callable[..., None]):
    # https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/opentelemetry-distro
    set_variables(OTEL_TRACES_EXPORTER="console")
    with variables() as found:
        assert found.shown("OTEL_TRACES_EXPORTER") == "OTEL_TRACES_EXPORTER=console"
        assert found.shown("OTEL_LOGS_EXPORTER") == "OTEL_LOGS_EXPORTER=otlp, set by the distro"
        assert found.read("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc"


def test_another_distro_than_the_named_one_sets_nothing(set_variables: Callable[..., None]):
    set_variables(OTEL_PYTHON_DISTRO="another")
    with variables() as found:
        assert found.read("OTEL_TRACES_EXPORTER") is None


@pytest.mark.parametrize("name", ["nope", ""])
def test_a_distro_that_there_is_not_is_told_with_its_variable(name: str, set_variables: Callable[..., None]):
    set_variables(OTEL_PYTHON_DISTRO=name, OTEL_SERVICE_NAME="shop")
    with variables() as found:
        (check,) = sdk_checks(found)
        (exporters,) = exporter_checks(found)
    assert (check.status, check.says.startswith(f"OTEL_PYTHON_DISTRO is {name!r}")) == ("problem", True)
    assert check.mend.startswith("unset OTEL_PYTHON_DISTRO; installed: ")
    assert "pip install" not in exporters.mend
    assert "OTEL_PYTHON_DISTRO" in exporters.mend


def commands() -> list[Check]:
    return [check for check in package_checks(Variables({})) if check.name == "command"]


def test_without_the_command_on_the_path_it_is_told_where_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/no/such/folder")
    (check,) = commands()
    assert (check.status, "is not on the PATH" in check.says) == ("note", True)
    assert sys.executable in check.says
    assert check.mend.startswith(f"start the program with {sysconfig.get_path('scripts')}")


LONG = "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"


# As pip and https://packaging.python.org/en/latest/specifications/entry-points have them.
@pytest.mark.parametrize("begin", ["#!{python}\n", LONG, "#!/usr/bin/env python3\n"])
def test_the_command_of_another_python_is_told(begin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "other environment" if "exec" in begin else tmp_path
    folder.mkdir(exist_ok=True)
    for name, text in (("opentelemetry-instrument", begin.format(python=folder / "python3")), ("python3", "#!/bin/sh")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    (check,) = commands()
    assert (check.status, f"is one of {folder}/python3" in check.says) == ("note", True)
    # What another program starts cannot be seen.
    (folder / "opentelemetry-instrument").write_text("#!/bin/sh\nexec something\n")
    assert commands() == []


def test_a_link_to_the_same_python_is_no_other_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bin").symlink_to(Path(sys.executable).parent)
    command = tmp_path / "opentelemetry-instrument"
    command.write_text(f"#!{tmp_path}/bin/python3\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commands() == []


def test_a_distro_that_raises_is_told(set_variables: Callable[..., None], install: Install):
    module = "class Distro:\n    def configure(self):\n        raise LookupError\n"
    install("broken-distro", "1.0", "[opentelemetry_distro]\nbroken = broken_distro:Distro\n", module=module)
    set_variables(OTEL_PYTHON_DISTRO="broken", OTEL_SERVICE_NAME="shop")
    with variables() as found:
        (check,) = sdk_checks(found)
    assert (check.status, "LookupError" in check.says) == ("problem", True)


def test_without_an_exporter_package_it_is_told_which_one_most_backends_take(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "SIGNALS", ())
    check = by_name(list(package_checks(Variables({}))))["exporters"]
    assert (check.status, check.mend) == ("note", "pip install opentelemetry-exporter-otlp")


OURS = """
Requires-Dist: opentelemetry-api>=1.40
Requires-Dist: opentelemetry-instrumentation>=0.61b0
Requires-Dist: wrapt<3,>=1.17
Requires-Dist: PyYAML>=99; extra == "yaml"
"""


@pytest.mark.parametrize(
    ("name", "version", "needed"),
    [
        # In the order of https://packaging.python.org/en/latest/specifications/version-specifiers/.
        ("opentelemetry-api", "1.39.1", ">=1.40"),
        ("opentelemetry-api", "1.40.0rc1", ">=1.40"),
        ("opentelemetry-api", "1.9", ">=1.40"),
        ("opentelemetry-instrumentation", "0.60b1", ">=0.61b0"),
        ("wrapt", "3.0.0", ">=1.17,<3"),
        ("wrapt", "1.16.0", ">=1.17,<3"),
        ("wrapt", "nobody's", ">=1.17,<3"),
    ],
)
def test_a_version_that_our_own_metadata_do_not_accept_is_a_problem(
    name: str, version: str, needed: str, install: Install
):
    install("otel-claude", "0.1.0", requires=OURS.lstrip())
    install(name, version)
    (check,) = [check for check in package_checks(Variables({})) if check.status == "problem"]
    assert check.says.startswith(f"{name} is {version}, and {needed} is needed")
    assert check.mend.startswith(f"pip install --upgrade '{name}{needed}'")
    # Others of OpenTelemetry, which need each other's versions, come along.
    assert (" opentelemetry-sdk" in check.mend) is name.startswith("opentelemetry")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("opentelemetry-api", "1.40"),
        ("opentelemetry-api", "1.100.0"),
        ("opentelemetry-api", "1.41.0rc1"),
        ("opentelemetry-instrumentation", "0.61b0"),
        ("opentelemetry-instrumentation", "0.61"),
        ("wrapt", "2.9.9"),
    ],
)
def test_a_version_that_our_own_metadata_accept_is_well(name: str, version: str, install: Install):
    install("otel-claude", "0.1.0", requires=OURS.lstrip())
    install(name, version)
    assert [check.name for check in package_checks(Variables({})) if check.status == "problem"] == []


def test_a_package_that_we_need_and_that_is_not_installed_is_a_problem(uninstall: Install):
    uninstall("wrapt")
    (check,) = [check for check in package_checks(Variables({})) if check.status == "problem"]
    assert (check.name, check.says.startswith("wrapt is not installed, and ")) == ("wrapt", True)


def test_without_metadata_of_our_own_nothing_is_compared(uninstall: Install):
    uninstall("otel-claude")
    assert misfits() == ()

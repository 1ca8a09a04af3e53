"""What is exported: by which exporters, where to, and whether they are installed.

In: variables, and what is installed. Out: checks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points

from otel_claude.doctor.check import Check
from otel_claude.doctor.endpoints import UnusableEndpoint, endpoint_of
from otel_claude.doctor.exporters import CONSOLE, HTTP, NONE, PACKAGES, PROMETHEUS, PROTOCOLS, Exporter, chosen
from otel_claude.doctor.packages import is_installed
from otel_claude.doctor.remedies import to_export
from otel_claude.doctor.signals import LOGS, METRICS, OTLP, SIGNALS, TRACES, Signal, listed
from otel_claude.doctor.variables import Variables

NOTHING_AT_ALL = "opentelemetry-instrument then sets up no exporter at all, of no signal"


def exporter_checks(variables: Variables) -> Iterator[Check]:
    """What is exported, by what, and where to."""
    by_signal = {signal: chosen(variables, signal) for signal in SIGNALS}
    if not any(by_signal.values()):
        yield Check(
            "problem",
            "exporters",
            "nothing is exported: " + ", ".join(_unchosen(variables, signal) for signal in SIGNALS),
            to_export(variables, SIGNALS),
        )
        return
    for signal, exporters in by_signal.items():
        if not exporters:
            yield _not_exported(variables, signal)
        yield from (_exporter_check(variables, exporter) for exporter in exporters if not _is_missing(exporter))
    yield from _missing_packages(variables, [each for exporters in by_signal.values() for each in exporters])


def _unchosen(variables: Variables, signal: Signal) -> str:
    value = variables.values.get(signal.exporter)
    return f"{signal.exporter} is {'not set' if value is None else value.strip() or 'empty'}"


NOT_EXPORTED: Mapping[Signal, str] = {
    TRACES: "no call can be looked at",
    METRICS: "the dashboards and alerts of otel-claude have no data",
    LOGS: "what they tell, such as retries, interrupted streams and budgets, goes nowhere",
}


def _not_exported(variables: Variables, signal: Signal) -> Check:
    return Check(
        "note",
        signal.carries,
        f"are not exported ({_unchosen(variables, signal)}), so {NOT_EXPORTED[signal]}",
        f"if the backend takes them, {to_export(variables, [signal])}",
    )


def _exporter_check(variables: Variables, exporter: Exporter) -> Check:
    carries, protocol = exporter.signal.carries, exporter.protocol
    if exporter.component is None:
        name, value = variables.of_signal(exporter.signal, "PROTOCOL") or ("", "")
        return Check(
            "problem",
            carries,
            f"{name} is {value!r}; accepted: {', '.join(PROTOCOLS.values())}. {NOTHING_AT_ALL}",
            f"{name}={HTTP}",
        )
    if exporter.component == CONSOLE:
        return Check("note", carries, "are printed by the program, and sent nowhere")
    if exporter.component == PROMETHEUS:
        host = variables.read("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost"
        port = variables.read("OTEL_EXPORTER_PROMETHEUS_PORT") or "9464"
        return Check("ok", carries, f"are shown at http://{host}:{port}/metrics, for Prometheus to fetch")
    if protocol is None:
        return Check("ok", carries, f"are exported by {exporter.component}")
    try:
        endpoint = endpoint_of(variables, exporter.signal, protocol)
    except UnusableEndpoint as error:
        return Check("problem", carries, error.remark.says, error.remark.mend)
    source = "the default" if endpoint.variable is None else endpoint.variable
    return Check("ok", carries, f"are exported over {protocol} to {endpoint.shown} ({source})")


def _is_missing(exporter: Exporter) -> bool:
    return exporter.component is not None and not entry_points(group=exporter.signal.group, name=exporter.component)


def _missing_packages(variables: Variables, exporters: Iterable[Exporter]) -> Iterator[Check]:
    missing: dict[str, list[Signal]] = {}
    for exporter in exporters:
        if exporter.component is not None and _is_missing(exporter):
            missing.setdefault(exporter.component, []).append(exporter.signal)
    for component, signals in missing.items():
        carries = listed([signal.carries for signal in signals])
        chosen_by = ", ".join(dict.fromkeys(_choosing(variables, component, signals)))
        package = PACKAGES.get(component)
        if component.lower() == NONE:
            yield _none_of_many(variables, signals)
        elif package is None:
            names = sorted(each.name for each in entry_points(group=signals[0].group))
            yield Check(
                "problem",
                "exporter",
                f"no installed package has an exporter called {component!r} for {carries} ({chosen_by});"
                f" {NOTHING_AT_ALL}",
                f"accepted with what is installed: {', '.join([*_written(names), NONE])}",
            )
        elif not is_installed(package):
            yield Check(
                "problem",
                "exporter",
                f"{package} is not installed, and {carries} need it ({chosen_by}); {NOTHING_AT_ALL}",
                _install(component, package, signals),
            )
        else:
            yield Check(
                "problem", "exporter", f"{package} has no exporter for {carries} ({chosen_by})", _other(signals)
            )


def _none_of_many(variables: Variables, signals: Sequence[Signal]) -> Check:
    values = ", ".join(variables.shown(signal.exporter) for signal in signals)
    return Check(
        "problem",
        "exporter",
        f"none is an exporter only where it stands alone ({values}); {NOTHING_AT_ALL}",
        "have either none, or exporters, in it",
    )


def _other(signals: Sequence[Signal]) -> str:
    return "set " + " and ".join(f"{signal.exporter}=none" for signal in signals) + ", or to an exporter that has them"


def _choosing(variables: Variables, component: str, signals: Iterable[Signal]) -> Iterator[str]:
    """The variables that have led to an exporter."""
    for signal in signals:
        protocol = variables.of_signal(signal, "PROTOCOL")
        yield variables.shown(protocol[0] if component in PROTOCOLS and protocol is not None else signal.exporter)


def _written(components: Iterable[str]) -> Iterator[str]:
    """Names of exporters as they are written in a variable: `otlp` is one of those of OTLP."""
    yield from dict.fromkeys("otlp" if name in PROTOCOLS else name for name in components)


def _install(component: str, package: str, signals: Sequence[Signal]) -> str:
    others = [
        protocol
        for other, protocol in PROTOCOLS.items()
        if other != component and component in PROTOCOLS and entry_points(group=signals[0].group, name=other)
    ]
    ways = [f"pip install {package}", *(f"{OTLP}PROTOCOL={other}, whose exporter is installed" for other in others)]
    return ", or ".join(ways)

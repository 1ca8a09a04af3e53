"""What `otel-claude doctor` looks at: whether calls of Claude would be recorded here, and get to where they should.

In: the process, its environment and what is installed. Out: checks, each with a sentence that tells how to mend what is
wrong.

Words: a *signal* is what OpenTelemetry calls traces, metrics and logs, which here are spans, metrics and events. An
*exporter* sends one signal to a *receiver*. A *probe* sends one thing of a signal through an exporter that is built as
`opentelemetry-instrument` builds it. Nothing here is imported by the instrumentation.
"""

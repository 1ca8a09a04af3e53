"""The span cap: no trace leaves this process with more than 1,000 spans, and those are the ones that are needed.

    install_span_cap(tracer_provider, max_spans=1000)

It governs all spans of a provider, whatever library makes them, with the instrumentations of this package or without.

In: the provider's spans. Out, to its processors: the first 800 of each trace as they are (`shares`), and at the end of
the trace up to 200 more: those held back because a reader needs them (`reserve`), and summaries of all others
(`summary`). A sampler decides at the start of a span whether it is live or only recorded (`sampler`); a processor sees
it end (`processor`).
"""

"""Dashboards and alerts, made from one description of what our metrics mean.

`panels` and `alerts` say what is shown and what is watched, in terms of our instruments and attributes. Grafana with
Prometheus, Datadog and New Relic each have a module that says it in their language, and `files` has what is written.
"""

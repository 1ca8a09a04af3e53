"""Runs of agents and executions of tools: what an application, or the SDK's tool runner, does between calls.

A *run* is one time that an agent works: it asks a model, executes the tools that the model wants, and asks again. An
*execution* is one time that a tool is executed.
"""

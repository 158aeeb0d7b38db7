"""Durable executions: records claimed, renewed and ended under an epoch, and the worker that does it.

Knows no synthesis, no pipeline and no quota: what is performed, and what follows from an end, are arguments.
"""

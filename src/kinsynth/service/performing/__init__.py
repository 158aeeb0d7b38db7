"""Performing: an execution, done by a worker and its training child under the epoch of a claim."""

"""The use cases of the platform: who may do what, in one transaction each. Knows no HTTP."""

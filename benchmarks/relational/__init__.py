"""Databases measured from their files: integrity, degrees, trends along keys, constants, copies."""

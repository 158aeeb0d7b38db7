"""Use cases of the platform: the only way in for the server, the commands and the workers."""

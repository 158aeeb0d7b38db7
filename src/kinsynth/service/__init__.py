"""The service: every use of an installation, the only way in for API, command line and worker."""

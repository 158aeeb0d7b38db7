"""What survives a restart: rows of SQLite or PostgreSQL, and blobs of a folder or an object store."""

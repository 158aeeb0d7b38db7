"""The engine: learns integer tables and draws new ones. Torch lives here; numbers in, numbers out."""

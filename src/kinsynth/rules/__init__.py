"""Rules: what holds in every row of a table, found in the source and kept in every row that is drawn."""

"""What is measured of synthetic rows, one family a file, each with its definition."""

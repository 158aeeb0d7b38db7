"""The benchmark of single tables: ours and peers, each in its own environment, judged by the same metrics."""

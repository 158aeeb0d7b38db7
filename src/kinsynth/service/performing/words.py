"""Words that the training child and its parent say to each other."""

KEPT = "kept\n"

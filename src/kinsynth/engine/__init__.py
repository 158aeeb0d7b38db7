"""Numbers in, numbers out: networks, training and sampling. The only package that loads torch."""

import os

# Threads that wait by spinning take the cores from whoever else works on the machine, and from each other:
# on two busy cores a training took twice the time. Read when torch is first loaded, so it stands here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

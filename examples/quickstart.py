"""The example of the README: run it where scripts/demo has made its sample."""

import kinsynth

model = kinsynth.fit("demo/sample")
tables = model.sample(rows={"patients": 500}, seed=7)
model.save("hospital.model")
more = kinsynth.load("hospital.model").sample(seed=8)

"""The example of the README: run it where scripts/demo has made its sample."""

import kinsynth

synthesis = kinsynth.Synthesis(tables={"departments": {"original": True}})
model = kinsynth.fit("demo/sample", synthesis)
tables = model.sample(rows={"patients": 500}, seed=7)
model.save("hospital.model")  # later: kinsynth.load("hospital.model").sample(seed=8)

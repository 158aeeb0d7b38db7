"""kinsynth: learns a relational database and generates a synthetic one."""

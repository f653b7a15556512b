"""The parts of the docker executor; `client` is the one door to the Docker SDK."""

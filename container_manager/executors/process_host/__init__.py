"""The parts of the process executor; its supervisor and what that imports need only the standard library."""

"""Timings beside their baselines: `python -m benchmarks`. Each module says what it measures; none is a test."""

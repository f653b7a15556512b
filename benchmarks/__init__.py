"""Timings. Each module says what it measures and prints what it found; none is a test."""

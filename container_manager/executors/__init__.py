"""Executors: each talks to one engine, through one contract (`base.py`)."""

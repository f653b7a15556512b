"""`python -m purser` is `purser`."""

from purser.cli.main import main

main()

"""The `purser` command: one module a kind of command, over `purser.client`."""

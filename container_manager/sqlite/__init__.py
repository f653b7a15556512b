"""Django's SQLite backend, where the threads of a process write in turn. Named as ENGINE in the settings."""

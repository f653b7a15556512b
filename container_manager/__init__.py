"""The domain: jobs, executors, the ledger and the dispatcher. It speaks no HTTP."""

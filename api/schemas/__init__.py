"""The shape of every answer, described once with units; the launch request is `container_manager.spec.JobRequest`."""

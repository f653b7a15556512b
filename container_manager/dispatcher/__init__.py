"""The only caller of launch_job(): claims jobs, launches them, watches them, and records how they end."""

from container_manager.dispatcher.dispatcher import Dispatcher

__all__ = ["Dispatcher"]

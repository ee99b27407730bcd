"""Kernels that execute the chapters keep no history and report only errors."""

c = get_config()  # noqa: F821  (given by IPython)
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = 40

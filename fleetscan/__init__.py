"""Read-only compliance scans of Hyper-V fleets over WinRM and SSH."""

__version__ = "0.1.0"

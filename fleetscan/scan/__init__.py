"""The use case: visit all hosts within their budgets, and come back with one report for each of them."""

from fleetscan.scan.engine import Observer, Scan, ScanOptions

__all__ = ["Observer", "Scan", "ScanOptions"]

"""The HTML report: one file that asks for nothing else, read in a browser or printed."""

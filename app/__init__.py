"""HTTP and command line in; pages, JSON and files out."""

__version__ = "0.1.0"

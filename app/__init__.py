"""HTTP and command line in; pages, JSON and files out."""

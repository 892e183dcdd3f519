"""Loaders: the only readers of foreign files, and the standards and curves as data."""

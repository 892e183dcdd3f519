"""Pages that show a map: strict, offline, with every word of the data kept out of templates and scripts."""

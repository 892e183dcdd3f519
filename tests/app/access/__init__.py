"""Who may do what, and under which address."""

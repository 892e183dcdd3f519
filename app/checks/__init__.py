"""What a study's data is worth before a plan is trusted: each input read as a run reads it, and what was found."""

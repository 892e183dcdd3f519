"""Profiles of what people in shelters need, one TOML a profile, read as ``needs.PROFILE.name``."""

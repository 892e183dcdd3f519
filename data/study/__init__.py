"""Studies: the definition in ``study.toml``, and the city that its inputs describe."""

from data.study.city import load, read_map, read_outline
from data.study.definition import Layer, Scenario, StudyFile

__all__ = ["Layer", "Scenario", "StudyFile", "load", "read_map", "read_outline"]

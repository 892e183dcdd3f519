"""Studies: the definition in ``study.toml``, and the city that its inputs describe."""

from data.study.city import load
from data.study.definition import Layer, Scenario, StudyFile
from data.study.mapped import read_map
from data.study.outline import read_outline

__all__ = ["Layer", "Scenario", "StudyFile", "load", "read_map", "read_outline"]

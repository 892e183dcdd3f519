"""Pages without any script: templates that escape whatever is put into them."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@lru_cache(maxsize=8)
def template(name: str) -> Template:
    """A template of the folder ``templates``; a name that it asks for and is not given is an error."""
    loader = PackageLoader("app.maps", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(name)

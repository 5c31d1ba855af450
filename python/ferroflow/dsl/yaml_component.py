"""Where KFP has the class of components out of files."""

from ferroflow.dsl.base_component import YamlComponent

__all__ = ['YamlComponent']

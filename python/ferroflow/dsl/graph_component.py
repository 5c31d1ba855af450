"""Where KFP has the class of pipelines."""

from ferroflow.dsl.base_component import GraphComponent

__all__ = ['GraphComponent']

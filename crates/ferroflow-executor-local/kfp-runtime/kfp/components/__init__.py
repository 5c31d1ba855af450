"""Where 2.0.x kept the executor and the types; component loaders have no work inside a task."""

import sys

import kfp.dsl.types.artifact_types
import kfp.dsl.types.type_annotations
from kfp._absent import absent

sys.modules['kfp.components.types'] = types = kfp.dsl.types
sys.modules['kfp.components.types.artifact_types'] = kfp.dsl.types.artifact_types
sys.modules['kfp.components.types.type_annotations'] = kfp.dsl.types.type_annotations

__getattr__ = absent(__name__)

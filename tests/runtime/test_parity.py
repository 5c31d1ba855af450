"""Our slim runtime does what the executor of kfp does: same output file, same other files, same exit code.

Each case is a function named `task`, and its executor input. Where ours differs on purpose, the difference stands in
the case: `ours` is merged over the parameter values that kfp writes, and `better` is what ours writes where kfp fails.
"""

import json

import pytest

from task import artifact, executor_input, run_ours, run_ours_as_module, run_real

ALL = {"i": 3, "x": 2.5, "s": "text", "b": True, "l": [1, "two", {"three": 3}], "d": {"a": [1], "b": None}}
NAMES = list(ALL)
DATA = artifact("7", uri="ROOT/elsewhere/data", metadata={"rows": 3, "display_name": "data"})
OTHER = artifact("8", uri="ROOT/elsewhere/other")
FILES = {"elsewhere/data": "some data", "elsewhere/other": "other data"}
SCORES = artifact("scores", "system.Metrics")
MODEL = artifact("model", "system.Model", metadata={"framework": "given"})


def case(name, source, *, ours=None, better=None, fails=False, parameters=None, artifacts=None, out=(), out_artifacts=(), **options):
    given = executor_input(parameters, artifacts, out, out_artifacts)
    return pytest.param(source, given, ours or {}, better, fails, options, id=name)


def returns(name, annotation, expression, **more):
    return case(name, f"def task() -> {annotation}:\n    return {expression}\n", out=["Output"], **more)


CASES = [
    # Parameters.
    case("all kinds of parameters", """
def task(i: int, x: float, s: str, b: bool, l: list, d: dict) -> NamedTuple('All', [
        ('i', int), ('x', float), ('s', str), ('b', bool), ('l', list), ('d', dict)]):
    return (i, x, s, b, l, d)
""", parameters=ALL, out=NAMES),
    case("generic and nested types", """
def task(l: List[Dict[str, int]], d: Dict[str, List[int]], m: dict[str, int]) -> NamedTuple('All', [
        ('l', List[Dict[str, int]]), ('d', Dict[str, List[int]])]):
    return (l, {**d, 'm': [m['k']]})
""", parameters={"l": [{"a": 1}], "d": {"b": [2]}, "m": {"k": 9}}, out=["l", "d"]),
    case("defaults and optional inputs", """
def task(a: str, b: int = 5, c: Optional[str] = None, d: Optional[int] = 7, *, e: str = 'only by name') -> str:
    return repr((a, b, c, d, e))
""", parameters={"a": "given", "d": 8}, out=["Output"]),
    case("null leaves the default", "def task(a: Optional[str] = 'default') -> str:\n    return str(a)\n",
         parameters={"a": None}, out=["Output"]),
    case("a missing argument", "def task(a: str):\n    pass\n", parameters={}, fails=True),
    case("no inputs and no outputs", "def task():\n    print('done')\n"),
    case("whole numbers for floats", "def task(x: float) -> float:\n    return x\n", parameters={"x": 2}, out=["Output"]),
    case("unicode", """
def task(text: str) -> NamedTuple('Out', [('text', str), ('table', dict)]):
    print(text)
    return (text + ' ünï \\u2028 😀', {'schlüssel': ['日本']})
""", parameters={"text": "çédille \"quoted\" \\ back\nline"}, out=["text", "table"]),
    case("types written as text", "def task(i: 'int', s: 'String') -> str:\n    return s * i\n",
         parameters={"i": 2, "s": "ab"}, out=["Output"]),
    case("a union with None", "def task(x: int | None = None) -> str:\n    return str(x)\n",
         parameters={"x": 4}, out=["Output"]),

    # Returned parameters.
    returns("an int", "int", "3"),
    returns("a float that is whole", "float", "3"),
    returns("a bool", "bool", "False"),
    returns("a list", "list", "[1, [2]]"),
    returns("a typed list", "List[str]", "['a']"),
    returns("a dict", "Dict[str, float]", "{'a': 1.5}"),
    returns("an empty text", "str", "''"),
    returns("another type", "int", "'3'", fails=True),
    returns("a float for an int", "int", "3.0", fails=True),
    returns("a list for a dict", "dict", "[]", fails=True),
    returns("something that is not JSON", "list", "[object()]", fails=True),
    returns("nothing for a plain type", "str", "None"),
    returns("nothing for an optional type", "Optional[str]", "None", ours={"Output": None}),
    returns("a value for an optional type", "Optional[int]", "4", better={"parameterValues": {"Output": 4}}),
    returns("a value without annotation", "None", "4", fails=True),
    case("a named tuple as such", """
def task() -> NamedTuple('Out', [('a', int), ('b', str)]):
    from collections import namedtuple
    return namedtuple('Out', ['b', 'a'])(b='x', a=1)
""", out=["a", "b"]),
    case("a named tuple with names", """
def task() -> NamedTuple('Out', a=int, b=str):
    return NamedTuple('Out', a=int, b=str)(a=1, b='x')
""", out=["a", "b"]),
    case("too few values", "def task() -> NamedTuple('Out', [('a', int), ('b', int)]):\n    return (1,)\n",
         out=["a", "b"], fails=True),
    case("a missing value of a tuple", "def task() -> NamedTuple('Out', [('a', int), ('b', int)]):\n    return (1, None)\n",
         out=["a", "b"], fails=True),
    case("no tuple at all", "def task() -> NamedTuple('Out', [('a', int)]):\n    return None\n", out=["a"]),

    # Artifacts.
    case("artifacts in and out", """
def task(data: Input[Dataset], model: Output[Model], scores: Output[Metrics]):
    with open(data.path) as source, open(model.path, 'w') as target:
        target.write(source.read().upper() + type(data).__name__ + data.name + str(data.metadata['rows']))
    model.metadata['depth'] = 3
    model.framework = 'forest'
    scores.log_metric('accuracy', 0.5)
    scores.log_metric('count', 4)
""", artifacts={"data": [DATA]}, out_artifacts=[MODEL, SCORES], files=FILES),
    case("artifacts without markers", """
def task(data: Dataset) -> Model:
    model = Model(uri=dsl.get_uri(suffix='best'), metadata={'from': open(data.path).read()})
    model.framework = 'forest'
    return model
""", artifacts={"data": [DATA]}, out_artifacts=[artifact("Output", "system.Model")], files=FILES),
    case("artifacts and parameters in a tuple", """
def task(data: Dataset) -> NamedTuple('Out', [('model', Model), ('scores', Metrics), ('size', int)]):
    scores = Metrics(uri=dsl.get_uri('scores'), name='renamed')
    scores.log_metric('a', 1)
    return (Model(uri=dsl.get_uri('model')), scores, 3)
""", artifacts={"data": [DATA]}, out=["size"], out_artifacts=[MODEL, SCORES], files=FILES),
    case("text returned for an artifact", "def task() -> Dataset:\n    return 'content'\n",
         out_artifacts=[artifact("Output", "system.Dataset")]),
    case("lists of artifacts", """
def task(first: Input[List[Dataset]], second: List[Dataset]) -> str:
    return ' '.join(type(one).__name__ + one.name + open(one.path).read() for one in first + second)
""", artifacts={"first": [DATA, OTHER], "second": [OTHER]}, out=["Output"], files=FILES),
    case("an optional artifact that is given", """
def task(data: Optional[Input[Dataset]] = None) -> str:
    return open(data.path).read()
""", artifacts={"data": [DATA]}, out=["Output"], files=FILES, better={"parameterValues": {"Output": "some data"}}),
    case("an optional artifact that is not", "def task(data: Optional[Input[Dataset]] = None) -> str:\n    return str(data)\n",
         out=["Output"]),
    case("paths of artifacts", """
def task(data: InputPath('Dataset'), plain: InputPath(), model: OutputPath('Model'), number: OutputPath(int), text: OutputPath(str)):
    for path, content in ((model, open(data).read() + open(plain).read()), (number, '7'), (text, 'words')):
        with open(path, 'w') as target:
            target.write(content)
""", artifacts={"data": [DATA], "plain": [OTHER]}, out=["number", "text"], out_artifacts=[MODEL], files=FILES),
    case("a path that is not written", "def task(number: OutputPath(int)):\n    pass\n", out=["number"]),
    case("a path whose artifact is missing", "def task(data: InputPath('Dataset')):\n    pass\n", fails=True),
    case("a path of its own", """
def task(data: Input[Dataset], model: Output[Model]):
    model.custom_path = data.path + '.copy'
    with open(model.path, 'w') as target:
        target.write(open(data.path).read())
""", artifacts={"data": [DATA]}, out_artifacts=[MODEL], files=FILES),
    case("a path of its own from before", "def task(data: Input[Dataset]) -> str:\n    return data.path\n",
         artifacts={"data": [artifact("7", uri="s3://lab/data", customPath="/elsewhere")]}, out=["Output"],
         ours={"Output": "/elsewhere"}),
    case("places of remote artifacts", """
def task(a: Input[Dataset], b: Input[Model], c: Input[Artifact], d: Input[Model]) -> list:
    model = Model(uri='gs://b/k')
    model.path = '/gcs/other/k'
    strange = Dataset(name='n')
    strange.path = '/somewhere/else'
    return [a.path, b.path, c.path, d.path, model.uri, strange.uri, strange.path]
""", artifacts={"a": [artifact("1", uri="gs://b/k")], "b": [artifact("2", uri="minio://b/k/m")],
                "c": [artifact("3", uri="s3://b/k")], "d": [artifact("4", uri="oci://r/i:t")]}, out=["Output"]),
    case("an artifact in the workspace", "def task(a: Input[Dataset]) -> str:\n    return a.path\n",
         artifacts={"a": [artifact("1", uri="gs://b/k", metadata={"_kfp_workspace": True})]}, out=["Output"]),
    case("classes by title and by annotation", """
class Mine:
    schema_title = 'mine.Thing'
    schema_version = '0.0.1'
    def __init__(self, name=None, uri=None, metadata=None):
        self.name, self.uri, self.metadata, self.custom_path = name, uri, metadata or {}, ''
    @property
    def path(self):
        return self.uri

def task(a: Input[Artifact], b: Input[Mine], c: Output[Mine]) -> str:
    c.metadata['k'] = 'v'
    return ' '.join(type(one).__name__ for one in (a, b, c))
""", artifacts={"a": [artifact("1", "system.Markdown")], "b": [artifact("2")]}, out=["Output"],
         out_artifacts=[artifact("c", "mine.Thing")]),
    case("pages", """
def task(page: Output[HTML], note: Output[Markdown]):
    for one, text in ((page, '<p>ü</p>'), (note, '# ü')):
        with open(one.path, 'w', encoding='utf-8') as target:
            target.write(text)
""", out_artifacts=[artifact("page", "system.HTML"), artifact("note", "system.Markdown")]),
    case("metrics of a classification", """
def task(m: Output[ClassificationMetrics]):
    m.log_roc_curve([0.0, 0.5], [0.1, 0.9], [1.0, 0.5])
    m.log_roc_data_point(0.2, 0.3, 0.4)
    m.log_confusion_matrix(['a', 'b'], [[1, 2], [3, 4]])
    m.log_confusion_matrix_cell('a', 'b', 9)
""", out_artifacts=[artifact("m", "system.ClassificationMetrics")]),
    case("a matrix by rows", """
def task(m: Output[ClassificationMetrics]):
    m.set_confusion_matrix_categories(['a', 'b'])
    m.log_confusion_matrix_row('b', [5, 6])
""", out_artifacts=[artifact("m", "system.ClassificationMetrics")]),
    case("an unknown category", """
def task(m: Output[ClassificationMetrics]):
    m.set_confusion_matrix_categories(['a'])
    m.log_confusion_matrix_row('c', [5])
""", out_artifacts=[artifact("m", "system.ClassificationMetrics")], fails=True),
    case("metrics of slices", """
def task(m: Output[SlicedClassificationMetrics]):
    m.load_roc_readings('x', [[0.1, 0.2, 0.3]])
    m.set_confusion_matrix_categories('y', ['a', 'b'])
    m.log_confusion_matrix_row('y', 'a', [1, 2])
    m.log_confusion_matrix_cell('y', 'b', 'a', 4)
    m.log_roc_reading('x', 0.5, 0.6, 0.7)
""", out_artifacts=[artifact("m", "system.SlicedClassificationMetrics")],
         better={"artifacts": {"m": {"artifacts": [{"name": "m", "uri": "ROOT/task/m", "metadata": {"evaluationSlices": [
             {"slice": "x", "sliceClassificationMetrics": {"confidenceMetrics": [
                 {"confidenceThreshold": 0.1, "recall": 0.2, "falsePositiveRate": 0.3},
                 {"confidenceThreshold": 0.5, "recall": 0.6, "falsePositiveRate": 0.7}]}},
             {"slice": "y", "sliceClassificationMetrics": {"confusionMatrix": {
                 "annotationSpecs": [{"displayName": "a"}, {"displayName": "b"}],
                 "rows": [{"row": [1, 2]}, {"row": [4, 0]}]}}}]}}]}}}),

    # What else a task may meet.
    case("the final status of another task", """
def task(status: PipelineTaskFinalStatus) -> dict:
    return {'all': [status.state, status.pipeline_job_resource_name, status.pipeline_task_name, status.error_code,
                    status.error_message]}
""", parameters={"status": {"state": "FAILED", "pipelineJobResourceName": "run", "pipelineTaskName": "t",
                            "error": {"code": 3, "message": "bad"}}}, out=["Output"]),
    case("the same in snake case, without error", """
def task(status: dsl.PipelineTaskFinalStatus) -> str:
    return repr(status)
""", parameters={"status": {"state": "SUCCEEDED", "pipeline_job_resource_name": "run", "pipeline_task_name": "t",
                            "error": {}}}, out=["Output"]),
    case("the configuration of the task", """
def task(config: dsl.TaskConfig) -> list:
    return [config.affinity, config.tolerations, config.node_selector, config.env, config.volumes,
            config.volume_mounts, config.resources]
""", parameters={"config": {"nodeSelector": {"a": "b"}, "env": [{"name": "A", "value": "1"}], "volumeMounts": []}},
         out=["Output"]),
    case("an exception", "def task() -> str:\n    raise ValueError('no')\n", out=["Output"], fails=True),
    case("an exit code", "def task() -> str:\n    import sys\n    sys.exit(3)\n", out=["Output"], fails=True),
    case("an error at the top", "1 / 0\n\ndef task():\n    pass\n", fails=True),
    case("no such function", "def other():\n    pass\n", fails=True),
    case("more words on the command line", "def task():\n    pass\n", more=["--unknown", "word"]),
    case("a worker of many", "def task() -> int:\n    return 1\n", out=["Output"],
         more_env={"CLUSTER_SPEC": '{"task": {"type": "worker"}}'}),
    case("the chief of many", "def task() -> int:\n    return 1\n", out=["Output"],
         more_env={"CLUSTER_SPEC": '{"task": {"type": "chief"}}'}),
    case("files beside the source", """
import sys
def task() -> str:
    return __file__.rsplit('/', 1)[1] + ' ' + __name__ + ' ' + str(sys.path[0] == __file__.rsplit('/', 1)[0])
""", out=["Output"]),
    case("classes of the module survive pickling", """
import pickle
class Point:
    x = 1
def task() -> int:
    return pickle.loads(pickle.dumps(Point())).x
""", out=["Output"]),
    case("models of pydantic", """
import pydantic
class Config(pydantic.BaseModel):
    rate: float = pydantic.Field(alias='learningRate')
def task(config: Config) -> Config:
    return Config(learningRate=config.rate * 2)
""", parameters={"config": {"learningRate": 0.5}}, out=["Output"],
         better={"parameterValues": {"Output": {"learningRate": 1.0}}}),
    case("imports from where the types are defined", """
from kfp.dsl.types import artifact_types, type_annotations
from kfp.dsl.types.type_annotations import InputAnnotation
class Named(artifact_types.Artifact):
    schema_title = 'my.Named'
    @property
    def label(self) -> str:
        return self.metadata.get('label', '')
def task(named: Input[Named]) -> str:
    return named.label + named.schema_title
""", artifacts={"named": [artifact("1", metadata={"label": "x"})]}, out=["Output"]),
    case("embedded files", """
__KFP_EMBEDDED_ASSET_DIR = '/embedded'
def task(files: dsl.EmbeddedInput[dsl.Dataset]) -> str:
    return type(files).__name__ + files.path
""", out=["Output"]),
    case("names of a containerised component", """
from kfp import dsl
from kfp.dsl import Input, Output, Dataset, component, pipeline

@dsl.component(base_image='python:3.11', target_image='t')
def task(a: str, data: Input[Dataset]) -> str:
    return a + open(data.path).read()

@component
def other(a: str) -> str:
    return a

@dsl.pipeline(name='p')
def whole(a: str = 'x'):
    with dsl.ParallelFor([1, 2]) as item:
        other(a=a).set_caching_options(False)
""", parameters={"a": "x"}, artifacts={"data": [DATA]}, out=["Output"], files=FILES, containerised=True),
]


@pytest.mark.parametrize("source, given, ours, better, fails, options", CASES)
def test_same_as_kfp(tmp_path, source, given, ours, better, fails, options):
    real = run_real(tmp_path / "real", source, given, **options)
    assert (real.exit_code != 0) == (fails or better is not None), real.log
    if better is not None:
        real.exit_code, real.output = 0, better
    if ours:
        real.output["parameterValues"] = {**real.output.get("parameterValues", {}), **ours}
    found = run_ours(tmp_path / "ours", source, given, **options)
    assert found == real, found.log


def test_started_as_a_module(tmp_path):
    given = executor_input({"a": "x"}, output_parameters=["Output"])
    found = run_ours_as_module(tmp_path / "ours", "def task(a: str) -> str:\n    return a\n", given)
    assert found.output == {"parameterValues": {"Output": "x"}}, found.log


def test_a_large_input(tmp_path):
    """More than one word of a process can hold, which is where kfp ends."""
    given = executor_input({"a": "ü" * 3_000_000}, output_parameters=["Output"])
    found = run_ours(tmp_path / "ours", "def task(a: str) -> int:\n    return len(a)\n", given)
    assert found.output == {"parameterValues": {"Output": 3_000_000}}, found.log


def test_an_optional_value_is_null_and_not_missing(tmp_path):
    source = """
def task() -> NamedTuple('Out', [('a', Optional[int]), ('b', int)]):
    return (None, 2)
"""
    given = executor_input(output_parameters=["a", "b"])
    found = run_ours(tmp_path / "ours", source, given)
    assert found.output == {"parameterValues": {"a": None, "b": 2}}, found.log


def test_roots_of_other_stores(tmp_path):
    """Without containers `/s3` and the like belong to nobody, so the executor names folders."""
    source = """
def task(data: Input[Dataset], other: Input[Dataset], local: Input[Dataset], shared: Input[Dataset], model: Output[Model]) -> list:
    with open(model.path, 'w') as target:
        target.write(open(data.path).read())
    return [data.path, data.uri, other.path, local.path, shared.path, dsl.get_uri('more')]
"""
    inputs = {
        "data": [artifact("1", uri="s3://lab/root/data")],
        "other": [artifact("2", uri="s3://lab/rooted/data")],
        "local": [artifact("3", uri="file:///somewhere/data")],
        "shared": [artifact("4", uri="s3://lab/root/data", metadata={"_kfp_workspace": True})],
    }
    given = executor_input(artifacts=inputs, output_parameters=["Output"],
                           output_artifacts=[artifact("model", "system.Model", uri="s3://lab/root/task/model")])
    given["outputs"]["outputFile"] = "ROOT/elsewhere/task/output_metadata.json"
    root = tmp_path / "ours"
    env = {"FERROFLOW_LOCAL_ROOTS": json.dumps({"s3://lab/root/": f"{root}/elsewhere", "s3://": f"{root}/s3"}),
           "FERROFLOW_WORKSPACE": "/space"}
    found = run_ours(root, source, given, env=env, files={"elsewhere/data": "content"})
    assert found.output["parameterValues"]["Output"] == [
        "ROOT/elsewhere/data", "s3://lab/root/data", "ROOT/s3/lab/rooted/data", "/somewhere/data",
        "/space/.artifacts/ROOT/elsewhere/data".replace("/ROOT", str(root)).replace(str(root), "ROOT"),
        "s3://lab/root/task/more"], found.log
    assert found.files["elsewhere/task/model"] == "content"

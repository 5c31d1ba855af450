"""Artifact classes, and where the files of an artifact are on this machine.

A remote URI is seen by user code as a local path: `gs://b/k` as `/gcs/b/k`, likewise s3, minio and oci. An executor
that keeps tasks apart without containers names other folders in the environment variable `FERROFLOW_LOCAL_ROOTS`:
a JSON object from a URI prefix (`s3://` or `s3://bucket/root/`) to a folder, or from a whole URI to a path.
"""

import os

# Likewise the workspace of the run, which is elsewhere without containers.
_WORKSPACE_FOLDER = os.environ.get('FERROFLOW_WORKSPACE', '/kfp-workspace') + '/.artifacts'

# Executors that have no local task root put the metadata file here.
_FOLDER_WITHOUT_URI = '/tmp/kfp_outputs'

# Folder of the metadata file of the running task; None outside of tasks.
task_folder = None


def _read_roots():
    roots = {'gs://': '/gcs/', 'minio://': '/minio/', 's3://': '/s3/', 'oci://': '/oci/'}
    given = os.environ.get('FERROFLOW_LOCAL_ROOTS')
    if given:
        import json
        for prefix, folder in json.loads(given).items():
            roots[prefix] = folder.rstrip('/') + '/' if prefix.endswith('/') else folder
    # The longest prefix is the most precise one.
    return sorted(roots.items(), key=lambda root: -len(root[0]))


_ROOTS = _read_roots()


def to_local_path(uri):
    """The path under which user code finds the object `uri`; a URI of no known store is its own path."""
    for prefix, folder in _ROOTS:
        if uri == prefix or (prefix.endswith('/') and uri.startswith(prefix)):
            key = uri[len(prefix):]
            return folder + (key.replace('/', '_') if prefix == 'oci://' else key)
    return uri[len('file://'):] if uri.startswith('file:///') else uri


def to_uri(path):
    """The reverse of `to_local_path`; a path outside of the known folders is its own URI."""
    best = None
    for prefix, folder in _ROOTS:
        is_below = path == folder or (folder.endswith('/') and path.startswith(folder))
        if is_below and (best is None or len(folder) > len(best[1])):
            best = (prefix, folder)
    if best is None:
        return path
    key = path[len(best[1]):]
    if best[0] == 'oci://':
        key = key.replace('_', '/')
        if key.endswith('/models'):
            key = key[:-len('/models')]
    return best[0] + key


class Artifact:
    """A file or folder with a name and metadata; the base class of all kinds."""
    schema_title = 'system.Artifact'
    schema_version = '0.0.1'

    def __init__(self, name=None, uri=None, metadata=None):
        self.uri = uri or ''
        self.name = name or ''
        self.metadata = metadata or {}
        self._custom_path = ''

    @property
    def path(self):
        return self._get_path()

    @path.setter
    def path(self, path):
        self._set_path(path)

    @property
    def custom_path(self):
        return self._get_custom_path()

    @custom_path.setter
    def custom_path(self, value):
        self._set_custom_path(value)

    def set_path(self, path):
        """Names the place of the files on this machine; the URI stays."""
        self._set_custom_path(path)

    # The four methods below are hooks: artifact classes of other packages override them.

    def _get_path(self):
        path = self.custom_path or to_local_path(self.uri)
        if self.metadata.get('_kfp_workspace') is True:
            path = os.path.join(_WORKSPACE_FOLDER, path.lstrip('/'))
        return path

    def _set_path(self, path):
        self.uri = to_uri(path)

    def _get_custom_path(self):
        return self._custom_path

    def _set_custom_path(self, value):
        self._custom_path = value


class Model(Artifact):
    """A trained model; an image (`oci://`) holds its files under `/models`."""
    schema_title = 'system.Model'

    @property
    def path(self):
        path = self._get_path()
        return path + '/models' if self.uri.startswith('oci://') else path

    @path.setter
    def path(self, path):
        self._set_path(path)

    @property
    def framework(self):
        return self._get_framework()

    @framework.setter
    def framework(self, framework):
        self._set_framework(framework)

    def _get_framework(self):
        return self.metadata.get('framework', '')

    def _set_framework(self, framework):
        self.metadata['framework'] = framework


class Dataset(Artifact):
    """A data set."""
    schema_title = 'system.Dataset'


class Metrics(Artifact):
    """Named numbers."""
    schema_title = 'system.Metrics'

    def log_metric(self, metric, value):
        self.metadata[metric] = value


class ClassificationMetrics(Artifact):
    """A ROC curve and a confusion matrix."""
    schema_title = 'system.ClassificationMetrics'

    # Names of the rows and columns of the confusion matrix, in order.
    _categories = ()

    def log_roc_data_point(self, fpr, tpr, threshold):
        self.metadata.setdefault('confidenceMetrics', []).append({
            'confidenceThreshold': threshold,
            'recall': tpr,
            'falsePositiveRate': fpr,
        })

    def log_roc_curve(self, fpr, tpr, threshold):
        if not len(fpr) == len(tpr) == len(threshold):
            raise ValueError('fpr, tpr and threshold must be lists of one length; they have {}, {} and {} values'.format(
                len(fpr), len(tpr), len(threshold)))
        for point in zip(fpr, tpr, threshold):
            self.log_roc_data_point(*point)

    def set_confusion_matrix_categories(self, categories):
        self._categories = list(categories)
        self._rows = [{'row': [0] * len(self._categories)} for _ in self._categories]
        self._matrix = {
            'annotationSpecs': [{'displayName': category} for category in self._categories],
            'rows': self._rows,
        }
        self.metadata['confusionMatrix'] = self._matrix

    def _category(self, category):
        if category not in self._categories:
            raise ValueError('category {!r} is not one of {!r}; name all with set_confusion_matrix_categories'.format(
                category, list(self._categories)))
        return self._categories.index(category)

    def log_confusion_matrix_row(self, row_category, row):
        index = self._category(row_category)
        if len(row) != len(self._categories):
            raise ValueError('a row of the confusion matrix needs {} values, got {}'.format(
                len(self._categories), len(row)))
        self._rows[index] = {'row': row}
        self.metadata['confusionMatrix'] = self._matrix

    def log_confusion_matrix_cell(self, row_category, col_category, value):
        row, column = self._category(row_category), self._category(col_category)
        self._rows[row]['row'][column] = value
        self.metadata['confusionMatrix'] = self._matrix

    def log_confusion_matrix(self, categories, matrix):
        self.set_confusion_matrix_categories(categories)
        if len(matrix) != len(categories) or any(len(row) != len(categories) for row in matrix):
            raise ValueError('confusion matrix {!r} does not have one row and one column for each of {!r}'.format(
                matrix, categories))
        for category, row in zip(categories, matrix):
            self.log_confusion_matrix_row(category, row)


class SlicedClassificationMetrics(Artifact):
    """Classification metrics for each slice of the data."""
    schema_title = 'system.SlicedClassificationMetrics'

    def _change(self, slice, change):
        if '_slices' not in self.__dict__:
            self._slices = {}
        metrics = self._slices.setdefault(slice, ClassificationMetrics())
        change(metrics)
        self.metadata = {
            'evaluationSlices': [{'slice': name, 'sliceClassificationMetrics': metrics.metadata}
                                 for name, metrics in self._slices.items()]
        }

    def log_roc_reading(self, slice, threshold, tpr, fpr):
        self._change(slice, lambda metrics: metrics.log_roc_data_point(fpr, tpr, threshold))

    def load_roc_readings(self, slice, readings):
        """Each reading is a list of threshold, true positive rate and false positive rate."""
        for threshold, tpr, fpr in readings:
            self.log_roc_reading(slice, threshold, tpr, fpr)

    def set_confusion_matrix_categories(self, slice, categories):
        self._change(slice, lambda metrics: metrics.set_confusion_matrix_categories(categories))

    def log_confusion_matrix_row(self, slice, row_category, row):
        self._change(slice, lambda metrics: metrics.log_confusion_matrix_row(row_category, row))

    def log_confusion_matrix_cell(self, slice, row_category, col_category, value):
        self._change(slice, lambda metrics: metrics.log_confusion_matrix_cell(row_category, col_category, value))

    def load_confusion_matrix(self, slice, categories, matrix):
        self._change(slice, lambda metrics: metrics.log_confusion_matrix(categories, matrix))


class HTML(Artifact):
    """A page of HTML."""
    schema_title = 'system.HTML'


class Markdown(Artifact):
    """A text in Markdown."""
    schema_title = 'system.Markdown'


CLASSES = {
    cls.schema_title: cls for cls in (Artifact, Model, Dataset, Metrics, ClassificationMetrics,
                                      SlicedClassificationMetrics, HTML, Markdown)
}


def get_uri(suffix='Output'):
    """A URI of its own for an output of the running task; empty where the executor has no root for the task."""
    if task_folder is None:
        raise RuntimeError('dsl.get_uri works only inside a running task')
    if task_folder == _FOLDER_WITHOUT_URI:
        import warnings
        warnings.warn('dsl.get_uri knows no URI for this task; name the URI of the artifact yourself',
                      RuntimeWarning, stacklevel=2)
        return ''
    return os.path.join(to_uri(task_folder), suffix)
